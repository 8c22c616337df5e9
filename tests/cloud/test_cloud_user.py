"""The server gives up root when it is told to, and takes its state directory along."""
import os
import pathlib
import pwd
import shutil
import subprocess
import sys
import tempfile
import unittest

import local_azure
from support.proves import main, proves

USER = "nobody"  # stands on every machine


def status_of(pid):
    text = pathlib.Path(f"/proc/{pid}/status").read_text()
    return {key: value.split() for key, _, value in (line.partition(":") for line in text.splitlines())}


class GivesUpRoot(unittest.TestCase):
    def setUp(self):
        self.state = pathlib.Path(tempfile.mkdtemp(prefix="mitral-cloud-"))
        self.state.chmod(0o755)
        self.addCleanup(shutil.rmtree, self.state)
        self.azure = local_azure.LocalAzure("--user", USER, state=self.state)
        self.group = self.azure.group()  # root's database, made before the first start

    @proves("T-SW-06", "CR 2.1")
    def test_no_privilege_is_left(self):
        with self.azure:
            status = status_of(self.azure.process.pid)
        self.assertEqual(status["Uid"], [str(pwd.getpwnam(USER).pw_uid)] * 4)
        self.assertNotIn("0", status["Gid"])
        self.assertEqual(int(status["CapEff"][0], 16), 0)
        self.assertEqual((status["NoNewPrivs"], status["Seccomp"]), (["1"], ["2"]))

    def test_it_works_on_what_root_made_before(self):
        for _ in ("first start", "second start"):
            with self.azure:
                self.azure.register(self.group["primary_key"], "unit-1")
        owners = {path.stat().st_uid for path in [self.state, *self.state.rglob("*")] if path.name != "stderr.log"}
        self.assertEqual(owners, {pwd.getpwnam(USER).pw_uid})

    @proves("T-SW-06")
    def test_what_is_not_its_own_is_not_given_away(self):
        with tempfile.TemporaryDirectory() as elsewhere:
            target, bystander = pathlib.Path(elsewhere, "target"), self.state / "notes"
            for path in (target, bystander):
                path.write_text("root's")
            (self.state / "lock").symlink_to(target)
            self.start_fails_or_not()
            self.assertEqual((target.stat().st_uid, bystander.stat().st_uid), (0, 0))
            (self.state / "lock").unlink()
            os.link(bystander, self.state / "lock")
            self.assertIn("second name", self.start_fails_or_not())
            self.assertEqual(bystander.stat().st_uid, 0)

    def start_fails_or_not(self):
        try:
            with self.azure:
                return ""
        except RuntimeError as error:
            return str(error)

    def test_an_unknown_user_is_an_error(self):
        done = subprocess.run([local_azure.BINARY, "serve", "--state", self.state, "--user", "no-such-user",
                               "--mqtt-port", "0", "--https-port", "0", "--admin-port", "0"],
                              capture_output=True, text=True, timeout=30, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("no-such-user", done.stderr)


if __name__ == "__main__":
    if os.geteuid() != 0:
        print("skipped: needs root, to give it up")
        sys.exit(77)
    main()
