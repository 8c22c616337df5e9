#!/usr/bin/python3
"""The heaviest messages that fit: each is answered while its sender still waits. One whose cost grows with the square
of its length would take minutes."""
import sys

from support.proves import main, proves

READ_SPOOL = sys.argv.pop(1)

from hl7_gateway import GatewayTest, frame, report  # noqa: E402

GatewayTest.READ_SPOOL = READ_SPOOL
LARGE = 4_000_000
HEART_RATE = b"OBX|1|NM|147842^MDC_ECG_HEART_RATE^MDC||72|/min"
SAMPLES = b"OBX|%d|NA|131330^MDC_ECG_ELEC_POTL_II^MDC|1.1.%d.1|%s|266418^MDC_DIM_MILLI_VOLT^MDC|||||R\r"
RATE = b"OBX|%d|NM|0^MDC_ATTR_SAMP_RATE^MDC|1.1.%d.1.1|250|264608^MDC_DIM_PER_SEC^MDC|||||R\r"

TAKEN = {
    "samples": SAMPLES % (1, 1, b"1^" * (LARGE // 2)) + RATE % (2, 1),
    "samples with holes": SAMPLES % (1, 1, b"1^^" * (LARGE // 3)) + RATE % (2, 1),
    "repetitions of samples": SAMPLES % (1, 1, b"1~" * (LARGE // 2)) + RATE % (2, 1),
    "fields": b"OBX" + b"|" * LARGE + b"\r",
    "repetitions of a patient's id": b"PID|||" + b"~" * LARGE + b"\r",
    "components of a code": b"OBX|1|NM|" + b"^" * (LARGE // 2) + b"|1|" + b"^" * (LARGE // 2) + b"\r",
    "repetitions of a flag": HEART_RATE + b"||" + b"~" * LARGE + b"\r",
    "escapes without end": b"PID|||" + b"\\" * LARGE + b"\r",
    "escapes": b"PID|||" + b"\\F\\" * (LARGE // 3) + b"\r",
    "segments": (HEART_RATE + b"\r") * 16_000,
    "facets": b"".join(RATE % (i, i) for i in range(16_000)),
    "waves": b"".join(SAMPLES % (i, i, b"1^2") for i in range(8000)) + b"".join(RATE % (i, i) for i in range(8000)),
    "ends of segments": b"\r" * LARGE,
}
REFUSED = {
    "patients": b"".join(b"PID|||%d\r" % i + HEART_RATE + b"\r" for i in range(8000)),
    "times": b"".join(HEART_RATE + b"||||||||2026112210%02d%02d+0000\r" % divmod(i, 60) for i in range(3600)),
}


class HeavyMessages(GatewayTest):
    @proves("T-MON-03", "T-MON-04", "CR 3.5", "CR 7.1")
    def test_each_is_answered_in_time(self):
        self.start(settings="messages_per_s = 100000")
        monitor = self.monitor()
        for verdict, messages in (("AA", TAKEN), ("AR", REFUSED)):
            for number, (name, rows) in enumerate(messages.items()):
                with self.subTest(message=name):
                    control_id = f"{verdict}{number}"
                    monitor.send(frame(report(control_id, ()) + rows))
                    self.assertEqual(monitor.verdict(), (verdict, control_id))


if __name__ == "__main__":
    main()
