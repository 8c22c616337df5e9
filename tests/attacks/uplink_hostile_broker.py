"""A hub that turns hostile: whatever it sends, the gateway takes nothing, closes the link, says so, and loses nothing."""
import pathlib
import re
import unittest

from support.proves import main, proves
from uplink.uplink_support import (ALLOWED_OUTBOUND, CONNECT, PUBLISH, Scratch, behave_well, publish_fields, wait_for)

READINGS = 40


def after_connect(*answer):
    """Takes CONNECT, answers `answer`, then reads until the client goes."""
    def script(connection, _broker):
        if connection.packet() is None:
            return
        connection.send(*answer)
        while connection.packet() is not None:
            pass
    return script


def after_publish(answer):
    """Behaves until the first PUBLISH, answers that with `answer(packet id)`, then reads until the client goes."""
    def script(connection, _broker):
        answered = False
        while (packet := connection.packet()) is not None:
            kind, _, body = packet
            if kind == CONNECT:
                connection.send(0x20, 2, 0, 0)
            elif kind == PUBLISH and not answered:
                answered = True
                connection.send(*answer(publish_fields(body)[1]))
    return script


OK = (0x20, 2, 0, 0)
HOSTILE = {
    # after CONNACK: what a receiving client would act on
    "suback": (after_connect(*OK, 0x90, 3, 0, 1, 0), "forbidden-packet (SUBACK"),
    "unsuback": (after_connect(*OK, 0xB0, 2, 0, 1), "forbidden-packet (UNSUBACK"),
    "publish qos0": (after_connect(*OK, 0x30, 5, 0, 1, ord("t"), ord("x"), ord("y")), "forbidden-packet (PUBLISH"),
    "publish qos1": (after_connect(*OK, 0x32, 6, 0, 1, ord("t"), 0, 1, ord("y")), "forbidden-packet (PUBLISH"),
    "method call": (after_connect(*OK, 0x30, 40, 0, 36, *b"$iothub/methods/POST/reboot/?$rid=1{}{}"), "forbidden-packet"),
    "pubrec": (after_publish(lambda i: (0x50, 2, i >> 8, i & 255)), "forbidden-packet (PUBREC"),
    "auth": (after_connect(*OK, 0xF0, 0), "forbidden-packet (AUTH"),
    "disconnect": (after_connect(*OK, 0xE0, 0), "forbidden-packet (DISCONNECT"),
    "type 0": (after_connect(*OK, 0x00, 0), "forbidden-packet"),
    # malformed
    "oversized puback": (after_connect(*OK, 0x40, 0xFF, 0xFF, 0xFF, 0x7F), "wrong-length (PUBACK"),
    "endless length": (after_connect(*OK, 0x40, *[0xFF] * 64), "wrong-length (PUBACK"),
    "oversized publish": (after_connect(*OK, 0x30, 0xFF, 0xFF, 0xFF, 0x7F, *[0x41] * 4096), "forbidden-packet (PUBLISH"),
    "puback flags": (after_publish(lambda i: (0x4F, 2, i >> 8, i & 255)), "reserved-flags (PUBACK"),
    "short puback": (after_publish(lambda i: (0x40, 1, i & 255)), "wrong-length (PUBACK"),
    "connack reserved bits": (after_connect(0x20, 2, 0x80, 0), "reserved-flags (CONNACK"),
    "connack code 77": (after_connect(0x20, 2, 0, 77), "reserved-return-code (CONNACK"),
    "connack long": (after_connect(0x20, 3, 0, 0, 0), "wrong-length (CONNACK"),
    "http": (after_connect(*b"HTTP/1.1 400 Bad Request\r\n\r\n"), "reserved-flags"),  # 'H' would be a PUBACK
    # well-formed lies
    "second connack": (after_connect(*OK, *OK), "second-connack"),
    "session present": (after_connect(0x20, 2, 1, 0), "session-present"),
    "puback for nothing": (after_publish(lambda i: (0x40, 2, 0x7F, 0xFF)), "unknown-packet-id"),
    "puback twice": (after_publish(lambda i: (0x40, 2, i >> 8, i & 255) * 2), "unknown-packet-id"),
    "puback id 0": (after_publish(lambda i: (0x40, 2, 0, 0)), "zero-packet-id"),
    "puback before connack": (after_connect(0x40, 2, 0, 1), "answer-before-connack"),
    "unasked pingresp": (after_connect(*OK, 0xD0, 0), "unasked-pingresp"),
}
SILENT = {
    "nothing": (after_connect(), "no CONNACK"),
    "half a connack": (after_connect(0x20, 2, 0), "no CONNACK"),
    "no puback": (after_connect(*OK), "no PUBACK"),
    "half a puback": (after_publish(lambda i: (0x40, 2, i >> 8)), "no PUBACK"),
}


