"""The simulated patient against a gateway that misbehaves: its book holds what was acknowledged, no more."""
import json
import os
import pathlib
import socket
import sys
import tempfile
import threading
import unittest

SOURCE = pathlib.Path(os.environ.get("MITRAL_SOURCE_DIR", pathlib.Path(__file__).resolve().parents[2]))
sys.path.insert(0, str(SOURCE / "scripts/demo"))
from patient import Patient, Plan  # noqa: E402
from support.proves import main  # noqa: E402

ROWS = [[("MDC_ECG_HEART_RATE", "/min", "62.8"), ("MDC_PULS_OXIM_SAT_O2", "%", None)]]


class Gateway(threading.Thread):
    """A stand-in that answers as `behave(connection number, line number, line)` says; None hangs up."""

    def __init__(self, path, behave):
        super().__init__(daemon=True)
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(str(path))
        self._listener.listen()
        self._behave = behave
        self.headers, self.seen = [], []
        self.start()

    def run(self):
        connection = 0
        while True:
            link, _ = self._listener.accept()
            connection += 1
            with link, link.makefile("rb") as lines:
                self.headers.append(json.loads(lines.readline()))
                try:
                    self._serve(connection, link, lines)
                except OSError:
                    pass  # the patient hung up

    def _serve(self, connection, link, lines):
        number = 0
        for line in lines:
            if line.strip():
                number += 1
                self.seen.append((connection, json.loads(line)["id"]))
            answer = self._behave(connection, number, line.strip())
            if answer is None:
                return
            link.sendall(answer.encode())


class Patients(unittest.TestCase):
    def setUp(self):
        self._directory = tempfile.TemporaryDirectory()
        self.addCleanup(self._directory.cleanup)
        self.path = pathlib.Path(self._directory.name)

    def treat(self, behave, **plan):
        gateway = Gateway(self.path / "lines.sock", behave)
        plan = {"interval_s": 0, "window": 4, "max_lines": 6, **plan}
        patient = Patient(Plan("bed-1", **plan), self.path / "lines.sock", self.path / "books", ROWS, [])
        patient.start()
        self.assertTrue(patient.finished.wait(20), "the patient did not end")
        return gateway, patient

    def book(self, name):
        path = self.path / f"books/bed-1.{name}.jsonl"
        return [json.loads(line)["id"] for line in path.read_text().splitlines()]

    def test_every_acknowledged_observation_is_in_the_book_once(self):
        _, patient = self.treat(lambda _c, n, _l: f"ok {n}\n")
        self.assertEqual(12, patient.acknowledged)
        self.assertEqual(sorted([f"n-{n:07d}" for n in range(1, 7)] * 2), sorted(self.book("acked")))
        self.assertEqual([], self.book("pending"))

    def test_lines_without_answer_are_sent_again_after_a_reconnect(self):
        def behave(connection, number, _line):
            if connection > 1:
                return f"ok {number}\n"
            return {1: "ok 1\n", 2: "", 3: None}[number]

        # A window of two: the third line is only sent when `ok 1` has been read.
        gateway, patient = self.treat(behave, window=2)
        self.assertEqual(1, patient.reconnects)
        self.assertEqual(12, patient.acknowledged)
        self.assertIn((2, "n-0000002"), gateway.seen)
        self.assertNotIn((2, "n-0000001"), gateway.seen)

    def test_a_refused_line_is_never_in_the_book(self):
        _, patient = self.treat(lambda _c, n, _l: ("no 2 unit\n" if n == 2 else "") + f"ok {n}\n")
        self.assertEqual([("n-0000002", "unit")], patient.refused)
        self.assertNotIn("n-0000002", self.book("acked"))

    def test_a_line_put_off_is_sent_again(self):
        gateway, _ = self.treat(lambda _c, n, _l: ("later 2 disk full\n" if n == 2 else "") + f"ok {n}\n")
        self.assertEqual(2, sum(control_id == "n-0000002" for _, control_id in gateway.seen))
        self.assertEqual(2, self.book("acked").count("n-0000002"))  # its two observations

    def test_a_batch_is_acknowledged_at_its_end(self):
        gateway, patient = self.treat(lambda _c, n, line: "" if line else f"ok {n}\n", acknowledge="batch", window=6)
        self.assertEqual("batch", gateway.headers[0]["ack"])
        self.assertEqual(12, patient.acknowledged)

    def test_nonsense_answers_are_a_lost_connection(self):
        nonsense = {1: "ok 99\n", 2: "what\n", 3: "ok x\n"}
        _, patient = self.treat(lambda c, n, _l: nonsense.get(c, f"ok {n}\n"))
        self.assertEqual(3, patient.reconnects)
        self.assertEqual(12, patient.acknowledged)


if __name__ == "__main__":
    main()
