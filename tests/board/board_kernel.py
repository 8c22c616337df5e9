#!/usr/bin/python3
"""The kernel under the board's command line: locked, takes signed modules alone, takes each setting of sysctl.conf.

An initramfs of its own, signed like ours, asks the kernel from within and says what it answered.
"""
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path
from unittest import mock

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "scripts" / "board"), str(ROOT / "tests" / "board")]

import arguments  # noqa: E402
import keys  # noqa: E402
from signed_again import IMAGE, IMAGE_ALONE, sign  # noqa: E402
from unit import Unit  # noqa: E402

ASKS = r"""#!/bin/busybox sh
busybox mount -t devtmpfs dev /dev
exec >/dev/console 2>&1
busybox mount -t proc proc /proc
busybox mount -t sysfs sys /sys
busybox mount -t securityfs security /sys/kernel/security
say() { busybox printf 'asked: %s\n' "$*"; }
say "lockdown $(busybox cat /sys/kernel/security/lockdown)"
say "sysrq $(busybox cat /proc/sys/kernel/sysrq)"
while read -r module; do
    size=$(busybox stat -c %s "/modules/$module")
    busybox head -c $((size - 64)) "/modules/$module" >/unsigned.ko
    busybox insmod /unsigned.ko && say "unsigned module loaded" || say "unsigned module refused"
    busybox insmod "/modules/$module" && say "signed module loaded"
    break
done </modules/order
read_memory() { busybox dd if=/proc/kcore of=/dev/null bs=64 count=1 2>/dev/null; }
read_memory && say "kernel memory read" || say "kernel memory refused"
busybox sed -n 's/^-\{0,1\}\([a-z].*\) = \(.*\)/\1=\2/p' /sysctl.conf | while read -r setting; do
    busybox sysctl -q -w "$setting" || say "not taken $setting"
done
say "over"
while :; do busybox sleep 3600; done
"""


class Kernel(unittest.TestCase):
    def setUp(self):
        made = tempfile.TemporaryDirectory(prefix="mitral-kernel-")
        self.addCleanup(made.cleanup)
        self.folder = Path(made.name)
        tree = self.folder / "tree"
        shutil.copytree(IMAGE / "initramfs" / "tree", tree, symlinks=True)
        (tree / "init").write_text(ASKS)
        shutil.copy(ROOT / "board" / "common" / "sysctl.conf", tree / "sysctl.conf")
        (self.folder / "board" / "initramfs").mkdir(parents=True)
        pack = "find . -mindepth 1 | cpio -o -H newc -R 0:0 --quiet | zstd -q -1 -o ../board/initramfs/initramfs.zst"
        subprocess.run(pack, shell=True, cwd=tree, check=True)

    def answers(self):
        image = sign(keys.Directory(IMAGE / "keys"), self.folder / "board", "development", IMAGE_ALONE)
        unit = Unit(image, self.folder / "unit")
        self.addCleanup(unit.stop)
        unit.start()
        unit.wait_for("asked: over")
        return [line.removeprefix("asked: ") for line in unit.text().split("\n") if line.startswith("asked: ")]

    def test_it_is_locked(self):
        self.assertEqual(self.answers(), ["lockdown none integrity [confidentiality]", "sysrq 0",
                                          "unsigned module refused", "signed module loaded", "kernel memory refused",
                                          "over"])

    def test_control_without_these_words_it_is_open(self):
        with mock.patch.object(arguments, "HARDENED", ("panic=1", "quiet")):
            told = self.answers()
        self.assertEqual(told[0], "lockdown [none] integrity confidentiality")
        for answer in ("sysrq 438", "unsigned module loaded", "kernel memory read"):
            self.assertIn(answer, told)


if __name__ == "__main__":
    unittest.main()
