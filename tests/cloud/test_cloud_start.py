"""What keeps the server from starting is one line that names the cause and what to do about it."""
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import unittest

from cloud.local_azure import BINARY, LocalAzure
from support.proves import main, proves

ANY_PORT = ["--mqtt-port", "0", "--https-port", "0", "--admin-port", "0"]
NOBODY = 65534


class Start(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.directory = pathlib.Path(tempfile.mkdtemp(prefix="mitral-cloud-start-"))
        cls.addClassCleanup(shutil.rmtree, cls.directory)
        cls.good = cls.directory / "good"
        azure = LocalAzure(state=cls.good)
        cls.good.mkdir()
        azure.command("enroll-group", "--name", "fleet")
        azure.start()
        azure.stop()

    def copy(self, name):
        return pathlib.Path(shutil.copytree(self.good, self.directory / name))

    def run_command(self, *arguments):
        return subprocess.run([str(BINARY), *arguments], capture_output=True, text=True, timeout=60, check=False)

    def refused(self, words, *arguments, state=None):
        ports = [] if "--mqtt-port" in arguments or "--admin-port" in arguments else ANY_PORT
        done = self.run_command("serve", "--state", str(state or self.good), *ports, *arguments)
        self.assertNotIn(done.returncode, (0, -signal.SIGABRT, -signal.SIGSEGV), done.stderr)
        for word in words:
            self.assertIn(word, done.stderr)
        self.assertLessEqual(len(done.stderr.splitlines()), 2, done.stderr)  # the second points to --help
        self.assertNotIn("ready mqtt", done.stderr)

    @proves("T-TOK-02")
    def test_numbers_that_would_undo_a_bound(self):
        for option, value in (("--expiry-grace", "-5"), ("--clock-skew", "99999999999999"), ("--log-max-mb", "-1"),
                              ("--log-max-mb", "99999999999999999"), ("--mqtt-port", "65536"), ("--mqtt-port", "-1")):
            with self.subTest(option=option, value=value):
                self.refused([option], f"{option}={value}")

    def test_names_that_no_client_could_use(self):
        for option, value in (("--name", ""), ("--name", 'a b"c'), ("--name", "hub:1"), ("--assigned-hub", 'x"y')):
            with self.subTest(option=option, value=value):
                self.refused([option], f"{option}={value}")
        self.refused(["--state"], "--state=")

    def test_a_port_in_use(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = str(taken.getsockname()[1])
            for option in ("--mqtt-port", "--admin-port"):
                others = [word for i in range(0, 6, 2) if ANY_PORT[i] != option for word in ANY_PORT[i:i + 2]]
                with self.subTest(option=option):
                    self.refused([option, port, "in use"], option, port, *others)

    @proves("T-DATA-01")
    def test_a_damaged_database_is_named_and_left_alone(self):
        for name, damage in (("no-database", b"\0" * 100), ("page", None)):
            state = self.copy(name)
            database = state / "cloud.db"
            content = bytearray(database.read_bytes())
            content[:100] = damage or content[:100]
            database.write_bytes(content if damage else content[:5000])
            before = database.read_bytes()
            with self.subTest(name):
                self.refused([str(database), "put a copy back"], state=state)
                done = self.run_command("devices", "--state", str(state))
                self.assertEqual((done.returncode, done.stdout), (1, ""))
                self.assertIn(str(database), done.stderr)
                self.assertEqual(database.read_bytes(), before)

    @proves("T-MITM-02")
    def test_an_authority_that_clients_trust_is_never_replaced_unasked(self):
        for name, spoil in (("certificate", lambda tls: (tls / "ca.pem").write_text("x")),
                            ("key", lambda tls: (tls / "ca.key").write_text("x")),
                            ("no-key", lambda tls: (tls / "ca.key").unlink())):
            state = self.copy(f"authority-{name}")
            spoil(state / "tls")
            before = (state / "tls" / "ca.pem").read_bytes()
            with self.subTest(name):
                self.refused([str(state / "tls" / "ca.pem"), "remove both"], state=state)
                self.assertEqual((state / "tls" / "ca.pem").read_bytes(), before)
        for file in ("ca.pem", "ca.key"):  # the remedy that the line names
            (state / "tls" / file).unlink(missing_ok=True)
        with LocalAzure(state=state) as azure:
            self.assertEqual(azure.admin("/ready"), '{"ready":true}')

    def test_a_torn_end_of_the_log_is_cut_and_said(self):
        state = self.copy("torn")
        segment = next((state / "messages").iterdir())
        segment.write_text('{"offset":0,"to')
        with LocalAzure(state=state) as azure:
            self.assertEqual(azure.admin("/log?from=0"), "")
            self.assertIn("message-log-repaired cut=15", azure.log())

    @unittest.skipUnless(os.geteuid() == 0, "needs root, to be somebody else")
    def test_a_directory_of_somebody_else(self):
        for name, spoil in (("foreign", lambda state: os.chown(state / "cloud.db", 0, 0)),
                            ("read-only", lambda state: state.chmod(0o500))):
            state = self.copy(name)
            for path in (state, *state.rglob("*")):
                os.chown(path, NOBODY, NOBODY)
            spoil(state)
            self.directory.chmod(0o755)
            done = subprocess.run([str(BINARY), "serve", "--state", str(state), *ANY_PORT], user=NOBODY, group=NOBODY,
                                  extra_groups=[], capture_output=True, text=True, timeout=60, check=False)
            with self.subTest(name):
                self.assertEqual(done.returncode, 1, done.stderr)
                self.assertIn(str(state), done.stderr)
                self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)

    def test_commands_say_that_no_server_runs(self):
        empty = self.directory / "empty"
        for arguments in (("faults",), ("query", "SELECT * FROM devices"), ("send", "--id", "x", "--body", "y")):
            done = self.run_command(*arguments, "--state", str(empty))
            with self.subTest(arguments[0]):
                self.assertEqual((done.returncode, done.stdout), (1, ""))
                self.assertIn("is mitral-cloud running", done.stderr)
                self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)


if __name__ == "__main__":
    main()
