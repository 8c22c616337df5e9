"""Signed time from the local Azure's authority to the vault, through the real programs."""
import base64
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import tempfile
import time
import unittest

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from cloud import roughtime
from cloud.local_azure import LocalAzure, wait_until
from support.proves import main, proves

BIN = pathlib.Path(os.environ["MITRAL_BINARY_DIR"]) / "bin"
ENVIRONMENT = {"ASAN_OPTIONS": "detect_leaks=0", **os.environ}


def secret(path, data):
    path.write_text(base64.b64encode(data).decode() + "\n")
    path.chmod(0o600)
    return path


class Unit:
    """A vault of the development kind with an identity, and the carrier of its time."""

    def __init__(self, time_key=None):
        self.directory = tempfile.TemporaryDirectory(prefix="mitral-timed-")
        self.place = pathlib.Path(self.directory.name)
        self.processes = []
        station = Ed25519PrivateKey.generate()
        self.station_key = secret(self.place / "station.key", station.private_bytes(
            serialization.Encoding.Raw, serialization.PrivateFormat.Raw, serialization.NoEncryption()))
        public = station.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
        (self.place / "station.pub").write_text(base64.b64encode(public).decode())
        self.group_key = secret(self.place / "group.key", os.urandom(32))
        self.configure(1)
        self.start("mitral-vault", "vault-ready")
        trust = []
        if time_key:
            (self.place / "time.pub").write_text(base64.b64encode(time_key).decode())
            trust = ["--time-key", str(self.place / "time.pub")]
        self.mitral("provision", "--station-key", str(self.station_key), "--group-key-file", str(self.group_key),
                    "--id-scope", "0ne00000001", "--registration-id", "unit-1", "--dps-host", "localhost:1",
                    "--hub", "localhost:2", *trust)

    def configure(self, port, transport="udp"):
        self.config = self.place / "mitral.toml"
        self.config.write_text(f"""
[vault]
socket = "{self.place}/vault.sock"
state = "{self.place}/state"
backend = "software"
station_key = "{self.place}/station.pub"
[[vault.peer]]
user = "{os.getuid()}"
may = ["status", "begin-provisioning", "execute-order", "begin-time", "take-time"]
[timed]
user = ""
vault = "{self.place}/vault.sock"
server = "127.0.0.1:{port}"
transport = "{transport}"
retry_s = 1
timeout_s = 20
""")

    def log(self, name):
        return (self.place / f"{name}.log").read_text()

    def start(self, name, ready):
        with open(self.place / f"{name}.log", "w", encoding="utf-8") as log:
            process = subprocess.Popen([BIN / name, "--config", self.config], stderr=log, env=ENVIRONMENT)
        self.processes.append(process)

        def is_ready():
            if process.poll() is not None:
                raise AssertionError(self.log(name))
            return ready in self.log(name)
        wait_until(is_ready, 60)
        return process

    def run(self, name, *arguments):
        return subprocess.run([BIN / name, "--config", self.config, *arguments], capture_output=True, text=True,
                              timeout=120, env=ENVIRONMENT, check=False)

    def mitral(self, *arguments):
        done = self.run("mitral", *arguments)
        if done.returncode != 0:
            raise AssertionError(done.stderr)
        return done.stdout

    def status(self):
        return json.loads(self.run("mitral", "status", "--json").stdout)["vault"]

    def ask_once(self, port, transport="udp"):
        self.configure(port, transport)
        return self.run("mitral-timed", "--once")

    def stop(self):
        for process in reversed(self.processes):
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
                process.wait(timeout=60)
        self.directory.cleanup()


class SignedTime(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.azure = LocalAzure("--time-port", "0")
        cls.azure.start()
        cls.port = cls.azure.ports["time"]
        cls.key = roughtime.public_key(cls.azure.state)

    @classmethod
    def tearDownClass(cls):
        cls.azure.__exit__()

    def unit(self, **how):
        unit = Unit(**how)
        self.addCleanup(unit.stop)
        return unit

    @proves("T-TIME-01")
    def test_comes_over_udp_and_tcp(self):
        unit = self.unit(time_key=self.key)
        self.assertEqual(unit.status()["signed_time_age_s"], -1)
        for transport in ("udp", "tcp"):
            before = time.time()
            done = unit.ask_once(self.port, transport)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertIn("time-signed", done.stderr)
            status = unit.status()
            self.assertGreaterEqual(status["signed_time_age_s"], 0)
            self.assertTrue(before - 30 < status["time_floor_s"] <= time.time(), status)
        self.assertRegex(unit.mitral("status"), r"signed time \d+ s old")

    @proves("T-TIME-01")
    def test_of_another_authority_is_refused(self):
        unit = self.unit(time_key=os.urandom(32))
        # It names that other key in its question, so that this authority has no answer.
        done = unit.ask_once(self.port, "tcp")
        self.assertNotEqual(done.returncode, 0)
        self.assertEqual(unit.status()["signed_time_age_s"], -1)

    @proves("T-TIME-01")
    def test_of_a_clock_that_is_off(self):
        """Ahead cannot be told from the truth; back again can."""
        unit = self.unit(time_key=self.key)
        with self.azure_clock(86400):
            self.assertEqual(unit.ask_once(self.port).returncode, 0)
        floor = unit.status()["time_floor_s"]
        self.assertGreater(floor, time.time() + 80000)
        with self.azure_clock(-86400):
            done = unit.ask_once(self.port, "tcp")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("before a time that was signed already", unit.log("mitral-vault") + done.stderr)
        self.assertEqual(unit.status()["time_floor_s"], floor)

    def azure_clock(self, offset):
        test = self

        class Off:
            def __enter__(self):
                test.azure.admin(f"/faults/clock-off?offset_s={offset}", "POST")

            def __exit__(self, *_):
                test.azure.admin("/faults/clock-off", "DELETE")
        return Off()

    def test_is_asked_again_until_it_comes(self):
        unit = self.unit(time_key=self.key)
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as nobody:
            nobody.bind(("127.0.0.1", 0))  # bound and not listening: refused
            unit.configure(nobody.getsockname()[1], "tcp")
            daemon = unit.start("mitral-timed", "time-not-signed")
            daemon.send_signal(signal.SIGTERM)
            self.assertEqual(daemon.wait(timeout=60), 0)
        unit.configure(self.port)
        unit.start("mitral-timed", "time-signed")
        self.assertGreaterEqual(unit.status()["signed_time_age_s"], 0)

    def test_without_an_authority_changes_nothing(self):
        unit = self.unit()
        before = unit.status()
        done = unit.ask_once(self.port)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("--time-key", done.stderr)
        self.assertEqual(unit.status()["time_floor_s"], before["time_floor_s"])
        self.assertIn("no time authority", unit.mitral("status"))
        unit.config.write_text(re.sub(r"\[timed\].*", "", unit.config.read_text(), flags=re.DOTALL))
        done = unit.run("mitral-timed")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("time-not-configured", done.stderr)


if __name__ == "__main__":
    main()
