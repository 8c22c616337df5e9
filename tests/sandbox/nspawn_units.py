#!/usr/bin/python3
"""Boots a small Debian in systemd-nspawn with Mitral installed, and looks from inside each unit at what it may do.

First every daemon is replaced by a probe that tries what its unit must not do; a plain unit running the same probe
as root is the control. Then the real daemons start in their units.
"""
import functools
import json
import os
import pathlib
import subprocess
import sys
import unittest

import nspawn_machine
from support.proves import main, proves

PROBE = pathlib.Path(sys.argv.pop(1))
BINARY = pathlib.Path(os.environ["MITRAL_BINARY_DIR"])
WORK = BINARY / "nspawn"
ROOMS = {  # unit: (program, where its report lies)
    "mitral-vault": "/var/lib/mitral/vault",
    "mitral-intake-lines": "/var/lib/mitral/spool/lines",
    "mitral-enrol": "/var/lib/mitral/enrol",
    "mitral-uplink": "/var/lib/mitral/uplink",
}
ALLOWED = {"write-own-state", "open-local-socket"}
ALLOWED_ONLINE = ALLOWED | {"open-internet-socket"}
# The container itself forbids these, or the control's user has no need of them.
NOT_IN_CONTROL = {"change-kernel-setting", "open-packet-socket"}

CONTROL_UNIT = """[Unit]
Description=The probe without a cage
[Service]
Type=notify
ExecStart=/usr/local/bin/probe
StateDirectory=probe
"""
DRIVER_UNIT = """[Unit]
Description=Waits for the units, writes down how they are, powers off
After=multi-user.target
[Service]
Type=oneshot
ExecStart=/bin/sh /opt/driver.sh
TimeoutStartSec=90
[Install]
WantedBy=default.target
"""
DRIVER = """
for unit in UNITS; do
    systemctl start $unit.service >/opt/$unit.start 2>&1
    systemctl show --property=ActiveState,SubState,Result,ExecMainStatus $unit.service >/opt/$unit.state
    journalctl --no-pager --output=cat --unit=$unit.service >/opt/$unit.log 2>&1
done
EXTRA
systemctl --no-block poweroff
"""


@functools.cache
def image():
    """One for all boots: Debian with the libraries of every program we put in."""
    programs = [path for path in (BINARY / "bin").iterdir() if path.is_file()]
    return nspawn_machine.base_image(WORK, nspawn_machine.packages_of([PROBE, *programs]))


def plain_machine_boots():
    """Tells a machine that cannot boot a container at all (skip) from units that break the boot (failure)."""
    machine = nspawn_machine.Machine(WORK / "plain", image())
    machine.write("/etc/systemd/system/driver.service", DRIVER_UNIT)
    machine.run_tool("systemctl", "enable", "--quiet", "driver.service")
    boot(machine, ["systemd-journald"])


def installed_machine(name):
    machine = nspawn_machine.Machine(WORK / name, image())
    subprocess.run(["cmake", "--install", BINARY], check=True, capture_output=True,
                   env={**os.environ, "DESTDIR": str(machine.root)})
    machine.run_tool("systemd-sysusers")
    machine.write("/etc/systemd/system/driver.service", DRIVER_UNIT)
    machine.run_tool("systemctl", "enable", "--quiet", "driver.service")
    return machine


def boot(machine, units, extra=""):
    machine.write("/opt/driver.sh", DRIVER.replace("UNITS", " ".join(units)).replace("EXTRA", extra))
    finished, output = machine.boot()
    if not machine.exists(f"/opt/{units[-1]}.state"):
        raise nspawn_machine.CannotBoot("systemd did not come up in the container: " + output.strip()[-300:])
    return finished


