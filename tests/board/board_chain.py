#!/usr/bin/python3
"""The board's chain of trust, link by link: what was changed does not start, or the other slot does.

Runs on the image of `make board`; every unit is a machine in QEMU with a flash and a disk of its own.
"""
import base64
import os
import re
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts" / "board"))

import disk  # noqa: E402
import site_files  # noqa: E402
from plan import BOOT_ARGUMENTS  # noqa: E402
from unit import Unit, copy  # noqa: E402

IMAGE = Path(os.environ.get("MITRAL_BOARD_DIR", ROOT / "build" / "board"))
UP = "board: up"
CONFIRMED = "board: confirmed"
KERNEL = "Starting kernel"
NOT_AUTHENTIC = -80  # Trusted Firmware's EAUTH
WINDOW = 0.0  # seconds: twice what a whole unit takes from power-on to its kernel


def setUpModule():
    """A whole unit says how long one must listen to know that no kernel starts."""
    global WINDOW
    with tempfile.TemporaryDirectory(prefix="mitral-board-") as folder, Unit(IMAGE, Path(folder)) as unit:
        started = time.monotonic()
        unit.start()
        unit.wait_for(KERNEL)
        WINDOW = 2 * (time.monotonic() - started)


class Board(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="mitral-board-")
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.unit = self.another("unit")

    def another(self, name):
        unit = Unit(IMAGE, self.folder / name)
        self.addCleanup(unit.stop)
        return unit

    def set_up_unit(self, vault=None, files=None, fault=None, abuse=False, confirmed=None, canary=None):
        """What a site puts on the unit's data partition; the hub it names is not there."""
        root = self.folder / "azure.pem"
        subprocess.run(["openssl", "req", "-batch", "-new", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj",
                        "/CN=azure", "-keyout", "/dev/null", "-out", str(root)], check=True, capture_output=True)
        station = self.folder / "nobody.pub"
        station.write_text(base64.b64encode(bytes(32)).decode() + "\n", encoding="ascii")
        text = site_files.settings(8883, "dps.mitral.test:443", vault)
        files = {"azure.pem": root, "station.pub": station, **(files or {})}
        data = site_files.data(self.folder / "data", text, files, ())
        if fault:
            (data / "fault").write_text(fault + "\n", encoding="ascii")
        if abuse:
            (data / "abuse").touch()
        if confirmed:
            (data / "confirmed").write_text(confirmed + "\n", encoding="ascii")
        if canary:
            (data / "canary").write_bytes(canary)
        disk.write_data(self.unit.disk, data)

    def comes_up(self, unit, slot="a"):
        unit.wait_for(UP)
        self.assertIn(f"board: told {BOOT_ARGUMENTS} mitral.slot={slot}\n", unit.text())
        self.assertIn("probe: user 990 session 0x00000000", unit.text())
        return dict(re.findall(r"probe: (unit|attestation key) ([0-9a-f]+)", unit.text()))

    def no_kernel_after(self, unit, sign):
        unit.wait_for(sign)
        unit.listen_on(WINDOW)
        self.assertNotIn(KERNEL, unit.text())
        self.assertNotIn("=>", unit.text())


class Whole(Board):
    def test_only_the_vault_is_heard_and_its_unit_stays_the_same(self):
        self.unit.start()
        first = self.comes_up(self.unit)
        self.assertIn("probe: user 0 session 0xffff0001", self.unit.text())  # TEEC_ERROR_ACCESS_DENIED
        self.unit.start()
        self.assertEqual(self.comes_up(self.unit), first)
        other = self.another("other")
        other.start()
        second = self.comes_up(other)
        self.assertNotEqual(first["unit"], second["unit"])
        self.assertNotEqual(first["attestation key"], second["attestation key"])

    def test_keys_on_the_console_change_nothing(self):
        self.unit.start("-trace", "pl011_put_fifo", "-trace", "pl011_read_fifo")
        taken = ""
        while KERNEL.encode() not in self.unit.said:
            self.unit.type(b" \r\n\x03")
            self.assertTrue(self.unit.listen(240), self.unit.text()[-1000:])
            if b"U-Boot 20" in self.unit.said and KERNEL.encode() not in self.unit.said:
                taken = self.unit.complaints()
        self.assertIn("pl011_put_fifo", taken)  # control: keys reach the console's chip while U-Boot runs
        self.assertNotIn("pl011_read_fifo", taken)  # which nobody reads
        self.comes_up(self.unit)
        self.assertNotIn("=>", self.unit.text())


class Storage(Board):
    def test_an_older_disk_is_refused(self):
        young, now = self.folder / "young", self.folder / "now"
        copy(self.unit.disk, young)
        self.unit.start()
        first = self.comes_up(self.unit)
        self.unit.stop()
        copy(self.unit.disk, now)
        copy(young, self.unit.disk)
        self.unit.start()
        self.unit.wait_for(UP)
        self.assertIn("probe: no statement: 0x00000000, status 16", self.unit.text())
        self.unit.stop()
        copy(now, self.unit.disk)  # control: the newest is taken
        self.unit.start()
        self.assertEqual(self.comes_up(self.unit), first)


