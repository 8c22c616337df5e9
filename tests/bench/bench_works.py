"""Every figure of `make bench` can be measured: once through with counts so small that the numbers mean nothing."""
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

from support.proves import main

SOURCE = pathlib.Path(os.environ["MITRAL_SOURCE_DIR"])
SKIPPED = 77
EXPECTED = {"cpu-256", "cpu-256-to-libmosquitto", "messages-per-s", "messages-per-s-window-100", "cpu-4k",
            "cpu-4k-wave", "cloud-query", "cloud-start", "start-queued", "ack-p50", "ack-p99", "sensor-to-hub-p50",
            "sensor-to-hub-p99", "idle-memory", "idle-memory-alone", "idle-wakeups", "security-cpu", "security-ram",
            "security-instructions",
            "hl7-ack-p50", "hl7-ack-p99", "hl7-lost", "hl7-rss-growth", "hl7-cpu", "hl7-cpu-to-receiver", "hl7-ceiling",
            "hl7-ceiling-to-receiver", "hl7-waves-lost", "hl7-waves-cpu", "hl7-isolation", "hl7-bytes-per-observation",
            "hl7-hub-messages-per-bed-day", "hl7-hub-messages-per-bed-day-waves", "cloud-ingest-to-mosquitto",
            "cloud-ingest-per-cpu-to-mosquitto", "cloud-devices-rss", "cloud-storm-errors", "cloud-storm"}
MORE_IS_BETTER = ("messages-per-s", "cloud-ingest-to-mosquitto", "cloud-ingest-per-cpu-to-mosquitto")
NOTHING_MAY_BE_LOST = ("hl7-lost", "hl7-waves-lost", "cloud-storm-errors")


class Bench(unittest.TestCase):
    def test_every_figure_is_measured_and_judged(self):
        with tempfile.TemporaryDirectory() as folder:
            os.chmod(folder, 0o755)  # the daemons' users come through
            command = [sys.executable, SOURCE / "scripts/bench.py", "--no-build", "--small", "--out", folder]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            entries = json.loads(pathlib.Path(folder, "summary.json").read_text(encoding="utf-8"))
            written = {path.name for path in pathlib.Path(folder).iterdir()}
        self.assertEqual(written, {"summary.json", "summary.txt", "summary.svg"})  # and nothing else stays
        self.assertEqual({entry["name"] for entry in entries}, EXPECTED)
        for entry in entries:
            with self.subTest(entry["name"]):
                self.assertIsInstance(entry["value"], (int, float))
                self.assertEqual(entry["met"] is None, entry["bar"] is None)
                if entry["name"] in NOTHING_MAY_BE_LOST:
                    self.assertEqual(entry["value"], 0)
                if entry["bar"] is not None:
                    best = max if entry["name"] in MORE_IS_BETTER else min
                    self.assertEqual(entry["met"], best(entry["value"], entry["bar"]) == entry["value"])


if __name__ == "__main__":
    if os.geteuid() != 0:
        print("skipped: the daemons' users and sandboxes need root")
        sys.exit(SKIPPED)
    if not shutil.which("valgrind") or not shutil.which("swtpm"):
        print("skipped: valgrind or swtpm is not installed")
        sys.exit(SKIPPED)
    main()
