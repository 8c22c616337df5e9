#!/usr/bin/python3
"""Gates before production: an image made right passes, and each single fault is told by its gate."""
import hashlib
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path
from unittest import mock

from support.proves import main, proves

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts" / "board"))

import arguments  # noqa: E402
import gate_firmware  # noqa: E402
import gate_system  # noqa: E402
import gates  # noqa: E402
import keys  # noqa: E402
import known_keys  # noqa: E402

WEAK = "__attribute__((weak)) "
OWN_KEY = """long phys_to_virt(long, int, long);
__attribute__((noinline)) static int fuses(char* key) { return key[0] = *(char*)phys_to_virt(1, 2, 3); }
int tee_otp_get_hw_unique_key(char* key) { return fuses(key) + 1; }
"""
CONSTANT_KEY = """void* memcpy(void*, const void*, unsigned long);
int tee_otp_get_hw_unique_key(char* key) { memcpy(key, "sixteen of these", 16); return 0; }
"""
STUB = WEAK + "int tee_otp_get_hw_unique_key(char* key) { return key[0] = 0; }\n"
MOVES = WEAK + "long get_aslr_seed(void) { return 1; }\n"
NO_SEED = WEAK + "long plat_get_aslr_seed(void) { return 0; }\n"
COUNTER = "int nv_counter_get_ree_fs(int* value) { return *value = 1; }\n"
SEED = "long plat_get_aslr_seed(void) { return 1; }\n"


def run(*words, **more):
    subprocess.run([str(each) for each in words], check=True, capture_output=True, **more)


class Image:
    """What build.py leaves, as small as the gates take it."""

    def __init__(self, folder):
        self.folder = folder
        settings = {"CFG_EXTERNAL_DT": "y", **gate_firmware.SETTINGS}
        self.write("optee-core/build/conf.mk", "".join(f"{name}={value}\n" for name, value in settings.items()))
        self.core(OWN_KEY + MOVES + NO_SEED + COUNTER)
        self.write("optee/tee-pager_v2.bin", b"\0" * 5000)
        self.write("firmware/fip.bin", b"\1" * 5000)
        self.write("firmware/flash.bin", b"\1" * 5000)
        self.write("u-boot-key/u-boot.bin", b"\2" * 5000 + b"\0silent=1\0")
        self.control_tree('key-boot { required = "conf"; };')
        locked = "".join((ROOT / f"board/qemu/u-boot/{name}.config").read_text() for name in ("locked", "mute"))
        self.write("u-boot/locked.config", locked)
        self.write("u-boot/build/.config", locked)
        self.signed_image(arguments.command_line("production"))
        self.write("packages/kernel/boot/config-6.12", gate_system.KERNEL)
        self.write("root-fs/tree/etc/passwd", "root:x:0:0:root:/:/usr/sbin/nologin\n")
        self.write("root-fs/tree/etc/shadow", "root:!*:20000::::::\n")
        self.write("root-fs/tree/etc/sysctl.d/90-mitral.conf", "kernel.sysrq = 0\n")
        self.write("root-fs/tree/usr/lib/systemd/system/getty@.service", "")  # there, but nothing wants it
        init = "#!/bin/busybox sh\nbusybox sysctl -q -w kernel.modules_disabled=1 || exit\n"
        self.write("initramfs/tree/init", init)
        self.write("root-fs/tree/etc/nftables.conf", (ROOT / "board/common/firewall.nft").read_text())
        units = "root-fs/tree/usr/lib/systemd/system"
        for name, source in {"systemd-networkd.service.d/board.conf": "units/networkd.conf",
                             "board-station.service": "units/board-station.service",
                             "board-station.service.d/production.conf": "production/station.conf"}.items():
            self.write(f"{units}/{name}", (ROOT / "board/common" / source).read_text())
        for name in ("board-station-link", "board-unprovisioned", "board-confirm"):
            self.write(f"root-fs/tree/usr/sbin/{name}", "")

    def write(self, name, content):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, str):
            content = content.encode()
        path.write_bytes(content)
        return path

    def change(self, name, old, new):
        text = (self.folder / name).read_text()
        assert old in text
        self.write(name, text.replace(old, new))

    def link(self, name, to):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.symlink_to(to)

    def core(self, source):
        elf = self.folder / "optee-core/build/core/tee.elf"
        elf.parent.mkdir(parents=True, exist_ok=True)
        run("gcc", "-x", "c", "-nostdlib", "-O1", "-shared", "-fPIC", "-o", elf, "-", input=source.encode())

    def tree(self, name, text):
        path = self.write(name, b"")
        run("dtc", "-q", "-I", "dts", "-O", "dtb", "-o", path, "-", input=text.encode(), cwd=path.parent)

    def control_tree(self, key):
        self.tree("u-boot-key/control.dtb", "/dts-v1/; / { signature { %s }; };" % key)

    def signed_image(self, line):
        slots = ("a", "b")
        for slot in slots:
            told = f"{line} mitral.slot={slot}"
            self.tree(f"image/slot-{slot}.dtb", '/dts-v1/; / { chosen { bootargs = "%s"; }; };' % told)
        trees = "".join('slot-%s { data = /incbin/("slot-%s.dtb"); };' % (each, each) for each in slots)
        each_way = "".join('slot-%s { fdt = "slot-%s"; };' % (each, each) for each in slots)
        self.tree("image/image.itb", "/dts-v1/; / { images { %s }; configurations { %s }; };" % (trees, each_way))


