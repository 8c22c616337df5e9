#!/usr/bin/python3
"""Boots a small Debian in systemd-nspawn with Mitral installed, and looks from inside each unit at what it may do.

First every daemon is replaced by a probe that tries what its unit must not do; a plain unit running the same probe
as root is the control. Then the real daemons start in their units.
"""
import base64
import functools
import json
import os
import pathlib
import re
import subprocess
import sys
import unittest

sys.path.insert(1, str(pathlib.Path(os.environ["MITRAL_SOURCE_DIR"], "scripts", "demo")))
import nspawn_machine
import station
from support.proves import main, proves

PROBE = pathlib.Path(sys.argv.pop(1))
BINARY = pathlib.Path(os.environ["MITRAL_BINARY_DIR"])
WORK = BINARY / "nspawn"
ROOMS = {  # unit: (program, where its report lies)
    "mitral-vault": "/var/lib/mitral/vault",
    "mitral-intake-lines": "/var/lib/mitral/spool/lines",
    "mitral-intake-hl7": "/var/lib/mitral/spool/hl7",
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
# The uplink asks for a new assignment, twice, and is restarted: who registers, and who does not?
ENROL_AGAIN = """
started() { systemctl show --property=ExecMainStartTimestampMonotonic --value $1; }
started mitral-enrol >/opt/enrol.before
mv /var/lib/mitral/enrol/probe-report.json /opt/enrol.report
systemctl start mitral-enrol.path
for round in first second; do
    before=$(started mitral-enrol-again)
    echo $round >/var/lib/mitral/uplink/new
    mv /var/lib/mitral/uplink/new /var/lib/mitral/uplink/reassign
    for try in $(seq 100); do
        [ "$(started mitral-enrol-again)" != "$before" ] && ! systemctl --quiet is-active mitral-enrol-again &&
            [ "$(systemctl is-active mitral-enrol-again)" != activating ] && break
        sleep 0.1
    done
    systemctl show --property=ActiveState,Result,ExecMainStatus mitral-enrol-again >/opt/again.$round
    started mitral-enrol-again >/opt/again.$round.started
done
mv /var/lib/mitral/enrol/probe-report.json /opt/again.report
mv /opt/enrol.report /var/lib/mitral/enrol/probe-report.json
systemctl restart mitral-uplink
started mitral-enrol >/opt/enrol.after
"""
# A provisioned unit whose DPS and hub cannot be reached: nobody listens on the ports of its only interface.
OFFLINE = """
proc_of() { grep -h . /proc/$(systemctl show --property=MainPID --value $1)/status; }
note() { systemctl show --property=ActiveState,SubState,Result,ExecMainCode,ExecMainStatus,NRestarts $1 >/opt/$1.state
         journalctl --no-pager --output=cat --unit=$1.service >/opt/$1.log 2>&1; }
proc_of mitral-vault >/opt/vault.status
BINARIES/mitral provision --config /etc/mitral/mitral.toml --station-key /opt/station.key --id-scope 0ne00000001 \
    --group-key-file /opt/group.key --registration-id unit-1 --dps-host localhost:9 --hub localhost:8883 \
    >/opt/provision.log 2>&1 || exit 1
systemctl start mitral-enrol >/opt/mitral-enrol.start 2>&1
note mitral-enrol
echo '{"hub":"localhost:8883","device_id":"unit-1","dps":"localhost:9","assigned_at":"2026-01-01T00:00:00Z"}' \
    >/var/lib/mitral/enrol/assignment.json
systemctl start mitral-uplink >/opt/mitral-uplink.start 2>&1
for try in $(seq 150); do
    grep -q '"consecutive_failures": *[2-9]' /run/mitral/uplink/uplink.json && break
    sleep 0.1
done
cp /run/mitral/uplink/uplink.json /opt/uplink.json
proc_of mitral-uplink >/opt/uplink.status
for unit in mitral-uplink mitral-vault mitral-intake-lines mitral-intake-hl7; do note $unit; done
journalctl --no-pager --output=cat >/opt/everything.log
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
        boot(cls.machine, [*ROOMS, "control"], ENROL_AGAIN)

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
        for unit in ("mitral-uplink", "mitral-enrol", "mitral-intake-hl7"):
            with self.subTest(unit=unit):
                self.assertEqual(self.report(unit, ROOMS[unit]), ALLOWED_ONLINE)

    @proves("T-SW-06", "CR 2.1", "R64")
    def test_enrol_runs_again_when_the_uplink_asks(self):
        moments = [self.machine.read(f"/opt/again.{each}.started").strip() for each in ("first", "second")]
        self.assertNotIn("0", moments)
        self.assertNotEqual(*moments)
        for each in ("first", "second"):
            self.assertEqual(set(self.machine.read(f"/opt/again.{each}").split()),
                             {"ActiveState=inactive", "Result=success", "ExecMainStatus=0"})
        report = json.loads(self.machine.read("/opt/again.report"))
        self.assertEqual({name for name, answer in report.items() if answer == "succeeded"}, ALLOWED_ONLINE)

    def test_a_restarted_uplink_does_not_enrol(self):
        self.assertNotEqual(self.machine.read("/opt/enrol.before").strip(), "0")
        self.assertEqual(self.machine.read("/opt/enrol.before"), self.machine.read("/opt/enrol.after"))

    @proves("T-SW-06")
    def test_control_without_a_cage_everything_succeeds(self):
        report = json.loads(self.machine.read("/var/lib/probe/probe-report.json"))
        refused = {name: answer for name, answer in report.items() if answer != "succeeded"}
        self.assertEqual(set(refused) - NOT_IN_CONTROL, set(), refused)


def find_binaries(machine):
    unit = next(machine.root.glob("usr/**/systemd/system/mitral-vault.service")).read_text()
    return str(pathlib.Path(unit.split("ExecStart=")[1].split()[0]).parent)


class Real(unittest.TestCase):
    """The daemons themselves, in their units, with the development key store and nobody to talk to."""

    @classmethod
    def setUpClass(cls):
        cls.machine = installed_machine("real")
        config = cls.machine.read("/etc/mitral/mitral.toml")
        for old, new in (('backend = "tpm"', 'backend = "software"'),
                         ('dps = "global.azure-devices-provisioning.net:443"',
                          'dps = "localhost:9"\ngive_up_after_s = 2')):
            assert old in config, old
            config = config.replace(old, new)
        # The example for monitors as it is shipped.
        config, taken = re.subn(r"(?<=\n)# \[intake-hl7\]\n(?:#.*\n)+",
                                lambda block: re.sub(r"(?m)^# ?", "", block[0]), config)
        assert taken == 1
        cls.machine.write("/etc/mitral/mitral.toml", config)
        station.make_station_key(cls.machine.root / "opt/station.key", cls.machine.root / "etc/mitral/station.pub")
        station.write_group_key(cls.machine.root / "opt/group.key", base64.b64encode(os.urandom(32)).decode())
        boot(cls.machine, ["mitral-vault", "mitral-intake-lines", "mitral-intake-hl7"],
             OFFLINE.replace("BINARIES", find_binaries(cls.machine)))

    def state(self, unit):
        return dict(line.split("=", 1) for line in self.machine.read(f"/opt/{unit}.state").splitlines())

    def log(self, unit):
        return self.machine.read(f"/opt/{unit}.log")

    @proves("T-SW-06", "R35", "R63")
    def test_the_daemons_run_and_are_not_restarted(self):
        for unit in ("mitral-vault", "mitral-intake-lines", "mitral-intake-hl7", "mitral-uplink"):
            with self.subTest(unit=unit):
                state = self.state(unit)
                self.assertEqual((state["ActiveState"], state["SubState"]), ("active", "running"), self.log(unit))
                self.assertEqual(state["NRestarts"], "0", self.log(unit))

    @proves("T-SW-06", "R63")
    def test_the_uplink_stays_and_tries_again_without_a_hub(self):
        status = json.loads(self.machine.read("/opt/uplink.json"))
        self.assertFalse(status["connected"])
        self.assertGreaterEqual(status["consecutive_failures"], 2)
        self.assertIn("not-connected", self.log("mitral-uplink"))

    @proves("T-SW-06", "R63")
    def test_enrol_gives_up_in_time_and_is_tried_again(self):
        state = self.state("mitral-enrol")
        self.assertEqual(state["ExecMainStatus"], "75", self.log("mitral-enrol"))
        self.assertEqual(state["Result"], "exit-code")
        self.assertEqual(state["SubState"], "auto-restart")

    @proves("T-SW-06", "R64")
    def test_no_filter_ended_a_program(self):
        self.assertIn("Mitral uplink", self.machine.read("/opt/everything.log"))
        for unit in ("mitral-vault", "mitral-intake-lines", "mitral-intake-hl7", "mitral-enrol", "mitral-uplink"):
            self.assertNotRegex(self.log(unit), r"status=31|SIGSYS|code=(?:killed|dumped)")
        self.assertNotRegex(self.machine.read("/opt/everything.log"), r"mitral-\S+: .*code=(?:killed|dumped)")

    @proves("T-SW-06", "CR 2.1", "R64")
    def test_no_privilege_is_left(self):
        for name in ("vault", "uplink"):
            with self.subTest(name):
                lines = self.machine.read(f"/opt/{name}.status").splitlines()
                status = dict(line.split(":\t", 1) for line in lines if ":\t" in line)
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