class HostileBroker(unittest.TestCase):
    def attack(self, script, expected, security, honest=0):
        """`honest`: readings that were acknowledged before the lie, and so need not come again."""
        scratch = Scratch(self)
        broker = scratch.broker(script, behave_well)
        gateway = scratch.gateway(broker.port)
        gateway.fill(READINGS)
        gateway.start()
        self.assertTrue(gateway.logged(expected), gateway.log())
        line = next(line for line in gateway.log().splitlines() if expected in line)
        self.assertEqual("security=yes" in line, security, line)
        # It comes back, and then everything arrives: nothing was taken as acknowledged by the lies.
        self.assertTrue(wait_for(lambda: self.delivered(broker) == READINGS - honest), gateway.log())
        self.assertEqual(gateway.stop(), 0)
        self.assertLessEqual(broker.outbound_types(), ALLOWED_OUTBOUND)
        self.assertNotIn(gateway.token, gateway.log())
        return gateway, broker

    @staticmethod
    def delivered(broker):
        return len({reading for _, body in broker.messages for reading in re.findall(rb"bed-1-\d+", body)})

    @proves("T-WAY-01", "T-SW-02")
    def test_whatever_is_sent_is_refused(self):
        for name, (script, expected) in HOSTILE.items():
            with self.subTest(name):
                self.attack(script, expected, security=True, honest=10 if name == "puback twice" else 0)

    @proves("T-SW-02", "T-DOS-04")
    def test_silence_and_half_packets_are_noticed(self):
        for name, (script, expected) in SILENT.items():
            with self.subTest(name):
                self.attack(script, expected, security=False)

    @proves("T-WAY-01")
    def test_control_a_good_hub_causes_no_event(self):
        scratch = Scratch(self)
        broker = scratch.broker(behave_well)
        gateway = scratch.gateway(broker.port)
        gateway.fill(READINGS)
        gateway.start()
        self.assertTrue(wait_for(lambda: self.delivered(broker) == READINGS), gateway.log())
        self.assertEqual(gateway.stop(), 0)
        self.assertNotIn("security=yes", gateway.log())
        self.assertNotIn("not-connected", gateway.log())
        self.assertEqual(broker.disconnects, 1)

    @proves("T-DOS-03")
    def test_a_used_up_quota_is_not_a_loop(self):
        """CONNECT is accepted and each PUBLISH closes the socket: the back-off grows all the same."""
        def quota(connection, _broker):
            while (packet := connection.packet()) is not None:
                if packet[0] == PUBLISH:
                    return
                connection.send(*OK)
        scratch = Scratch(self)
        broker = scratch.broker(quota)
        gateway = scratch.gateway(broker.port, reconnect_ceiling_s=60)
        gateway.fill(READINGS)
        gateway.start()
        attempts = 5
        self.assertTrue(wait_for(lambda: len(broker.accepted) >= attempts, timeout=30), gateway.log())
        self.assertIn("nothing-acknowledged", gateway.log())
        gateway.stop()
        pauses = [later - earlier for earlier, later in zip(broker.accepted, broker.accepted[1:])]
        for step, pause in enumerate(pauses):  # the least that jitter leaves of 1 s, 2 s, 4 s…
            self.assertGreaterEqual(pause, 0.1 * 2**step, pauses)

    @proves("T-TOK-03")
    def test_the_token_stays_out_of_logs_and_files(self):
        scratch = Scratch(self)
        broker = scratch.broker(after_connect(0x20, 2, 0, 5), behave_well)
        gateway = scratch.gateway(broker.port)
        gateway.fill(READINGS)
        gateway.start()
        self.assertTrue(gateway.logged("CONNACK 5"), gateway.log())
        self.assertTrue(wait_for(lambda: self.delivered(broker) == READINGS), gateway.log())
        gateway.stop()
        secret = gateway.token.rsplit("=", 1)[1].encode()
        self.assertTrue(any(secret in c.received for c in broker.connections))  # control: it was used
        for path in pathlib.Path(scratch.path).rglob("*"):
            if path.is_file():
                self.assertNotIn(secret, path.read_bytes(), path)


if __name__ == "__main__":
    main()
