"""mitral-bedside against a receiver that shares nothing with it: what it books is what was acknowledged, whatever
goes wrong on the way, and the books say what the messages said."""
import json
import os
import pathlib
import re
import signal
import ssl
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(os.environ["MITRAL_SOURCE_DIR"])
sys.path[:0] = [str(ROOT / "scripts/demo"), str(pathlib.Path(__file__).parent)]

import decode
import processes
from receiver import Receiver
from support.proves import main

PROGRAM = pathlib.Path(os.environ["MITRAL_BINARY_DIR"]) / "bin/mitral-bedside"
DATA = ROOT / "tests/data"
QUERY = (b"MSH|^~\\&|GATE||||20260101000000||QRY^R02|1|P|2.3.1\r"
         b"QRD|20260101000000|R|I|Q1|||||RES\rQRF|MON||||0&0^1^1^0^101&160\r")
UNITS = {"266016": "mm[Hg]", "264864": "/min", "264928": "/min", "262688": "%", "266418": "mV", "262656": "1"}


def read_rows(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []


class Case(unittest.TestCase):
    def setUp(self):
        place = tempfile.TemporaryDirectory()
        self.addCleanup(place.cleanup)
        self.place = pathlib.Path(place.name)
        self.book = self.place / "books"

    def receiver(self, *arguments, **named):
        receiver = Receiver(*arguments, **named)
        self.addCleanup(receiver.close)
        return receiver

    def start(self, *arguments):
        child = subprocess.Popen([str(part) for part in (PROGRAM, "--recording", DATA, "--book", self.book, *arguments)],
                                 stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.addCleanup(child.stdout.close)
        self.addCleanup(child.wait)
        self.addCleanup(child.kill)
        return child

    def run_to_end(self, *arguments):
        child = self.start(*arguments)
        output, _ = child.communicate(timeout=60)
        return child.returncode, output

    def plan(self, beds, ward=""):
        file = self.place / "plan.toml"
        file.write_text("[ward]\n" + ward + "".join(f"[[bed]]\n{bed}\n" for bed in beds), encoding="utf-8")
        return "--plan", file

    def acked(self, source="bed-1"):
        return read_rows(self.book / f"{source}.acked.jsonl")


class Books(Case):
    def test_what_was_acknowledged_is_booked_as_the_message_said_it(self):
        receiver = self.receiver()
        status, output = self.run_to_end(*self.plan([
            f'source = "bed-1"\nto = "127.0.0.1:{receiver.port}"\nmessages = 400\nfirst_row = 0'], "speed_percent = 0\n"))
        self.assertEqual(0, status, output)
        said = {}
        for message in receiver.messages:
            times = []
            for index, row in enumerate(message.rows):
                code = row[3].split(b"^")[1].decode()
                if not row[2]:
                    continue
                time = row[14].decode()
                if time not in times:
                    times.append(time)
                suffix = f".{times.index(time)}" if times.index(time) else ""
                content = ("absent:not-measured" if row[11] == b"X" else "value:" + row[5].decode())
                unit = UNITS[row[6].split(b"^")[0].decode()]
                said[message.identity + suffix, index] = decode.digest(code, unit, content, milliseconds(time))
        self.assertEqual(said, {(row["id"], row["index"]): row["hash"] for row in self.acked()})
        self.assertGreater(len(said), 2000)
        self.assertTrue(any("." in identity for identity, _ in said), "no cuff, so nothing of two times")
        self.assertEqual([], read_rows(self.book / "bed-1.pending.jsonl"))

    def test_waveforms_are_booked_with_every_sample(self):
        receiver = self.receiver()
        status, output = self.run_to_end(*self.plan([
            f'source = "bed-1"\nto = "127.0.0.1:{receiver.port}"\nmessages = 6\nvitals_every_ms = 0\nwaves_every_ms = 1000'],
            "speed_percent = 0\n"))
        self.assertEqual(0, status, output)
        said = {}
        for message in receiver.messages:
            rows = message.rows
            for index in range(0, len(rows), 3):
                wave, rate, scale = rows[index:index + 3]
                samples = [int(sample) for sample in wave[5].split(b"^")]
                self.assertEqual(250, len(samples))
                content = decode.wave_content(rate[5].decode(), scale[5].decode(), samples)
                said[message.identity, index] = decode.digest(
                    wave[3].split(b"^")[1].decode(), UNITS[wave[6].split(b"^")[0].decode()], content,
                    milliseconds(wave[14].decode()))
        self.assertEqual(said, {(row["id"], row["index"]): row["hash"] for row in self.acked()})
        self.assertEqual({"waves"}, {row["lane"] for row in self.acked()})
        self.assertEqual(18, len(said))

    def test_what_has_no_answer_is_pending_and_not_acknowledged(self):
        receiver = self.receiver(lambda _message, _count: None)
        status, output = self.run_to_end(*self.plan([
            f'source = "bed-1"\nto = "127.0.0.1:{receiver.port}"\nmessages = 1\nfirst_row = 300'], "farewell_s = 1\n"))
        self.assertEqual(1, status, output)
        self.assertIn("unanswered=1", output)
        self.assertEqual([], self.acked())
        self.assertEqual({receiver.messages[0].identity},
                         {row["id"].split(".")[0] for row in read_rows(self.book / "bed-1.pending.jsonl")})

    def test_later_brings_the_same_message_again(self):
        receiver = self.receiver(lambda _message, count: "later" if count == 1 else "accept")
        status, output = self.run_to_end(*self.plan([
            f'source = "bed-1"\nto = "127.0.0.1:{receiver.port}"\nmessages = 3'], "speed_percent = 0\n"))
        self.assertEqual(0, status, output)
        self.assertIn("postponed=3", output)
        self.assertEqual({2}, set(receiver.seen.values()))
        by_id = {}
        for message in receiver.messages:
            by_id.setdefault(message.control_id, set()).add(message.text)
        self.assertEqual({1}, {len(texts) for texts in by_id.values()}, "sent again with other content")

    def test_never_is_kept_apart_with_its_reason(self):
        receiver = self.receiver(lambda message, _count: "never" if message.control_id.endswith(b"-2") else "accept")
        status, output = self.run_to_end(*self.plan([
            f'source = "bed-1"\nto = "127.0.0.1:{receiver.port}"\nmessages = 3'], "speed_percent = 0\n"))
        self.assertEqual(1, status, output)
        refused = read_rows(self.book / "bed-1.refused.jsonl")
        self.assertEqual(["because"], [row["reason"] for row in refused])
        self.assertNotIn(refused[0]["id"], {row["id"] for row in self.acked()})
        self.assertEqual(3, len(receiver.messages), "what is refused for good is not sent again")

    def test_a_lost_connection_brings_what_was_on_the_way_again(self):
        receiver = self.receiver(lambda message, count: "close" if count == 1 and message.control_id[-1:] in b"37"
                                 else "accept")
        status, output = self.run_to_end(*self.plan([
            f'source = "bed-1"\nto = "127.0.0.1:{receiver.port}"\nmessages = 20\nwindow = 4'], "speed_percent = 0\n"))
        self.assertEqual(0, status, output)
        self.assertGreater(receiver.connections, 1)
        self.assertEqual({message.identity for message in receiver.messages},
                         {row["id"].split(".")[0] for row in self.acked()})

    def test_control_ids_of_two_runs_differ(self):
        receiver = self.receiver()
        bed = f'source = "bed-1"\nto = "127.0.0.1:{receiver.port}"\nmessages = 5'
        for _ in range(2):
            status, output = self.run_to_end(*self.plan([bed], "speed_percent = 0\n"))
            self.assertEqual(0, status, output)
        self.assertEqual(10, len(receiver.seen))

    def test_sigterm_ends_in_order(self):
        receiver = self.receiver()
        child = self.start("--to", f"127.0.0.1:{receiver.port}", "--beds", "3", "--vitals-every", "20")
        self.assertTrue(receiver.wait(lambda r: len(r.messages) > 20))
        child.send_signal(signal.SIGTERM)
        output, _ = child.communicate(timeout=30)
        self.assertEqual(0, child.returncode, output)
        self.assertIn("unanswered=0", output.splitlines()[-1])


class Faults(Case):
    def test_every_fault_and_every_message_is_booked_once(self):
        receiver = self.receiver()
        faults = '["resend", "split", "several", "junk", "tail", "half", "slow"]'
        status, output = self.run_to_end(*self.plan(
            [f'source = "bed-{n}"\nto = "127.0.0.1:{receiver.port}"\nmessages = 60\nfaults = {faults}\n'
             f'fault_percent = 60\ndialect = "{dialect}"' for n, dialect in enumerate(("pcd", "local", "private"))],
            "speed_percent = 0\n"))
        self.assertEqual(0, status, output)
        for n in range(3):
            rows = self.acked(f"bed-{n}")
            self.assertEqual(len(rows), len({(row["id"], row["index"]) for row in rows}), "booked twice")
        booked = {row["id"].split(".")[0] for n in range(3) for row in self.acked(f"bed-{n}")}
        self.assertEqual({message.identity for message in receiver.messages}, booked)
        self.assertEqual(180, len(booked))
        self.assertGreater(max(receiver.seen.values()), 1, "nothing was sent twice")
        self.assertGreater(receiver.connections, 3, "nobody hung up")

    def test_several_frames_leave_at_once_beyond_the_window(self):
        receiver = self.receiver(lambda _message, _count: None)
        child = self.start(*self.plan([f'source = "bed-1"\nto = "127.0.0.1:{receiver.port}"\nfaults = ["flood"]\n'
                                       'fault_percent = 100'], "speed_percent = 0\n"))
        self.assertTrue(receiver.wait(lambda r: len(r.messages) == 200), len(receiver.messages))
        child.kill()

    def test_a_wrong_clock_stands_in_every_time(self):
        receiver = self.receiver()
        status, output = self.run_to_end(*self.plan([
            f'source = "bed-1"\nto = "127.0.0.1:{receiver.port}"\nmessages = 1\nclock_offset_s = -315360000'],
            "speed_percent = 0\n"))
        self.assertEqual(0, status, output)
        self.assertRegex(receiver.messages[0].field(7), rb"^20[01]")
        self.assertEqual({receiver.messages[0].identity}, {row["id"] for row in self.acked()})

    def test_batches_are_enveloped_and_each_message_is_answered(self):
        receiver = self.receiver()
        status, output = self.run_to_end(*self.plan([
            f'source = "bed-1"\nto = "127.0.0.1:{receiver.port}"\nmessages = 7\nbatch = 3\nwindow = 3'],
            "speed_percent = 0\n"))
        self.assertEqual(0, status, output)
        self.assertEqual([3, 3, 1], [len(re.findall(rb"(?:^|\r)MSH", frame)) for frame in receiver.frames])
        for frame in receiver.frames:
            self.assertRegex(frame, rb"(?s)^FHS\|.*\rBHS\|.*\rBTS\|\d\rFTS\|1\r$")
        self.assertEqual(7, len(receiver.messages))


class Ways(Case):
    def test_each_monitor_has_its_own_address(self):
        receiver = self.receiver()
        status, output = self.run_to_end("--to", f"127.0.0.1:{receiver.port}", "--beds", "5", "--from", "127.0.7.*",
                                         "--seconds", "2", "--vitals-every", "100")
        self.assertEqual(0, status, output)
        self.assertEqual({f"127.0.7.{n}" for n in range(1, 6)}, {peer[0] for peer in receiver.peers})

    def test_a_monitor_that_is_the_server_speaks_when_queried(self):
        port = processes.free_ports(1)[0]
        child = self.start(*self.plan([f'source = "bed-1"\nlisten = "127.0.0.1:{port}"\ndialect = "queried"\n'
                                       'messages = 4\nvitals_every_ms = 10']))
        self.assertTrue(wait_until(lambda: processes.accepts(port)))
        silent = self.receiver(dial=("127.0.0.1", port), query=b"MSH|^~\\&|GATE|||||x|ACK|1|P|2.3.1\r")
        self.assertFalse(silent.wait(lambda r: r.messages, 0.5), "it spoke without a query")
        silent.close()
        receiver = self.receiver(dial=("127.0.0.1", port), query=QUERY)
        output, _ = child.communicate(timeout=30)
        self.assertEqual(0, child.returncode, output)
        self.assertEqual(4, len(receiver.seen))

    def test_tls_with_a_client_certificate_of_its_own(self):
        certificates = make_certificates(self.place)
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(self.place / "gate.pem", self.place / "gate.key")
        tls.load_verify_locations(certificates)
        tls.verify_mode = ssl.CERT_REQUIRED
        receiver = self.receiver(tls=tls)
        bed = (f'source = "bed-1"\nto = "127.0.0.1:{receiver.port}"\nmessages = 5\nroots = ["{certificates}"]\n'
               'server_name = "gate.test"\n')
        status, output = self.run_to_end(*self.plan(
            [bed + f'certificate = "{self.place}/monitor.pem"\nkey = "{self.place}/monitor.key"'],
            "speed_percent = 0\n"))
        self.assertEqual(0, status, output)
        self.assertEqual(5, len(receiver.seen))
        receiver.messages.clear()
        status, output = self.run_to_end(*self.plan([bed], "speed_percent = 0\nseconds = 2\nfarewell_s = 0\n"))
        self.assertEqual(1, status, output)
        self.assertEqual([], receiver.messages, "control: without a certificate nothing goes through")

    def test_many_monitors_in_one_thread(self):
        receiver = self.receiver()
        status, output = self.run_to_end("--to", f"127.0.0.1:{receiver.port}", "--beds", "200", "--seconds", "3")
        self.assertEqual(0, status, output)
        self.assertIn("beds=200/200", output)
        self.assertEqual(200, len({message.field(3) for message in receiver.messages}))


class Emit(Case):
    def test_messages_come_with_what_the_book_would_hold(self):
        done = subprocess.run([PROGRAM, "--emit", "3", "--recording", DATA, "--beds", "2"], capture_output=True, text=True,
                              check=True, timeout=30)
        rows = [json.loads(line) for line in done.stdout.splitlines()]
        self.assertEqual(["bed-1", "bed-2"] * 3, [row["source"] for row in rows])
        self.assertEqual(6, len({row["control_id"] for row in rows}))
        self.assertTrue(all(row["rows"] for row in rows))


class Complaints(Case):
    def test_one_clear_line_for_what_cannot_be(self):
        for what, beds, ward in (
                ("no recording", ['source = "b"\nto = "127.0.0.1:1"'], 'recording = "/nowhere"\n'),
                ("is no dialect", ['source = "b"\nto = "127.0.0.1:1"\ndialect = "klingon"'], ""),
                ("is no fault", ['source = "b"\nto = "127.0.0.1:1"\nfaults = ["gremlin"]'], ""),
                ("two beds are called 'b'", ['source = "b"\nto = "127.0.0.1:1"'] * 2, ""),
                ("either 'to' or 'listen'", ['source = "b"'], ""),
                ("is not a known setting", ['source = "b"\nto = "127.0.0.1:1"\ncolour = "red"'], ""),
                ("not a numeric address", ['source = "b"\nto = "gateway:1"'], ""),
                ("TLS needs 'roots'", ['source = "b"\nto = "127.0.0.1:1"\ncertificate = "c"\nkey = "k"'], ""),
                ("the plan has no [[bed]]", [], "")):
            with self.subTest(what):
                arguments = self.plan(beds, ward)
                done = subprocess.run([str(PROGRAM), *map(str, arguments),
                                       *([] if ward else ["--recording", str(DATA)])],
                                      capture_output=True, text=True, timeout=30, check=False)
                self.assertNotEqual(0, done.returncode)
                self.assertEqual(1, len(done.stderr.splitlines()), done.stderr)
                if what != "no recording":
                    self.assertIn(what, done.stderr)
                else:
                    self.assertIn("/nowhere", done.stderr)


def milliseconds(text):
    import datetime
    moment = datetime.datetime.strptime(text, "%Y%m%d%H%M%S.%f%z")
    return (moment - datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)) // datetime.timedelta(milliseconds=1)


def wait_until(holds, seconds=20):
    from gateway import Stack
    return Stack.wait_for(holds, seconds)


def make_certificates(place):
    """A CA, the gateway's certificate and a monitor's; the path of the CA's."""
    def openssl(*arguments):
        subprocess.run(["openssl", *map(str, arguments)], cwd=place, check=True, capture_output=True)
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "ca.key",
            "-out", "ca.pem", "-subj", "/CN=ward CA", "-days", "2")
    for name in ("gate", "monitor"):
        openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", f"{name}.key",
                "-out", f"{name}.csr", "-subj", f"/CN={name}.test")
        (place / f"{name}.cnf").write_text(f"subjectAltName=DNS:{name}.test\n", encoding="utf-8")
        openssl("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
                "-out", f"{name}.pem", "-days", "2", "-extfile", f"{name}.cnf")
    return place / "ca.pem"


if __name__ == "__main__":
    main()
