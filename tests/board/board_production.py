#!/usr/bin/python3
"""The image of `make board` with production's command line: the kernel is mute, hears nothing, and works."""
import sys
import tempfile
import time
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "scripts" / "board"), str(ROOT / "tests" / "board")]

import disk  # noqa: E402
import keys  # noqa: E402
from signed_again import IMAGE, IMAGE_ALONE, sign  # noqa: E402
from unit import Unit  # noqa: E402

MOUNTS = 1024 + 52  # of an ext4 file system: how often it was mounted


class Production(unittest.TestCase):
    def mounted(self, unit):
        with unit.disk.open("rb") as image:
            image.seek(disk.place(unit.disk, disk.DATA) + MOUNTS)
            return int.from_bytes(image.read(2), "little")

    def test_nothing_is_said_or_heard_and_the_data_partition_is_mounted(self):
        with tempfile.TemporaryDirectory(prefix="mitral-production-") as made:
            folder = Path(made)
            image = sign(keys.Directory(IMAGE / "keys"), folder / "board", "production", IMAGE_ALONE)
            unit = Unit(image, folder / "unit")
            self.addCleanup(unit.stop)
            before = self.mounted(unit)
            unit.start()
            unit.wait_for("Starting kernel")
            deadline = time.monotonic() + 240
            while self.mounted(unit) == before:
                self.assertLess(time.monotonic(), deadline, unit.text()[-1000:])
                unit.type(b"\r\n")
                unit.listen_on(1)
            unit.listen_on(5)
            told = unit.text().partition("Starting kernel ...")[2].split("\n")
            of_optee = "E/TC:"  # its errors have the line, too
            self.assertEqual([line for line in told if line.strip() and not line.startswith(of_optee)], [])


if __name__ == "__main__":
    unittest.main()
