#!/usr/bin/python3
"""Twenty power cuts at random moments of boot and of writing leave a unit that boots, and everything it had.

The seed is printed; MITRAL_POWER_SEED repeats a run. Needs root, for the local Azure's user.
"""
import os
import re
import subprocess
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import board_chain  # noqa: E402
import disk  # noqa: E402
import power_stack  # noqa: E402

sys.path.insert(0, str(board_chain.ROOT / "scripts" / "demo"))

import bedside  # noqa: E402
import ledger  # noqa: E402
import unit as board_unit  # noqa: E402
from ward import Ward  # noqa: E402

SEED = int(os.environ.get("MITRAL_POWER_SEED") or int.from_bytes(os.urandom(3)))
# What a start says last before a stage, and for how many seconds after it the power may go.
FIRMWARE, ENVIRONMENT = ("Booting Trusted Firmware", 3.0), ("U-Boot 20", 2.0)
KERNEL, STORAGE, GATEWAY = (board_chain.KERNEL, 8.0), ("board: told", 3.0), (board_chain.UP, 8.0)
NEW_UNIT = (FIRMWARE, ENVIRONMENT, KERNEL, STORAGE, STORAGE, GATEWAY)
SET_UP = (ENVIRONMENT, FIRMWARE, ENVIRONMENT, KERNEL, ENVIRONMENT, STORAGE, KERNEL, GATEWAY)
ORDERS, WRITING, ALL = 2, 4, 20
DRAIN_S = 600
VFAT_STATE = 37
WORD = 4  # bytes of a step of the counter in the flash


class Cuts(unittest.TestCase):
    def setUp(self):
        print(f"board_power: MITRAL_POWER_SEED={SEED}", file=sys.stderr, flush=True)
        self.stack = power_stack.PowerStack(
            board_chain.IMAGE, SEED, say=lambda text: print(f"  {text}", file=sys.stderr, flush=True))
        self.good = False
        self.addCleanup(self.clean_up)

    def clean_up(self):
        self.stack.stop()
        if self.good:
            self.stack.remove()
        else:
            print(f"  logs and books are kept in {self.stack.layout.root}", file=sys.stderr)

    def cut_at(self, stages):
        for said, seconds in stages:
            self.stack.power_on()
            self.stack.await_console(said)
            self.stack.cut(seconds, f"'{said}'")

    def come_up(self):
        self.stack.come_up()
        if self.provisioned():
            self.stack.judge()

    def provisioned(self):
        return "state ready" in self.stack.trust_zone()

    def test_twenty(self):
        self.stack.prepare()
        self.cut_at(NEW_UNIT)
        self.get_identity()
        self.cut_at(SET_UP)
        self.cut_while_writing()
        self.assertEqual(self.stack.cuts, ALL)
        self.stack.power_off()
        self.assert_nothing_was_doubted()
        self.assert_file_systems_are_clean()
        self.good = True

    def get_identity(self):
        """An order that the power cut stopped was carried out as a whole, or not at all."""
        for _ in range(ORDERS):
            self.come_up()
            if self.provisioned():
                self.stack.while_minting(2.0, "while it mints")
            else:
                self.stack.while_provisioning(1.0)
        self.come_up()
        if not self.provisioned():
            self.stack.provision()
            self.stack.judge()
        self.stack.power_off()

    def cut_while_writing(self):
        """Tokens for the station and readings of four beds; what was acknowledged to a bed arrives at the hub."""
        self.come_up()
        ward = Ward(self.stack, bedside.beds(self.stack, board_chain.ROOT / "tests" / "data"))
        ward.start()
        self.addCleanup(ward.end)
        for _ in range(WRITING):
            before = ward.acknowledged
            self.assertTrue(self.stack.wait_for(lambda n=before: ward.acknowledged > n, DRAIN_S), ward.trouble)
            self.stack.while_minting(4.0, f"while it mints and the beds send ({ward.acknowledged:,} acknowledged)")
            self.come_up()
        ward.stop()
        self.assertTrue(self.stack.wait_for(lambda: ward.all_arrived(1), DRAIN_S), ward.trouble)
        books = ledger.balance(self.stack.layout.books, self.stack.hub.log())
        print(f"  {books.line()}", file=sys.stderr)
        self.assertTrue(books.balanced, books.examples)

    def assert_nothing_was_doubted(self):
        said = "\n".join(self.stack.starts)
        self.assertNotIn("probe: no statement", said)
        keys = re.findall(r"^probe: attestation key ([0-9a-f]{128})$", said, re.MULTILINE)
        self.assertGreater(len(keys), ORDERS + WRITING)
        self.assertEqual(len(set(keys)), 1)

    def assert_file_systems_are_clean(self):
        whole = self.stack.unit.disk
        data, environment = (self.stack.layout.root / name for name in ("data.image", "environment.image"))
        disk.read_partition(whole, disk.DATA, data)
        disk.read_partition(whole, disk.ENVIRONMENT, environment)
        with environment.open("r+b") as image:  # a mount that was cut off leaves a mark behind, which says no more
            image.seek(VFAT_STATE)
            image.write(b"\0")
        for check, good in ((["e2fsck", "-p", data], (0, 1)),  # the journal first
                            (["e2fsck", "-f", "-n", data], (0,)), (["fsck.vfat", "-n", environment], (0,))):
            done = subprocess.run(check, check=False, capture_output=True, text=True)
            self.assertIn(done.returncode, good, f"{check}: {done.stdout} {done.stderr}")
        self.assertEqual(disk.read_environment(whole)["bootcount"], "0")


class Counter(board_chain.Board):
    """The power goes while the trust zone's counter is written, which says how old its storage may be."""

    def comes_up_with(self, first):
        self.unit.start()
        self.assertEqual(self.comes_up(self.unit), first)
        self.unit.stop()

    def count(self):
        with self.unit.flash.open("rb") as flash:
            flash.seek(board_unit.COUNTER)
            words = flash.read(board_unit.COUNTER_SIZE // 2)
        return next(at for at in range(0, len(words), WORD) if any(words[at:at + WORD])) // WORD

    def write(self, step, word):
        with self.unit.flash.open("r+b") as flash:
            flash.seek(board_unit.COUNTER + WORD * step)
            flash.write(word)

    def test_a_half_written_step_locks_nobody_out(self):
        self.unit.start()
        first = self.comes_up(self.unit)
        self.unit.stop()
        counted = self.count()
        self.assertGreater(counted, 0)
        self.write(counted - 1, b"\x0f\xf0\x00\xff")  # storage is written, its step half
        self.comes_up_with(first)
        self.write(self.count(), bytes(WORD))  # control: storage one step older than the counter
        self.unit.start()
        self.unit.wait_for(board_chain.UP)
        self.assertIn("probe: no statement: 0x00000000, status 16", self.unit.text())


if __name__ == "__main__":
    unittest.main(verbosity=2)
