#!/usr/bin/python3
"""The Debian package of the local Azure, on a booted Debian that has nothing but what the package asks for."""
import hashlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

from sandbox import nspawn_machine
from support.proves import main, proves

CMAKE = sys.argv.pop(1)
BINARY = pathlib.Path(os.environ["MITRAL_BINARY_DIR"])
HERE = pathlib.Path(__file__).resolve().parent
WORST_EXPOSURE = 20  # tenths, as for the gateway's units
DRIVER_UNIT = """[Unit]
Description=Leads the package through its life, powers off
After=multi-user.target
[Service]
Type=oneshot
ExecStart=/bin/sh /opt/driver.sh
TimeoutStartSec=100
[Install]
WantedBy=default.target
"""


def build():
    """The package; made anew from what is built."""
    done = subprocess.run([CMAKE, "--build", BINARY, "--target", "package-cloud"], check=False, capture_output=True,
                          text=True)
    if done.returncode != 0:
        raise RuntimeError(done.stdout + done.stderr)
    return pathlib.Path(re.findall(r"(?m)^(/\S+\.deb)$", done.stdout)[-1])


def field(package, name):
    told = subprocess.run(["dpkg-deb", "--field", package, name], check=True, capture_output=True, text=True)
    return told.stdout.strip()


def wanted_packages(depends):
    """The names in a Depends field; of alternatives the one that the booting machine has anyway, or the first."""
    wanted = set()
    for entry in depends.split(","):
        names = [re.sub(r"\s*\(.*?\)", "", name).strip() for name in entry.split("|")]
        wanted.add(next((name for name in names if name in nspawn_machine.BASE_PACKAGES), names[0]))
    return sorted(wanted)


def lines_of(text):
    return set(text.splitlines())


class PackageFile(unittest.TestCase):
    def setUp(self):
        self.package = build()

    def test_two_builds_are_equal(self):
        before = hashlib.sha256(self.package.read_bytes()).hexdigest()
        if "SOURCE_DATE_EPOCH" not in os.environ:
            os.environ["SOURCE_DATE_EPOCH"] = "1767225600"
            before = hashlib.sha256(build().read_bytes()).hexdigest()
        self.assertEqual(hashlib.sha256(build().read_bytes()).hexdigest(), before)

    def test_it_asks_for_no_other_part_of_mitral(self):
        depends = field(self.package, "Depends")
        self.assertIn("libssl3", depends)
        self.assertIn("libsqlite3-0", depends)
        self.assertNotIn("mitral", depends)

    @proves("T-SW-06", "R63")
    def test_the_unit_is_not_exposed(self):
        with tempfile.TemporaryDirectory() as directory:
            subprocess.run(["dpkg-deb", "--extract", self.package, directory], check=True)
            unit = pathlib.Path(directory, "usr/lib/systemd/system/mitral-cloud.service")
            judged = subprocess.run(["systemd-analyze", "security", "--offline=true", f"--threshold={WORST_EXPOSURE}",
                                     unit], capture_output=True, text=True, check=False)
            self.assertEqual(judged.returncode, 0, judged.stdout[-600:])


class Life(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        package = build()
        image = nspawn_machine.base_image(BINARY / "nspawn", wanted_packages(field(package, "Depends")))
        cls.machine = machine = nspawn_machine.Machine(BINARY / "nspawn" / "package-cloud", image)
        machine.copy(package, "/opt/mitral-cloud.deb")
        machine.copy(HERE / "driver.sh", "/opt/driver.sh")
        machine.write("/etc/systemd/system/driver.service", DRIVER_UNIT)
        machine.run_tool("systemctl", "enable", "--quiet", "driver.service")
        _, output = machine.boot()
        if not machine.exists("/opt/files.before"):
            raise nspawn_machine.CannotBoot("systemd did not come up in the container: " + output.strip()[-300:])
        if not machine.exists("/opt/finished"):
            raise AssertionError("the package's life did not end:\n" + output[-2000:])

    def read(self, name):
        return self.machine.read("/opt/" + name)

    def test_it_installs_and_waits_to_be_started(self):
        self.assertEqual(self.read("install.status").strip(), "0", self.read("install.log"))
        # The small Debian of the tests leaves out all documentation.
        self.assertEqual([line for line in lines_of(self.read("verify.log")) if "/usr/share/doc/" not in line], [])
        self.assertEqual(self.read("after-install").strip(), "inactive")
        installed = lines_of(self.read("files.installed")) - lines_of(self.read("files.before"))
        self.assertLessEqual({"/usr/bin/mitral-cloud f", "/etc/mitral/cloud.toml f", "/var/lib/mitral/cloud d",
                              "/usr/lib/systemd/system/mitral-cloud.service f"}, installed)

    @proves("T-SW-06", "R63")
    def test_it_runs_in_its_unit_with_no_rights(self):
        self.assertIn('{"ready":true}', self.read("ready"), self.read("journal"))
        status = dict(line.split(":", 1) for line in self.read("process.status").splitlines())
        self.assertNotEqual(status["Uid"].split()[0], "0")
        self.assertEqual((status["CapEff"].strip(), status["NoNewPrivs"].strip(), status["Seccomp"].strip()),
                         ("0" * 16, "1", "2"))
        self.assertIn("600 mitral-cloud /var/lib/mitral/cloud/cloud.db", self.read("modes"))
        self.assertEqual(self.read("man-page").strip(), "sound")

    def test_the_command_line_works_beside_the_server(self):
        self.assertEqual(json.loads(self.read("device.json"))["deviceId"], "bench-1", self.read("device.errors"))
        self.assertIn('"deviceId":"bench-1"', self.read("devices"))

    def test_the_unit_comes_back_after_kill_9_with_its_state(self):
        self.assertIn('"deviceId":"bench-1"', self.read("devices.after-kill"), self.read("journal"))
        self.assertIn("Result=success", self.read("stopped"))

    def test_it_is_ready_soon(self):
        # The bar of a second is for make bench; here only that it is not out of all bounds on a busy machine.
        for name in ("first-start.ms", "second-start.ms"):
            took = int(self.read(name))
            print(f"{name.removesuffix('.ms')}: ready after {took} ms (systemctl start)")
            self.assertLess(took, 20_000)

    def test_removed_it_keeps_state_and_settings(self):
        self.assertEqual(self.read("remove.status").strip(), "0", self.read("remove.log"))
        self.assertNotEqual(self.read("after-remove").strip(), "active")
        left = lines_of(self.read("files.removed")) - lines_of(self.read("files.before"))
        self.assertLessEqual({"/etc/mitral/cloud.toml f", "/var/lib/mitral/cloud/cloud.db f"}, left)
        self.assertNotIn("/usr/bin/mitral-cloud f", left)

    @proves("T-KEY-05")
    def test_purged_it_leaves_nothing(self):
        self.assertEqual(self.read("purge.status").strip(), "0", self.read("purge.log"))
        before, after = lines_of(self.read("files.before")), lines_of(self.read("files.purged"))
        self.assertEqual(after - before, set())
        self.assertEqual(before - after, set())


if __name__ == "__main__":
    try:
        nspawn_machine.require()
        if shutil.which("dpkg-deb") is None:
            raise nspawn_machine.CannotBoot("dpkg-deb is not installed")
        main()
    except nspawn_machine.CannotBoot as reason:
        print(f"skipped: {reason}")
        sys.exit(77)
