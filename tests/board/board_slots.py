#!/usr/bin/python3
"""A slot that hangs, panics or is not well gives way to the other one by itself, and the unit says why.

Each fault has its control: the watchdog away, the fault taken away, or the slot one that was well before.
"""
import re
import sys
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import board_chain  # noqa: E402
import disk  # noqa: E402
import standstill  # noqa: E402

POWER_ON = "Booting Trusted Firmware"
IN_B = "board: confirmed slot b"
WATCHDOG_S = 60  # RuntimeWatchdogSec in board/common/system.conf
PATIENCE_S = 900


class Slots(board_chain.Board):
    def begin(self, fault, counted=1, more=(), **site):
        """Power on; so many starts were counted before, and the third that nobody confirmed is the other slot's."""
        self.set_up_unit(fault=fault, **site)
        disk.write_environment(self.unit.disk, slot="0", bootcount=str(counted))
        self.unit.start(*more)

    def wait_for_kernels(self, number):
        deadline = time.monotonic() + PATIENCE_S
        while self.unit.said.count(board_chain.KERNEL.encode()) < number:
            self.assertLess(time.monotonic(), deadline, self.unit.text()[-1500:])
            self.assertTrue(self.unit.listen(PATIENCE_S), self.unit.text()[-1500:])

    def slots_started(self):
        begun = self.unit.text().split(board_chain.KERNEL)[:-1]
        return "".join(re.findall("'slot-([ab])' configuration", part)[-1] for part in begun)

    def said_of_earlier_starts(self):
        return re.findall(r"board: before this start: slot (.*)", self.unit.text())

    def assert_other_slot_took_over(self, why):
        self.unit.wait_for(IN_B, within=PATIENCE_S)
        self.assertEqual(self.slots_started(), "ab")
        self.assertEqual(self.said_of_earlier_starts(), [why])
        self.unit.stop()
        kept = disk.read_environment(self.unit.disk)
        self.assertEqual((kept["slot"], kept["bootcount"]), ("1", "0"))

    def assert_started_no_more(self, seconds):
        self.unit.listen_on(seconds)
        self.assertEqual(self.unit.text().count(POWER_ON), 1)


class Hanging(Slots):
    why = "a hung: the watchdog ended it"

    def test_userland(self):
        self.begin("hang a")
        self.unit.wait_for("board: fault hang", within=PATIENCE_S)
        self.assert_other_slot_took_over(self.why)

    def test_kernel(self):
        debugger = self.folder / "debugger"
        self.begin(None, more=standstill.arguments(debugger))
        self.unit.wait_for("board: told", within=PATIENCE_S)
        standstill.stand_still(debugger)
        self.assert_other_slot_took_over(self.why)

    def test_control_without_a_watchdog_it_hangs_for_good(self):
        self.unit.watchdog = ()
        self.begin("hang a")
        self.unit.wait_for("board: fault hang", within=PATIENCE_S)
        self.assert_started_no_more(2.5 * WATCHDOG_S)


class Panicking(Slots):
    why = "a ended without a word, as after a panic or a loss of power"

    def test_one_slot(self):
        self.begin("panic a")
        self.assert_other_slot_took_over(self.why)

    def test_both_slots_take_turns_until_one_is_well(self):
        self.begin("panic ab", counted=0)
        self.wait_for_kernels(5)
        self.assertEqual(self.slots_started(), "aabbb")
        self.unit.stop()
        disk.remove_data(self.unit.disk, "fault")  # control: without the fault the first slot is confirmed
        self.unit.start()
        self.unit.wait_for("board: confirmed slot a", within=PATIENCE_S)  # whose turn it is
        self.assertEqual(self.slots_started(), "a")


class Unwell(Slots):
    said = "not well in slot a: mitral-uplink is not up"

    def test_it_gives_way(self):
        self.begin("unwell a")
        self.unit.wait_for(self.said, within=PATIENCE_S)
        self.assert_other_slot_took_over("a not well: mitral-uplink is not up")

    def test_control_a_slot_that_was_well_before_stays(self):
        self.begin("unwell a", confirmed="a")
        self.unit.wait_for("board: slot a was well before: not started again", within=PATIENCE_S)
        self.assertIn(self.said, self.unit.text())
        self.assert_started_no_more(WATCHDOG_S / 2)


if __name__ == "__main__":
    unittest.main(verbosity=2)