class Gates(unittest.TestCase):
    def setUp(self):
        outer = tempfile.TemporaryDirectory(prefix="mitral-gates-")
        self.addCleanup(outer.cleanup)
        self.image = Image(Path(outer.name) / "board-production")

    def program(self):
        return subprocess.run([sys.executable, gates.__file__, str(self.image.folder)], capture_output=True, text=True,
                              check=False)

    def only(self, *faults):
        self.assertEqual(gates.faults(self.image.folder), list(faults))

    def test_control_an_image_made_right_passes(self):
        self.only()
        done = self.program()
        self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_the_program_tells_and_fails(self):
        self.image.core(STUB + MOVES + COUNTER)
        done = self.program()
        self.assertEqual(done.returncode, 1)
        self.assertEqual(done.stderr, "gate: hardware key: it is OP-TEE's stub, all zeros on every unit\n")

    def test_what_is_missing_is_a_fault_of_each_gate(self):
        with tempfile.TemporaryDirectory() as empty:
            told = {each.partition(":")[0] for each in gates.faults(Path(empty))}
        self.assertEqual(told, {gate.__name__.replace("_", " ") for gate in gates.FIRMWARE + gates.SYSTEM})

    @proves("R51")
    def test_the_hardware_key_of_all_zeros(self):
        self.image.core(STUB + MOVES + COUNTER)
        self.only("hardware key: it is OP-TEE's stub, all zeros on every unit")
        self.image.core(MOVES + COUNTER)
        self.only("hardware key: OP-TEE has no function for it")

    @proves("R51")
    def test_the_same_hardware_key_on_every_unit(self):
        self.image.core(CONSTANT_KEY + MOVES + COUNTER)
        self.only("hardware key: it is a constant: nothing of the unit is read")

    def test_storage_that_nothing_counts(self):
        self.image.core(OWN_KEY + MOVES + WEAK + COUNTER)
        self.only("storage counter: nothing says that OP-TEE's storage is not an older one")

    def test_settings_of_optee(self):
        for name, good in gate_firmware.SETTINGS.items():
            bad = "n" if good == "y" else "y"
            self.image.change("optee-core/build/conf.mk", f"{name}={good}", f"{name}={bad}")
            self.only(f"settings: {name} is {bad}, asked for {good}")
            self.image.change("optee-core/build/conf.mk", f"{name}={bad}", f"{name}={good}")

    def test_a_core_that_does_not_move(self):
        self.image.core(OWN_KEY + COUNTER)
        self.only("address randomisation: OP-TEE's core does not move")

    def test_a_core_that_always_moves_to_the_same_place(self):
        conf = "optee-core/build/conf.mk"
        self.image.change(conf, "CFG_EXTERNAL_DT=y\n", "CFG_EXTERNAL_DT=y\nCFG_CORE_ASLR_SEED=0x1000\n")
        self.only("address randomisation: the seed is a constant")
        self.image.change(conf, "CFG_EXTERNAL_DT=y\nCFG_CORE_ASLR_SEED=0x1000\n", "CFG_EXTERNAL_DT=n\n")
        self.only("address randomisation: nobody gives a seed")
        self.image.core(OWN_KEY + MOVES + SEED + COUNTER)
        self.only()

    @proves("R51")
    def test_the_test_key_of_replay_protected_memory(self):
        self.image.write("optee/tee-pager_v2.bin", b"\0" * 77 + gate_firmware.RPMB_TEST_KEY + b"\0")
        self.only("rpmb key: the test key is in optee/tee-pager_v2.bin")

    @proves("R51")
    def test_published_keys_in_any_blob_and_form(self):
        published = {key.name: key for key in known_keys.published()}
        applications = published["optee-os-source:keys/default_ta.pem"]
        firmware = published["arm-trusted-firmware-source:plat/arm/board/common/rotpk/arm_rotprivk_rsa.pem"]
        self.image.write("optee/tee-pager_v2.bin", b"\0" * 77 + applications.traces[0] + b"\0")
        self.image.write("firmware/flash.bin", b"\0" * 77 + firmware.traces[1] + b"\0")
        self.only(f"known key: optee/tee-pager_v2.bin trusts {applications.name}",
                  f"known key: firmware/flash.bin trusts {firmware.name}")

    @proves("R51")
    def test_development_keys_of_this_build_and_of_one_beside_it(self):
        for place in (self.image.folder, self.image.folder.parent / "board"):
            with self.subTest(place=place.name):
                keys.make_development(place / "keys")
                public = place / "public"
                keys.export(keys.Directory(place / "keys"), public)
                der = subprocess.run(["openssl", "pkey", "-pubin", "-in", str(public / "boot.pem"), "-outform", "DER"],
                                     capture_output=True, check=True).stdout
                self.image.write("u-boot-key/u-boot.bin", b"\2" * 99 + der + b"\0silent=1\0")
                self.only("known key: u-boot-key/u-boot.bin trusts development key boot")
                (place / "keys" / keys.DEVELOPMENT).unlink()
                self.only()

    def test_a_boot_loader_that_was_not_locked(self):
        self.image.change("u-boot/build/.config", "CONFIG_BOOTDELAY=-2", "CONFIG_BOOTDELAY=2")
        self.only("boot loader: CONFIG_BOOTDELAY: CONFIG_BOOTDELAY=2, asked for CONFIG_BOOTDELAY=-2")

    def test_a_boot_loader_that_asks_for_no_signature(self):
        for key in ('key-boot { };', 'key-boot { required = "image"; };', ""):
            self.image.control_tree(key)
            self.only("boot loader: U-Boot does not ask for the signature of a configuration")

    def test_the_command_line(self):
        right = arguments.command_line("production")
        for change, told in (((" module.sig_enforce=1", ""), "module.sig_enforce=1 is missing"),
                             ((" lockdown=confidentiality", ""), "lockdown=confidentiality is missing"),
                             (("quiet", "quiet init=/bin/sh"), "init=/bin/sh must not be there"),
                             (("quiet", "quiet nokaslr"), "nokaslr must not be there"),
                             (("quiet", "quiet console=ttyAMA0"), "console=ttyAMA0 opens a console"),
                             (("quiet", "quiet init_on_free=0"), "init_on_free is said twice"),
                             (("quiet", "quiet sysrq_always_enabled"), "sysrq_always_enabled must not be there")):
            self.image.signed_image(right.replace(*change))
            found = gates.faults(self.image.folder)
            for slot in ("slot-a", "slot-b"):
                self.assertIn(f"command line: {slot}: {told}", found)
        self.image.signed_image(arguments.command_line("development"))
        self.assertIn("command line: slot-a: console=ttyAMA0 opens a console", gates.faults(self.image.folder))

    def test_a_kernel_that_cannot_do_what_it_is_asked(self):
        self.image.change("packages/kernel/boot/config-6.12", "CONFIG_MODULE_SIG=y", "# CONFIG_MODULE_SIG is not set")
        self.only("kernel settings: CONFIG_MODULE_SIG: # CONFIG_MODULE_SIG is not set, asked for CONFIG_MODULE_SIG=y")

    def test_a_login_or_a_shell(self):
        system = "root-fs/tree/etc/systemd/system"
        vendor = "root-fs/tree/usr/lib/systemd/system"
        self.image.link(f"{system}/getty.target.wants/serial-getty@ttyAMA0.service", "serial-getty@.service")
        self.only("root file system: serial-getty@ttyAMA0.service starts")
        self.image.link(f"{system}/serial-getty@ttyAMA0.service", "/dev/null")
        self.only()
        self.image.link(f"{vendor}/multi-user.target.wants/debug-shell.service", "../debug-shell.service")
        self.only("root file system: debug-shell.service starts")
        self.image.link(f"{system}/multi-user.target", "/dev/null")
        self.only()
        self.image.write("root-fs/tree/etc/passwd", "root:x:0:0:root:/:/bin/sh\n")
        self.image.write("root-fs/tree/etc/shadow", "root::20000::::::\n")
        self.only("root file system: root has the shell /bin/sh",
                  "root file system: root has a password, or an empty one")

    def test_programs_for_trials_and_rights_of_an_owner(self):
        self.image.write("root-fs/tree/usr/sbin/mitral-board-trial", "")
        self.only("programs: /usr/sbin/mitral-board-trial is none of a unit in the field")
        os.unlink(self.image.folder / "root-fs/tree/usr/sbin/mitral-board-trial")
        self.image.write("root-fs/tree/usr/bin/mount", "").chmod(0o4755)
        self.only("root file system: /usr/bin/mount runs with its owner's rights")

    def test_a_program_that_lets_somebody_in(self):
        for name in ("usr/sbin/agetty", "usr/bin/su", "usr/sbin/sshd", "usr/bin/gdb", "usr/local/bin/sh"):
            path = self.image.write(f"root-fs/tree/{name}", "")
            self.only(f"programs: /{name} is none of a unit in the field")
            path.unlink()

    def test_a_part_that_talks(self):
        self.image.write("firmware/flash.bin", b"\1" * 77 + b"Booting Trusted Firmware\n")
        self.only("mute: Trusted Firmware talks")
        self.image.write("firmware/flash.bin", b"\1" * 77)
        self.image.write("u-boot-key/u-boot.bin", b"\2" * 77)
        self.only("mute: U-Boot's environment does not say silent")
        self.image.write("u-boot-key/u-boot.bin", b"\0silent=1\0")
        self.image.change("u-boot/build/.config", "# CONFIG_DEBUG_UART is not set", "CONFIG_DEBUG_UART=y")
        self.assertIn("mute: CONFIG_DEBUG_UART: CONFIG_DEBUG_UART=y, asked for # CONFIG_DEBUG_UART is not set",
                      gates.faults(self.image.folder))

    def test_a_unit_on_the_console(self):
        unit = "root-fs/tree/usr/lib/systemd/system/board-report.service"
        self.image.write(unit, "[Service]\nStandardOutput=tty\n")
        self.only("console: system/board-report.service opens a terminal")
        self.image.link("root-fs/tree/etc/systemd/system/board-report.service", "/dev/null")
        self.only()
        self.image.write("root-fs/tree/usr/lib/systemd/journald.conf.d/x.conf", "[Journal]\nForwardToConsole=yes\n")
        self.only("console: x.conf sends the journal there")
        (self.image.folder / "root-fs/tree/usr/lib/systemd/journald.conf.d/x.conf").unlink()
        self.image.write("root-fs/tree/usr/lib/systemd/system-generators/systemd-getty-generator", "")
        self.only("console: systemd-getty-generator may make units")

    def test_a_station_that_is_always_served(self):
        asks = "root-fs/tree/usr/lib/systemd/system/board-station.service.d/production.conf"
        text = (self.image.folder / asks).read_text()
        for change in ("[Service]\n", text.replace("ExecCondition=", "#ExecCondition="),
                       text.replace(".sock /usr/sbin/board-unprovisioned", ".sock")):
            self.image.write(asks, change)
            self.only("station: a unit with an identity serves a station, too")
        self.image.write(asks, text)
        served = "ExecStart=/usr/sbin/board-station-link a b\n"
        self.image.write("root-fs/tree/usr/lib/systemd/system/other.service", served)
        self.only("station: system/other.service serves a station, too")

    @proves("T-WAY-02")
    def test_a_network_without_its_rules(self):
        rules = "root-fs/tree/etc/nftables.conf"
        for old, new, told in (
                ("hook output priority filter; policy drop;", "hook output priority filter; policy accept;",
                 "nothing is dropped at output"),
                ("hook forward priority filter; policy drop;", "hook forward priority filter; policy drop; accept",
                 "something passes between networks"),
                ("meta skuid mitral-uplink ", "", "any user may use: oifname wan ct state new tcp dport 8883 accept")):
            text = (self.image.folder / rules).read_text()
            self.image.change(rules, old, new)
            self.only(f"network: {told}")
            self.image.write(rules, text)
        self.image.write("root-fs/tree/usr/lib/systemd/system/systemd-networkd.service.d/board.conf", "[Unit]\n")
        self.only("network: a network comes up without them")

    def test_a_kernel_that_goes_on_taking_modules(self):
        self.image.write("initramfs/tree/init", "#!/bin/busybox sh\n# busybox sysctl -q -w kernel.modules_disabled=1\n")
        self.only("kernel modules: the kernel goes on taking modules")

    def test_sysrq_left_as_debian_has_it(self):
        self.image.write("root-fs/tree/etc/sysctl.d/90-mitral.conf", "# kernel.sysrq = 0\nkernel.sysrq = 438\n")
        self.only("root file system: no file of sysctl sets kernel.sysrq=0")

    @proves("R51")
    def test_a_private_key_in_a_file(self):
        body = "A" * 64
        for tree, told in (("root-fs", "/etc/ssl/a in root-fs"), ("initramfs", "/etc/ssl/a in initramfs")):
            path = self.image.write(f"{tree}/tree/etc/ssl/a", f"-----BEGIN EC PRIVATE " + f"KEY-----\n{body}\n")
            self.only(f"private key: {told}")
            path.unlink()

    def test_a_private_key_that_a_library_tests_itself_with(self):
        text = f"-----BEGIN EC PRIVATE " + f"KEY-----\n{'A' * 64}\n-----END EC PRIVATE " + "KEY-----"
        known = self.image.folder.parent / "self-test-keys"
        known.write_text(f"# comment\nlibrary {hashlib.sha256(text.encode()).hexdigest()}\n")
        with mock.patch.object(gate_system, "SELF_TEST_KEYS", known):
            self.image.write("root-fs/tree/usr/lib/library.so", f"\0{text}\0")
            self.only()
            self.image.write("root-fs/tree/usr/lib/library.so", f"\0{text}\0{text.replace('AAA', 'BBB', 1)}\0")
            self.only("private key: /usr/lib/library.so in root-fs")


if __name__ == "__main__":
    main()
