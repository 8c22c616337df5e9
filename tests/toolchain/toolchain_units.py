#!/usr/bin/python3
"""systemd's own judgement of every unit, and what its score does not see."""
import ipaddress
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

from support.proves import main, proves

UNITS = pathlib.Path(os.environ["MITRAL_BINARY_DIR"], "systemd")
SOURCES = pathlib.Path(os.environ["MITRAL_SOURCE_DIR"], "src")
WORST_EXPOSURE = 20  # tenths
TWINS = {"mitral-enrol-again.service": "mitral-enrol.service"}  # units made of another's text

if shutil.which("systemd-analyze") is None:
    print("skipped: systemd-analyze is not installed (package systemd)")
    sys.exit(77)


class Unit:
    """A unit's [Service] section; a key that stands several times keeps all its values."""

    def __init__(self, path):
        self.name = path.name
        self.values = {}
        section = ""
        for line in path.read_text().splitlines():
            if line.startswith("["):
                section = line
            elif section == "[Service]" and "=" in line and not line.startswith("#"):
                key, _, value = line.partition("=")
                self.values.setdefault(key, []).append(value)

    def get(self, key):
        return self.values.get(key, [""])[-1]


def exposure_is_acceptable(path):
    return subprocess.run(["systemd-analyze", "security", "--offline=true", f"--threshold={WORST_EXPOSURE}", path],
                          capture_output=True, check=False).returncode == 0


def public_networks(allowed):
    """Which of these words of IPAddressAllow= reach beyond private networks."""
    def is_private(word):
        by_name = word in ("localhost", "link-local")
        return by_name or (word[0] in "0123456789f" and ipaddress.ip_network(word).is_private)
    return [word for word in allowed.split() if not is_private(word)]


class Units(unittest.TestCase):
    def setUp(self):
        self.paths = sorted(UNITS.glob("*.service"))
        self.units = {path.name: Unit(path) for path in self.paths}

    def test_every_daemon_has_a_unit(self):
        templates = {path.name.removesuffix(".in") for path in SOURCES.rglob("*.service.in")}
        self.assertGreaterEqual(templates, {f"mitral-{name}.service" for name in
                                            ("vault", "intake-lines", "intake-hl7", "enrol", "timed", "uplink")})
        self.assertEqual(set(self.units), templates | set(TWINS))

    @proves("T-SW-06", "R63", "R64", "R79")
    def test_exposure(self):
        for path in self.paths:
            with self.subTest(unit=path.name):
                self.assertTrue(exposure_is_acceptable(path))

    @proves("R63")
    def test_control_a_plain_unit_is_too_exposed(self):
        with tempfile.TemporaryDirectory() as directory:
            plain = pathlib.Path(directory, "plain.service")
            plain.write_text("[Service]\nExecStart=/bin/true\nUser=nobody\n")
            self.assertFalse(exposure_is_acceptable(plain))

    @proves("CR 2.1", "R35", "PS-05")
    def test_every_unit_has_a_user_of_its_own(self):
        users = [unit.get("User") for unit in self.units.values() if unit.name not in TWINS]
        self.assertEqual(len(users), len(set(users)))
        self.assertNotIn("", users)
        self.assertNotIn("root", users)
        known = (SOURCES / "base" / "mitral.sysusers").read_text()
        for user in users:
            self.assertIn(f"u {user} ", known)

    @proves("T-SW-06", "R64")
    def test_a_twin_has_the_same_cage(self):
        for twin, model in TWINS.items():
            differing = {key for key in self.units[model].values | self.units[twin].values
                         if self.units[model].values.get(key) != self.units[twin].values.get(key)}
            self.assertEqual(differing, {"RemainAfterExit"})

    def test_a_restarted_uplink_does_not_register_again(self):
        """It wants mitral-enrol.service: that must stay active, and what the path unit starts must not."""
        self.assertEqual(self.units["mitral-enrol.service"].get("RemainAfterExit"), "yes")
        self.assertEqual(self.units["mitral-enrol-again.service"].get("RemainAfterExit"), "no")
        self.assertIn("Unit=mitral-enrol-again.service", (UNITS / "mitral-enrol.path").read_text())
        self.assertNotIn("again", (UNITS / "mitral-uplink.service").read_text())

    @proves("R36", "R55", "R64")
    def test_what_every_unit_has(self):
        for unit in self.units.values():
            with self.subTest(unit=unit.name):
                for key, value in (("NoNewPrivileges", "yes"), ("CapabilityBoundingSet", ""),
                                   ("AmbientCapabilities", ""), ("ProtectSystem", "strict"), ("PrivateTmp", "yes"),
                                   ("UMask", "0077"), ("LimitCORE", "0"), ("DevicePolicy", "closed"),
                                   ("MemoryDenyWriteExecute", "yes")):
                    self.assertIn(key, unit.values)
                    self.assertEqual(unit.get(key), value, key)

    @proves("T-WAY-02", "CR 5.1", "R78")
    def test_the_rooms_of_sensors_and_keys_have_no_network(self):
        for name in ("mitral-vault.service", "mitral-intake-lines.service"):
            self.assertEqual(self.units[name].get("PrivateNetwork"), "yes")
            self.assertEqual(self.units[name].get("RestrictAddressFamilies"), "AF_UNIX")

    @proves("T-WAY-02", "CR 5.1", "R78")
    def test_monitors_come_in_from_the_hospital_s_networks_only(self):
        unit = self.units["mitral-intake-hl7.service"]
        self.assertEqual(unit.get("RestrictAddressFamilies"), "AF_UNIX AF_INET AF_INET6")
        self.assertEqual(unit.values["IPAddressDeny"], ["any"])
        self.assertEqual(unit.values["SocketBindDeny"], ["any"])
        for port in unit.get("SocketBindAllow").split():
            self.assertRegex(port, r"^tcp:257[56](-2576)?$")
        self.assertEqual(public_networks(unit.get("IPAddressAllow")), [])

    def test_control_a_public_network_is_found(self):
        self.assertEqual(public_networks("localhost any 10.0.0.0/7 2000::/3 8.8.8.8 fd00::/8"),
                         ["any", "10.0.0.0/7", "2000::/3", "8.8.8.8"])

    @proves("T-ID-03", "R64")
    def test_only_the_vault_opens_the_tpm(self):
        for unit in self.units.values():
            allowed = unit.values.get("DeviceAllow", [])
            self.assertEqual(allowed, ["/dev/tpmrm0 rw", "/dev/tee0 rw"] if unit.name == "mitral-vault.service" else [])


if __name__ == "__main__":
    main()