class Probed(unittest.TestCase):
    """Every unit with the probe in place of its daemon."""

    @classmethod
    def setUpClass(cls):
        cls.machine = installed_machine("probed")
        binaries = find_binaries(cls.machine)
        for unit in ROOMS:
            cls.machine.copy(PROBE, f"{binaries}/{unit}")
        cls.machine.copy(PROBE, "/usr/local/bin/probe")
        cls.machine.write("/etc/systemd/system/control.service", CONTROL_UNIT)
        # Targets whose file modes would let everyone in: only the unit can refuse.
        cls.machine.write("/home/planted", "x")
        cls.machine.write("/var/lib/mitral/vault/planted-secret", "x")
        for directory in ("/etc/mitral", "/usr/local/bin", "/var/lib/mitral/foreign"):
            (cls.machine.root / directory.lstrip("/")).mkdir(parents=True, exist_ok=True)
            (cls.machine.root / directory.lstrip("/")).chmod(0o777)
        boot(cls.machine, [*ROOMS, "control"])

    def report(self, unit, directory):
        state = self.machine.read(f"/opt/{unit}.state")
        self.assertIn("ActiveState=active", state, self.machine.read(f"/opt/{unit}.log"))
        report = json.loads(self.machine.read(f"{directory}/probe-report.json"))
        return {name for name, answer in report.items() if answer == "succeeded"}

    @proves("T-SW-06", "CR 2.1", "R63", "R64", "R65", "PS-05")
    def test_offline_rooms_can_do_nothing_else(self):
        self.assertEqual(self.report("mitral-intake-lines", ROOMS["mitral-intake-lines"]), ALLOWED)
        # The vault may read its own state.
        self.assertEqual(self.report("mitral-vault", ROOMS["mitral-vault"]), ALLOWED | {"read-vault-state"})

    @proves("T-SW-06", "T-WAY-02", "CR 2.1", "R64", "R78")
    def test_online_rooms_can_do_nothing_else(self):
        for unit in ("mitral-uplink", "mitral-enrol"):
            with self.subTest(unit=unit):
                self.assertEqual(self.report(unit, ROOMS[unit]), ALLOWED_ONLINE)

    @proves("T-SW-06")
    def test_control_without_a_cage_everything_succeeds(self):
        report = json.loads(self.machine.read("/var/lib/probe/probe-report.json"))
        refused = {name: answer for name, answer in report.items() if answer != "succeeded"}
        self.assertEqual(set(refused) - NOT_IN_CONTROL, set(), refused)


def find_binaries(machine):
    unit = next(machine.root.glob("usr/**/systemd/system/mitral-vault.service")).read_text()
    return str(pathlib.Path(unit.split("ExecStart=")[1].split()[0]).parent)


class Real(unittest.TestCase):
    """The daemons themselves, in their units, with the development key store."""

    @classmethod
    def setUpClass(cls):
        cls.machine = installed_machine("real")
        config = cls.machine.read("/etc/mitral/mitral.toml")
        cls.machine.write("/etc/mitral/mitral.toml", config.replace('backend = "tpm"', 'backend = "software"'))
        cls.machine.write("/etc/mitral/station.pub", "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n")  # RFC 8032
        boot(cls.machine, ["mitral-vault", "mitral-intake-lines"],
             "ls -lnR /run/mitral /var/lib/mitral >/opt/files; "
             "grep -h . /proc/$(systemctl show --property=MainPID --value mitral-vault)/status >/opt/vault.status")

    @proves("T-SW-06", "R35", "R63")
    def test_vault_and_intake_run(self):
        for unit in ("mitral-vault", "mitral-intake-lines"):
            with self.subTest(unit=unit):
                self.assertIn("ActiveState=active", self.machine.read(f"/opt/{unit}.state"),
                              self.machine.read(f"/opt/{unit}.log"))

    @proves("T-SW-06", "CR 2.1", "R64")
    def test_the_vault_has_no_privilege_left(self):
        status = dict(line.split(":\t", 1) for line in self.machine.read("/opt/vault.status").splitlines() if ":\t" in line)
        self.assertNotIn("0", status["Uid"].split())
        self.assertEqual(int(status["CapBnd"], 16), 0)
        self.assertEqual(int(status["CapEff"], 16), 0)
        self.assertEqual(status["NoNewPrivs"], "1")
        self.assertEqual(status["Seccomp"], "2")


if __name__ == "__main__":
    try:
        nspawn_machine.require()
        plain_machine_boots()
    except nspawn_machine.CannotBoot as reason:
        print(f"skipped: {reason}")
        sys.exit(77)
    main()
