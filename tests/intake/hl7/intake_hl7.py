#!/usr/bin/python3
"""The real mitral-intake-hl7 with a real vault and spool, and monitors in all their ways."""
import os
import resource
import socket
import subprocess
import sys
import time

from support.proves import main, proves

READ_SPOOL = sys.argv.pop(1)

from hl7_gateway import BINARY, PATIENCE_S, GatewayTest, Monitor, frame, free_port, report, wait_for  # noqa: E402

GatewayTest.READ_SPOOL = READ_SPOOL
TWO_MONITORS = """
[[intake-hl7.monitor]]
source = "icu-1"
address = "127.0.0.1"
[[intake-hl7.monitor]]
source = "icu-2"
address = "127.0.0.2"
"""


class Conversation(GatewayTest):
    @proves("T-DATA-01")
    def test_a_report_is_acknowledged_and_spooled(self):
        self.start()
        monitor = self.monitor()
        self.assertEqual(monitor.report("A1", ["72", "73"]), ("AA", "A1"))
        status = self.counted(lambda s: s["messages"] == 1)
        self.assertEqual((status["readings"], status["observations"], status["open"]), (1, 2, 1))
        self.assertEqual([line.split(" ", 2)[::2] for line in self.gateway.spooled()],
                         [["icu-1", "MDC_ECG_HEART_RATE=72 MDC_ECG_HEART_RATE=73"]])

    def test_any_split_both_tails_and_junk(self):
        self.start()
        monitor = self.monitor()
        data = (b"junk" + frame(report("1")) + frame(report("2"), b"\x1c") + b"\r\n"
                + frame(report("3").rstrip(b"\r")) + frame(report("4").replace(b"\r", b"\r\n")))
        for n in range(0, len(data), 7):
            monitor.send(data[n:n + 7])
        self.assertEqual([monitor.verdict() for _ in range(4)], [("AA", str(n)) for n in range(1, 5)])
        monitor.send(b"".join(frame(report(f"b{n}")) for n in range(40)))
        self.assertEqual([monitor.verdict() for _ in range(40)], [("AA", f"b{n}") for n in range(40)])

    @proves("T-DATA-01", "T-DATA-02")
    def test_a_repetition_is_recognised_and_a_reused_id_refused(self):
        self.start()
        monitor = self.monitor()
        self.assertEqual(monitor.report("1"), ("AA", "1"))
        self.assertEqual(monitor.report("1"), ("AA", "1"))
        self.assertEqual(self.monitor().report("1"), ("AA", "1"))
        self.assertEqual(monitor.report("1", ["99"]), ("AR", "1"))
        status = self.counted(lambda s: s["messages"] == 4)
        self.assertEqual((status["duplicates"], status["refused"], status["readings"]), (2, 1, 1))
        self.assertEqual(len(self.gateway.spooled()), 1)

    def test_enhanced_mode_gets_the_answers_it_asks_for(self):
        self.start()
        monitor = self.monitor()
        self.assertEqual(monitor.report("1", mode="AL|NE"), ("CA", "1"))
        self.assertEqual(monitor.report("2", mode="NE|AL"), ("AA", "2"))
        monitor.send(frame(report("3", mode="NE|NE")) + frame(report("4", mode="ER|NE"))
                     + frame(report("4", ["5"], mode="ER|NE")))
        self.assertEqual(monitor.verdict(), ("CR", "4"))

    def test_what_is_never_taken_is_refused_and_the_connection_goes_on(self):
        self.start(settings="frame_kb = 16")
        monitor = self.monitor()
        monitor.send(frame(report("long", extra="ZZZ|" + "x" * 20_000 + "\r")))
        self.assertEqual(monitor.verdict(), ("AR", "long"))
        monitor.send(frame(report("adt").replace(b"ORU^R01^ORU_R01", b"ADT^A01")))
        self.assertEqual(monitor.verdict(), ("AR", "adt"))
        monitor.send(frame(b"no header"))
        self.assertEqual(monitor.verdict(), ("AR", ""))
        self.assertEqual(monitor.report("next"), ("AA", "next"))
        self.logged("message-refused")

    def test_an_answer_is_not_answered(self):
        self.start()
        monitor = self.monitor()
        monitor.send(frame(b"MSH|^~\\&|M|W|G|H|20261122||ACK|9|P|2.6\rMSA|AA|8\r"))
        self.assertEqual(monitor.report("next"), ("AA", "next"))

    def test_character_sets_are_read_within_the_sandbox(self):
        self.start()
        monitor = self.monitor()
        for n, (name, codec) in enumerate([("8859/1", "latin-1"), ("8859/7", "iso8859-7"), ("GB 18030-2000", "gb18030"),
                                           ("ISO IR87", "iso2022_jp")]):
            text = report(str(n), extra="PID|1||\u00e9\r" if codec == "latin-1" else "PID|1||\u03b1\r").decode()
            header, rest = text.split("\r", 1)
            monitor.send(frame((header + f"||{name}\r" + rest).encode(codec)))
            self.assertEqual(monitor.verdict(), ("AA", str(n)), name)
        broken = report("b", extra="PID|1||\xff\r").decode("utf-8")
        header, rest = broken.split("\r", 1)
        monitor.send(frame((header + "||8859/7\r" + rest).encode("latin-1")))
        self.assertEqual(monitor.verdict(), ("AA", "b"))
        status = self.counted(lambda s: s["messages"] == 5)
        self.assertEqual(status["not_understood"]["character-sets"], 1)

    def test_a_half_closed_connection_gets_its_answer(self):
        self.start()
        monitor = self.monitor()
        monitor.send(frame(report("last")) + b"\x0bMSH|^~\\&|unfinished")
        monitor.connection.shutdown(socket.SHUT_WR)
        self.assertEqual(monitor.verdict(), ("AA", "last"))
        self.assertIsNone(monitor.verdict())
        self.counted(lambda s: s["unfinished"] == 1 and s["open"] == 0)