class Firmware(Board):
    def changed(self, built):
        """A unit with one changed byte in the middle of this part of its firmware."""
        part = (IMAGE / built).read_bytes()
        disk.flip(self.unit.flash, disk.find(self.unit.flash, part) + len(part) // 2)
        self.unit.start()

    def test_bl2(self):
        self.changed("firmware/build/qemu/release/bl2.bin")
        self.no_kernel_after(self.unit, "Failed to load BL2 firmware")
        self.assertNotIn("Booting BL2", self.unit.text())

    def test_bl31(self):
        self.changed("firmware/build/qemu/release/bl31.bin")
        self.no_kernel_after(self.unit, f"Failed to load image id 3 ({NOT_AUTHENTIC})")

    def test_optee(self):
        self.changed("optee/tee-pager_v2.bin")
        self.no_kernel_after(self.unit, f"Failed to load image id 21 ({NOT_AUTHENTIC})")

    def test_u_boot(self):
        self.changed("u-boot-key/u-boot.bin")
        self.no_kernel_after(self.unit, f"Failed to load image id 5 ({NOT_AUTHENTIC})")
        self.assertNotIn("U-Boot 20", self.unit.text())

    def test_no_unit_without_a_hardware_key(self):
        for erased in (b"\0", b"\xff"):
            self.unit.write_flash((IMAGE / "firmware" / "flash.bin").read_bytes(), erased * 48)
            self.unit.start()
            self.no_kernel_after(self.unit, "no hardware key")
            self.assertNotIn("U-Boot 20", self.unit.text())


class Slots(Board):
    def sign_again(self, key_folder):
        """The same image, signed with the keys in this folder."""
        made = self.folder / "image.itb"
        subprocess.run(["mkimage", "-f", "image.its", "-k", str(key_folder), "-r", str(made)], cwd=IMAGE / "image",
                       check=True, capture_output=True)
        return made

    def other_keys(self):
        folder = self.folder / "keys"
        folder.mkdir()
        subprocess.run(["openssl", "req", "-batch", "-new", "-x509", "-newkey", "rsa:3072", "-nodes", "-subj",
                        "/CN=other", "-keyout", str(folder / "boot.key"), "-out", str(folder / "boot.crt")], check=True,
                       capture_output=True)
        return folder

    def spoil(self, partition):
        """One byte in the kernel of this slot's image."""
        where = disk.place(self.unit.disk, partition)
        kernel = (IMAGE / "image" / "kernel").read_bytes()[0x100000:0x100400]
        disk.flip(self.unit.disk, disk.find(self.unit.disk, kernel, where) + 100)

    def test_a_changed_image_gives_way_to_the_other_slot(self):
        self.spoil(disk.BOOT_A)
        self.unit.start()
        self.comes_up(self.unit, "b")
        self.assertEqual(self.unit.text().count("Bad hash"), 2)
        self.assertEqual(self.unit.text().count("Starting kernel"), 1)

    def test_two_changed_images_start_nothing(self):
        self.spoil(disk.BOOT_A)
        self.spoil(disk.BOOT_B)
        self.unit.start()
        while self.unit.said.count(b"Bad hash") < 4:  # both slots had their turn
            self.assertTrue(self.unit.listen(240), self.unit.text()[-1000:])
        self.no_kernel_after(self.unit, "'slot-b' configuration")

    def test_an_image_signed_by_another_key_starts_nothing(self):
        made = self.sign_again(self.other_keys())
        for partition in (disk.BOOT_A, disk.BOOT_B):
            disk.write_image(self.unit.disk, partition, made)
        self.unit.start()
        while self.unit.said.count(b"Failed to verify required signature") < 4:
            self.assertTrue(self.unit.listen(240), self.unit.text()[-1000:])
        self.no_kernel_after(self.unit, "'slot-b' configuration")

    def test_control_an_image_signed_again_by_our_key_starts(self):
        disk.write_image(self.unit.disk, disk.BOOT_A, self.sign_again(IMAGE / "public" / "boot"))
        self.unit.start()
        self.comes_up(self.unit, "a")

    def test_a_changed_root_gives_way_to_the_other_slot(self):
        disk.flip(self.unit.disk, disk.place(self.unit.disk, disk.ROOT_A) + 4)
        self.unit.start()
        self.comes_up(self.unit, "b")
        self.assertEqual(self.unit.text().count("Kernel panic - not syncing: dm-verity device corrupted"), 2)


class Environment(Board):
    def test_a_slot_is_taken_from_the_disk_and_nothing_else(self):
        hostile = dict.fromkeys(("bootcmd", "start_b", "start_slot", "altbootcmd", "preboot"), "echo TAKEN")
        disk.write_environment(self.unit.disk, slot="1", bootcount="0", bootdelay="20", stdin="serial", bootlimit="0",
                               bootargs="init=/bin/sh TAKEN", **hostile)
        self.unit.start()
        self.comes_up(self.unit, "b")
        self.assertNotIn("TAKEN", self.unit.text())

    def test_a_slot_is_no_command(self):
        disk.write_environment(self.unit.disk, slot="1; echo TAKEN", bootcount="0; echo TAKEN")
        self.unit.start()
        self.comes_up(self.unit, "a")
        self.assertIn('type check failure for "slot"', self.unit.text())
        self.assertNotRegex(self.unit.text(), "(?m)^TAKEN")


if __name__ == "__main__":
    unittest.main(verbosity=2)
