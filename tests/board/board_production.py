#!/usr/bin/python3
"""A production image (tests/board/trial_production.py): through its gates, mute from power-on, served by a station once.

What it does is seen from outside: on its disk, at the local Azure, on the station's cable.
"""
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import trial_production  # noqa: E402
from trial_production import IMAGE, ROOT  # noqa: E402

sys.path.insert(0, str(ROOT / "scripts" / "demo"))

import bedside  # noqa: E402
import board_stack  # noqa: E402
import gates  # noqa: E402
import ledger  # noqa: E402
from ward import Ward  # noqa: E402

PROGRAMS = Path(os.environ.get("MITRAL_BINARY_DIR", ROOT / "build/release")) / "bin"
# On the cable (board/common/station_link.c); the request is the vault's `status`.
NEW_CONVERSATION = ENDED = bytes(2)
REQUEST = b"\1\5"
SILENCE_S, DEADLINE_S = 20.0, 300.0


class Image(unittest.TestCase):
    def test_it_passes_its_gates(self):
        self.assertEqual(gates.faults(IMAGE), [])

    def test_control_that_of_development_does_not(self):
        image = ROOT / "build" / "board"
        self.assertTrue((image / "disk.made").exists(), "first: make board")
        told = {fault.partition(":")[0] for fault in gates.faults(image)}
        for gate in ("known key", "command line", "mute", "programs", "console", "station"):
            self.assertIn(gate, told)

    def test_control_what_is_planted_is_found(self):
        with tempfile.TemporaryDirectory(dir=IMAGE.parent, prefix="planted-") as made:
            folder = Path(made)
            for each in IMAGE.iterdir():
                (folder / each.name).symlink_to(each)
            (folder / "root-fs").unlink()
            (folder / "root-fs").mkdir()
            tree = folder / "root-fs" / "tree"
            subprocess.run(["cp", "-a", str(IMAGE / "root-fs" / "tree"), str(tree)], check=True)
            self.assertEqual(gates.faults(folder), [])
            shutil.copy("/bin/true", tree / "usr/bin/sh")
            shutil.copy("/bin/true", tree / "usr/sbin/mitral-board-probe")
            wants = tree / "etc/systemd/system/multi-user.target.wants"
            (wants / "serial-getty@ttyAMA0.service").symlink_to("/usr/lib/systemd/system/serial-getty@.service")
            with (tree / "etc/passwd").open("a") as accounts:
                accounts.write("guest:x:1000:1000::/:/bin/sh\n")
            self.assertEqual(gates.faults(folder), [
                "root file system: serial-getty@ttyAMA0.service starts", "root file system: guest has the shell /bin/sh",
                "programs: /usr/bin/sh is none of a unit in the field",
                "programs: /usr/sbin/mitral-board-probe is none of a unit in the field"])


class OneUnit(board_stack.BoardStack):
    told = b""  # what a station heard once the unit had got its identity from it

    def asked_by_a_station(self):
        """What the cable answers; None when nothing does for a while."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as cable:
            cable.connect(str(self.unit.station_port))
            cable.settimeout(SILENCE_S)
            cable.sendall(NEW_CONVERSATION + len(REQUEST).to_bytes(2, "big") + REQUEST)
            try:
                return cable.recv(4096)
            except TimeoutError:
                return None

    def trust_zone(self):
        self.told = self.asked_by_a_station()
        return super().trust_zone()


class Production(unittest.TestCase):
    """One unit from the line to the ward; its starts take minutes on a busy machine."""

    def test_from_the_line_to_the_ward(self):
        stack = OneUnit(IMAGE, PROGRAMS, ROOT, station_key=trial_production.STATION)
        self.addCleanup(stack.remove)
        try:
            self.live(stack)
        finally:
            stack.stop()
        self.assertEqual(stack.heard, b"")

    def live(self, stack):
        stack.start()  # provisioned over the cable, as it has no identity; then switched off and on
        self.assertIn(stack.told, (ENDED, None))  # refused, or its end of the cable is gone already
        self.assertIsNone(stack.asked_by_a_station())
        ward = Ward(stack, bedside.beds(stack, ROOT / "tests/data"))
        ward.start()
        stack.unit.type(b"\r\n\x03root\r\n")
        flowed = stack.wait_for(lambda: ward.delivered >= 50, DEADLINE_S)
        ward.stop()
        arrived = flowed and stack.wait_for(lambda: ward.all_arrived(1), DEADLINE_S)
        ward.end()
        report = ledger.balance(stack.layout.books, stack.hub.log())
        self.assertTrue(arrived and report.balanced, report.line())


if __name__ == "__main__":
    unittest.main(verbosity=2)