class Durability(GatewayTest):
    @proves("T-DATA-01", "T-DATA-02")
    def test_nothing_is_acknowledged_that_the_disk_did_not_take(self):
        """A disk that takes no more: AE and nothing stored; what is sent again is stored once."""
        self.start()
        monitor = self.monitor()
        self.assertEqual(monitor.report("1", ["61"]), ("AA", "1"))
        whole = resource.prlimit(self.gateway.intake.pid, resource.RLIMIT_FSIZE, (1, resource.RLIM_INFINITY))
        monitor.send(frame(report("2", ["62"])))
        answer = monitor.answer()
        self.assertEqual(answer[1][1:3], ["AE", "2"])
        self.assertGreater(len(answer[1][3]), 0)
        self.assertEqual(monitor.report("2", ["62"]), ("AE", "2"))
        resource.prlimit(self.gateway.intake.pid, resource.RLIMIT_FSIZE, whole)
        wait_for(lambda: monitor.report("2", ["62"]) == ("AA", "2"), "the spool does not recover")
        self.assertEqual(monitor.report("3", ["63"]), ("AA", "3"))
        status = self.counted(lambda s: s["readings"] == 3)
        self.assertGreaterEqual(status["postponed"], 2)
        self.assertEqual([line.rsplit("=", 1)[1] for line in self.gateway.spooled()], ["61", "62", "63"])

    @proves("T-DATA-01")
    def test_what_was_acknowledged_survives_a_kill(self):
        self.start()
        monitor = self.monitor()
        acknowledged = [monitor.report(str(n), [str(60 + n)])[1] for n in range(20)]
        self.gateway.kill_intake()
        self.assertIsNone(monitor.answer())
        self.gateway.start_intake()
        self.assertEqual(self.monitor().report("19", ["79"]), ("AA", "19"))  # a resend: the consumer removes it
        lines = self.gateway.spooled()
        self.assertEqual({line.rsplit("=", 1)[1] for line in lines}, {str(60 + int(n)) for n in acknowledged})


