#!/usr/bin/python3
"""A start is counted, and confirmed by a gateway that is well."""
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import board_chain  # noqa: E402
import disk  # noqa: E402


class Start(board_chain.Board):
    def bootcount(self):
        self.unit.stop()
        return disk.read_environment(self.unit.disk).get("bootcount")

    def test_a_gateway_that_is_well_confirms_its_start(self):
        self.set_up_unit()
        self.unit.start()
        self.unit.wait_for(board_chain.KERNEL)
        self.assertEqual(self.bootcount(), "1")  # control: counted, and not yet confirmed
        self.unit.start()
        self.unit.wait_for(board_chain.CONFIRMED)
        self.assertEqual(self.bootcount(), "0")


if __name__ == "__main__":
    unittest.main(verbosity=2)
