#!/usr/bin/python3
"""The volume of the gateway's state: kept over restarts, unreadable on the disk, on another unit and after a wipe."""
import os
import sys
import unittest
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[1]), str(Path(__file__).resolve().parent)]

import board_chain  # noqa: E402
import disk  # noqa: E402
import provisioned  # noqa: E402
from support.proves import proves  # noqa: E402
from unit import copy  # noqa: E402

MIB = 1 << 20
PATIENCE = 900.0  # seconds: a machine with much else to do
CANARY = os.urandom(64).hex().encode()  # on the plain partition; the unit copies it to its state


class Volume(provisioned.Provisioned):
    def partition(self, number):
        with self.unit.disk.open("rb") as image:
            image.seek(disk.place(self.unit.disk, number))
            return image.read(64 * MIB)

    def volume_after_start(self):
        self.unit.start()
        self.unit.wait_for(board_chain.UP, within=PATIENCE)
        said = self.unit.text()
        self.assertIn("board: volume ", said)
        return said

    @proves("T-PHY-01", "T-PHY-04", "T-KEY-04")
    def test_it_is_kept_and_the_disk_does_not_show_it(self):
        self.set_up_unit(canary=CANARY)
        said = self.volume_after_start()
        self.assertIn("board: volume made\n", said)
        self.assertNotIn("canary kept", said)
        # Whoever comes later through the same door, as the vault's user, is refused and counted.
        self.assertIn("probe: volume key: 0x00000000, status 22, counted 1", said)
        self.unit.stop()
        plain, state = self.partition(disk.DATA), self.partition(disk.STATE)
        self.assertIn(CANARY, plain)  # control: so it is found where nothing is encrypted
        self.assertNotIn(CANARY, state)
        self.assertNotEqual(state[MIB:2 * MIB], bytes(MIB))
        self.assertIn("board: volume opened\n", self.volume_after_start())
        self.assertIn("board: canary kept", self.unit.text())
        self.unit.stop()

        # The very disk on another unit: the secure world's storage is not its own.
        own, self.unit = self.unit, self.another("other")
        copy(own.disk, self.unit.disk)
        said = self.volume_after_start()
        self.assertIn("board: volume closed: the trust zone doubts its own state", said)
        self.assertNotIn("canary kept", said)
        self.unit.stop()
        self.assertEqual(self.partition(disk.STATE)[:MIB], state[:MIB])  # not written over

    @proves("T-PHY-03", "T-PHY-04")
    def test_a_wipe_takes_it_away(self):
        keys = provisioned.Keys()
        self.set_up(keys.public, canary=CANARY)
        self.unit.start()
        self.unit.wait_for(board_chain.CONFIRMED, within=PATIENCE)
        given = self.provision(keys)
        self.assertEqual(0, given.returncode, given.stderr)
        wiped = self.station("wipe", self.key_file("station.key", keys.station))
        self.assertEqual(0, wiped.returncode, wiped.stderr)
        said = self.volume_after_start()
        self.assertIn("board: volume made anew", said)
        self.assertNotIn("canary kept", said)


if __name__ == "__main__":
    unittest.main(verbosity=2)