class Limits(GatewayTest):
    def test_a_silent_connection_is_closed(self):
        self.start(settings="idle_s = 1")
        self.assertIsNone(self.monitor().answer())
        self.logged("monitor-silent")

    @proves("T-MON-03", "T-DOS-01")
    def test_a_slow_sender_is_cut_off_and_a_steady_one_is_not(self):
        self.start(settings="frame_s = 1")
        slow, steady = self.monitor(address="127.0.0.2"), self.monitor()
        slow.send(b"\x0bMSH|")
        answers = []
        while slow.connection.fileno() != -1 and "message in time" not in self.gateway.log():
            answers.append(steady.report(str(len(answers))))
            try:
                slow.send(b"x")
            except OSError:
                break
        self.assertIsNone(slow.answer())
        self.logged("it has not ended its message in time")
        self.assertEqual({verdict for verdict, _ in answers}, {"AA"})

    @proves("T-MON-03", "T-DOS-01")
    def test_a_handshake_that_never_ends_is_cut_off(self):
        from ward_certificates import Authority
        server = Authority(self.gateway.path, "Gateway Authority").issue("localhost")
        self.start(settings="handshake_s = 1", listen=f'certificate = "{server}.pem"\nkey = "{server}.key"')
        self.assertIsNone(self.monitor().answer())
        self.logged("it has not ended its TLS handshake in time")

    @proves("T-MON-03", "T-DOS-01")
    def test_connections_of_an_address_are_bounded(self):
        self.start(settings="connections_per_address = 2")
        first, second = self.monitor(), self.monitor()
        self.assertEqual((first.report("1"), second.report("2")), (("AA", "1"), ("AA", "2")))
        self.assertIsNone(self.monitor().answer())
        self.logged("too many connections from this address")
        self.assertEqual(self.monitor(address="127.0.0.2").report("3"), ("AA", "3"))
        first.close()
        self.counted(lambda s: s["open"] == 2)
        self.assertEqual(self.monitor().report("4"), ("AA", "4"))

    @proves("T-MON-03", "T-DOS-01")
    def test_who_sends_too_fast_is_read_later_and_loses_nothing(self):
        self.start(settings="messages_per_s = 20", monitors=TWO_MONITORS)
        flooding, calm = self.monitor(), self.monitor(address="127.0.0.2")
        flooding.send(b"".join(frame(report(str(n))) for n in range(60)))
        began = time.monotonic()
        for n in range(10):
            self.assertEqual(calm.report(str(n)), ("AA", str(n)))
        calm_took = time.monotonic() - began
        self.assertEqual([flooding.verdict() for _ in range(60)], [("AA", str(n)) for n in range(60)])
        self.assertGreater(time.monotonic() - began, 1.5)  # 20 at once, 40 at 20 a second
        self.assertLess(calm_took, 1.5)
        self.assertEqual(len(self.gateway.spooled()), 70)

    @proves("T-MON-01", "T-DOS-01", "CR 1.2")
    def test_a_forging_peer_does_not_come_in_and_stops_nobody(self):
        self.start(monitors=TWO_MONITORS)
        monitor = self.monitor()
        for n in range(50):
            forger = Monitor(("127.0.0.1", self.gateway.port), "127.0.0.66")
            self.addCleanup(forger.close)
            try:
                forger.send(frame(report(f"forged-{n}")))
            except OSError:
                pass
            self.assertIsNone(forger.answer())
            self.assertEqual(monitor.report(str(n)), ("AA", str(n)))
        status = self.counted(lambda s: s["rejected"] == 50)
        self.assertEqual([m["messages"] for m in status["monitors"]], [50, 0])
        self.assertEqual(self.gateway.log().count("address=127.0.0.66"), 1)  # told once a minute
        self.assertEqual(len(self.gateway.spooled()), 50)

    def test_the_same_peer_with_an_entry_comes_in(self):
        """The control of the one above."""
        self.start()
        self.assertEqual(self.monitor(address="127.0.0.66").report("1"), ("AA", "1"))


