#!/usr/bin/python3
"""The example adapters of the docs against the real program, the real vault and a spool on disk."""
import base64
import csv
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest
from decimal import Decimal

from support.proves import main, proves

READ_SPOOL = sys.argv.pop(1)
SOURCE = pathlib.Path(os.environ["MITRAL_SOURCE_DIR"])
BINARY = pathlib.Path(os.environ["MITRAL_BINARY_DIR"]) / "bin"
ADAPTERS = SOURCE / "docs/adapters"
RECORDING = SOURCE / "tests/data/icu-numerics.csv"
PATIENCE_S = 20


class Programs(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory(prefix="mitral-adapters-")
        self.addCleanup(scratch.cleanup)
        self.path = pathlib.Path(scratch.name)
        (self.path / "station.pub").write_text(base64.b64encode(os.urandom(32)).decode() + "\n")
        self.config = self.path / "mitral.toml"
        self.config.write_text(f"""
            [vault]
            socket = "{self.path}/vault.sock"
            state = "{self.path}/vault"
            backend = "software"
            station_key = "{self.path}/station.pub"
            [[vault.peer]]
            user = "{os.getuid()}"
            may = ["new-data-key", "open-data-key", "status"]
            [intake-lines]
            socket = "{self.path}/lines.sock"
            spool = "{self.path}/spool"
            vault = "{self.path}/vault.sock"
            status = "{self.path}/lines.json"
            acknowledgements = "{self.path}/none"
            batch_interval_s = 3600
            """)
        self.running = []
        self.addCleanup(self.stop_all)
        self.start("mitral-vault", "vault.sock")

    def start(self, program, path):
        log = open(self.path / f"{program}.log", "ab")
        self.addCleanup(log.close)
        child = subprocess.Popen([BINARY / program, "--config", self.config], stderr=log, stdin=subprocess.DEVNULL)
        self.running.append(child)
        self.wait(lambda: self.answers(self.path / path, program), f"{program} does not start: {self.log(program)}", child)
        return child

    @staticmethod
    def answers(path, program):
        kind = socket.SOCK_STREAM if "intake" in program else socket.SOCK_SEQPACKET
        with socket.socket(socket.AF_UNIX, kind) as probe:
            try:
                probe.connect(str(path))
            except OSError:
                return False
            return True

    def log(self, program):
        return (self.path / f"{program}.log").read_text()

    def wait(self, holds, what, child=None):
        deadline = time.monotonic() + PATIENCE_S
        while not holds():
            if time.monotonic() > deadline or (child is not None and child.poll() is not None):
                self.fail(what)
            time.sleep(0.02)

    def stop(self, child):
        child.send_signal(signal.SIGTERM)
        self.assertEqual(child.wait(PATIENCE_S), 0)
        self.running.remove(child)

    def stop_all(self):
        for child in self.running:
            child.kill()
            child.wait()

    def spool(self):
        done = subprocess.run([READ_SPOOL, self.path / "spool", self.path / "vault.sock"], capture_output=True,
                              text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        *readings, state = done.stdout.splitlines()
        self.assertEqual(state, "complete")  # nothing waits for a batch that nobody ends
        return readings


def expected(row):
    names = {"HR [bpm]": "MDC_ECG_HEART_RATE", "ABPSys [mmHg]": "MDC_PRESS_BLD_ART_SYS",
             "ABPDias [mmHg]": "MDC_PRESS_BLD_ART_DIA", "ABPMean [mmHg]": "MDC_PRESS_BLD_ART_MEAN",
             "PULSE [bpm]": "MDC_PULS_OXIM_PULS_RATE", "RESP [pm]": "MDC_RESP_RATE",
             "SpO2 [%]": "MDC_PULS_OXIM_SAT_O2", "NBPSys [mmHg]": "MDC_PRESS_BLD_NONINV_SYS",
             "NBPDias [mmHg]": "MDC_PRESS_BLD_NONINV_DIA", "NBPMean [mmHg]": "MDC_PRESS_BLD_NONINV_MEAN"}
    cells = [f"{name}={'not-measured' if Decimal(row[column]) == 0 else row[column]}"
             for column, name in names.items() if row[column] != ""]
    return " ".join(["bed-1", f"row-{row['minute']}", *cells])


class PythonAdapter(Programs):
    def adapter(self, recording=RECORDING):
        return subprocess.Popen([sys.executable, ADAPTERS / "csv_adapter.py", "--socket", self.path / "lines.sock",
                                 "--source", "bed-1", recording], stderr=subprocess.PIPE, text=True)

    @staticmethod
    def rows(recording=RECORDING):
        with open(recording, newline="", encoding="utf-8") as file:
            return [expected(row) for row in csv.DictReader(file)]

    def long_recording(self, copies):
        header, *rows = RECORDING.read_text().splitlines()
        path = self.path / "long.csv"
        path.write_text("\n".join([header, *(f"{copy}-{row}" for copy in range(copies) for row in rows)]) + "\n")
        return path

    def spool_bytes(self):
        return sum(segment.stat().st_size for segment in (self.path / "spool/vitals").glob("*.seg"))

    @proves("T-DATA-01", "T-DATA-05")
    def test_sends_the_whole_recording(self):
        intake = self.start("mitral-intake-lines", "lines.sock")
        adapter = self.adapter()
        _, said = adapter.communicate(timeout=PATIENCE_S)
        self.assertEqual((adapter.returncode, said), (0, ""))
        self.stop(intake)
        self.assertEqual(self.spool(), self.rows())
        status = json.loads((self.path / "lines.json").read_text())
        self.assertEqual((status["readings"], status["refused"], status["later"]), (1936, 0, 0))

    @proves("T-DATA-01", "T-DATA-04")
    def test_nothing_is_lost_when_the_intake_is_killed(self):
        intake = self.start("mitral-intake-lines", "lines.sock")
        recording = self.long_recording(5)
        adapter = self.adapter(recording)
        self.wait(lambda: self.spool_bytes() > 100_000, "no reading arrives", intake)
        intake.kill()
        intake.wait()
        self.running.remove(intake)
        self.assertIsNone(adapter.poll())  # it is in the middle of its work
        intake = self.start("mitral-intake-lines", "lines.sock")
        adapter.communicate(timeout=2 * PATIENCE_S)
        self.assertEqual(adapter.returncode, 0)
        self.stop(intake)
        # A reading that was stored and not yet confirmed may be there twice, none may be missing or out of order.
        self.assertEqual(list(dict.fromkeys(self.spool())), self.rows(recording))


class ShellAdapter(Programs):
    @proves("T-DATA-01", "T-DATA-05")
    def test_an_oximeter(self):
        device = ("NONIN 8500 VER 2\r\nSPO2=097 HR=072\nSPO2=--- HR=---\ngarbage\nSPO2=100 HR=060 *\nSPO2=008 HR=000\n"
                  "SPO2=09\n")
        done = subprocess.run(["/bin/sh", ADAPTERS / "nonin_adapter.sh", "oximeter-3", BINARY / "mitral-intake-lines",
                               "--stdin", "--config", self.config],
                              input=device, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        readings = [reading.split(" ") for reading in self.spool()]
        self.assertEqual([reading[0] for reading in readings], ["oximeter-3"] * 4)
        self.assertEqual([reading[1].rsplit("-", 1)[1] for reading in readings], ["1", "2", "3", "4"])
        self.assertEqual([reading[2:] for reading in readings], [
            ["MDC_PULS_OXIM_SAT_O2=97", "MDC_PULS_OXIM_PULS_RATE=72"],
            ["MDC_PULS_OXIM_SAT_O2=not-measured", "MDC_PULS_OXIM_PULS_RATE=not-measured"],
            ["MDC_PULS_OXIM_SAT_O2=100", "MDC_PULS_OXIM_PULS_RATE=60"],
            ["MDC_PULS_OXIM_SAT_O2=8", "MDC_PULS_OXIM_PULS_RATE=0"]])

    def test_a_refused_source_ends_it(self):
        done = subprocess.run(["/bin/sh", ADAPTERS / "nonin_adapter.sh", "Jane Doe", BINARY / "mitral-intake-lines",
                               "--stdin", "--config", self.config],
                              input="SPO2=097 HR=072\n", capture_output=True, text=True, timeout=PATIENCE_S, check=False)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("source must be", done.stderr)


if __name__ == "__main__":
    main()