class Dialling(GatewayTest):
    """The monitor is the server."""

    def setUp(self):
        super().setUp()
        self.port = free_port()

    def listen(self):
        server = socket.create_server(("127.0.0.1", self.port))
        server.settimeout(PATIENCE_S)
        self.addCleanup(server.close)
        return server

    def start_dialling(self):
        self.start(listeners="", monitors=f"""
            [[intake-hl7.monitor]]
            source = "bed-9"
            dial = "127.0.0.1:{self.port}"
            query = "mindray"
            query_s = 1
            """)

    @staticmethod
    def take(server):
        connection, _ = server.accept()
        connection.settimeout(PATIENCE_S)
        return Monitor.over(connection)

    def test_it_is_asked_and_its_reports_are_acknowledged(self):
        server = self.listen()
        self.start_dialling()
        monitor = self.take(server)
        self.addCleanup(monitor.close)
        query = monitor.answer()
        self.assertEqual((query[0][8], query[0][11], query[1][0], query[2][0]), ("QRY^R02", "2.3.1", "QRD", "QRF"))
        monitor.send(frame(report("1")))
        answers = [monitor.answer() for _ in range(2)]
        self.assertIn(["MSA", "AA", "1"], [answer[1] for answer in answers])
        self.assertIn("QRY^R02", [answer[0][8] for answer in [*answers, monitor.answer()]])  # and asked again
        self.assertEqual(self.counted(lambda s: s["messages"] == 1)["monitors"][0]["connected"], True)
        monitor.close()
        again = self.take(server)  # dialled anew
        self.addCleanup(again.close)
        self.assertEqual(again.answer()[0][8], "QRY^R02")

    def test_one_that_is_switched_on_later_is_reached(self):
        self.start_dialling()
        self.logged("monitor-not-reached")
        monitor = self.take(self.listen())
        self.addCleanup(monitor.close)
        self.assertEqual(monitor.answer()[0][8], "QRY^R02")


class Explanation(GatewayTest):
    def explained(self, *options):
        capture = self.gateway.path / "capture"
        capture.write_bytes(frame(report("1", ["72"])) + b"junk" + frame(report("2", ["nonsense"])))
        return subprocess.run([BINARY / "mitral-intake-hl7", "--config", self.gateway.path / "mitral.toml", "--explain",
                               capture, *options], capture_output=True, text=True, check=False)

    def test_a_capture_is_explained_without_a_gateway(self):
        done = self.explained()
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("MDC_ECG_HEART_RATE", done.stdout)
        self.assertIn("72", done.stdout)

    def test_a_code_table_that_is_not_there_is_an_error(self):
        done = self.explained("--code-table", "/absent.toml")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("/absent.toml", done.stderr)


class Cage(GatewayTest):
    @proves("T-WAY-02")
    def test_it_sits_in_an_empty_network_and_still_takes_connections(self):
        if os.geteuid() != 0:
            self.skipTest("needs root: an empty network namespace")
        self.start()
        self.assertEqual(self.monitor().report("1"), ("AA", "1"))
        self.assertIn("network-isolated=1", self.gateway.log())
        ours, its = (os.readlink(f"/proc/{pid}/ns/net") for pid in ("self", self.gateway.intake.pid))
        self.assertNotEqual(ours, its)

    def test_dialling_keeps_the_network_and_says_so(self):
        self.start(listeners="", monitors=f'[[intake-hl7.monitor]]\nsource = "b"\ndial = "127.0.0.1:{free_port()}"\n')
        self.assertIn("network-isolated=0", self.gateway.log())


if __name__ == "__main__":
    main()
