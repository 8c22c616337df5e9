"""mitral doctor against a real unit (software vault, local Azure): each layer is broken on purpose and must be
the first one named. What a test here cannot break (the clock, the TPM) the unit tests of tests/mitral do."""
import base64
import json
import os
import pathlib
import socket
import subprocess
import tempfile
import time
import unittest
import urllib.request

from support import proves

BIN = pathlib.Path(os.environ["MITRAL_BINARY_DIR"]) / "bin"


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def run(*argv):
    return subprocess.run([str(part) for part in argv], capture_output=True, text=True, timeout=60, check=False)


def wait_until(condition, what, process):
    deadline = time.monotonic() + 60
    while not condition():
        if process.poll() is not None or time.monotonic() > deadline:
            raise AssertionError(f"{what} did not come")
        time.sleep(0.05)


def private_file(path, data):
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(data)


class Unit:
    """A vault with its configuration in a folder of its own."""

    def __init__(self, root, ports, ca):
        self.root, self.process = root, None
        self.mqtt, self.https = ports
        for name in ("vault", "run", "enrol", "uplink", "spool"):
            (root / name).mkdir(mode=0o700, parents=True)
        public = run("openssl", "genpkey", "-algorithm", "ed25519", "-out", root / "station.key")
        assert public.returncode == 0, public.stderr
        os.chmod(root / "station.key", 0o600)
        der = subprocess.run(["openssl", "pkey", "-in", root / "station.key", "-pubout", "-outform", "DER"],
                             capture_output=True, check=True).stdout
        (root / "station.pub").write_text(base64.b64encode(der[-32:]).decode())
        self.settings = {"dps": f"localhost:{self.https}", "roots": str(ca), "max_mb": 1, "extra": "",
                         "backend": "software", "tcti": "device:/dev/tpmrm0", "enrol": ""}
        self.write()

    def write(self, **changes):
        values = dict(self.settings, **changes)
        root = self.root
        (root / "mitral.toml").write_text(f"""
[vault]
socket = "{root}/run/vault.sock"
state = "{root}/vault"
backend = "{values["backend"]}"
tcti = "{values["tcti"]}"
station_key = "{root}/station.pub"
[[vault.peer]]
user = "{os.getuid()}"
may = ["mint-hub", "mint-registration", "status", "begin-provisioning", "execute-order"]
[intake-lines]
spool = "{root}/spool"
vault = "{root}/run/vault.sock"
max_bytes_mb = {values["max_mb"]}
[enrol]
user = ""
vault = "{root}/run/vault.sock"
dps = "{values["dps"]}"
root_files = ["{values["roots"]}"]
assignment = "{root}/enrol/assignment.json"
{values["enrol"]}
[uplink]
user = ""
vault = "{root}/run/vault.sock"
assignment = "{root}/enrol/assignment.json"
spools = ["{root}/spool"]
state = "{root}/uplink"
status = "{root}/run/uplink.json"
root_files = ["{self.settings["roots"]}"]
hub_port = {self.mqtt}
{values["extra"]}
""")

    def start(self):
        log = open(self.root / "vault.log", "ab")
        self.process = subprocess.Popen([BIN / "mitral-vault", "--config", self.root / "mitral.toml"],
                                        stderr=log, stdout=log)
        wait_until((self.root / "run/vault.sock").exists, "the vault's socket", self.process)

    def stop(self):
        if self.process is not None:
            self.process.terminate()
            self.process.wait(timeout=20)
            self.process = None
            (self.root / "run/vault.sock").unlink(missing_ok=True)

    def provision(self, group):
        private_file(self.root / "group.key", group["primary_key"].encode())
        return run(BIN / "mitral", "provision", "--config", self.root / "mitral.toml",
                   "--station-key", self.root / "station.key", "--group-key-file", self.root / "group.key",
                   "--id-scope", group["id_scope"], "--registration-id", "dev-01",
                   "--dps-host", "localhost", "--hub", f"localhost:{self.mqtt}")

    def log(self):
        return (self.root / "vault.log").read_text()

    def enrol(self):
        return run(BIN / "mitral-enrol", "--config", self.root / "mitral.toml")

    def doctor(self):
        done = run(BIN / "mitral", "doctor", "--json", "--timeout-s", "5", "--config", self.root / "mitral.toml")
        report = json.loads(done.stdout)
        report["status"] = done.returncode
        report["by_layer"] = {row["layer"]: row for row in report["layers"]}
        return report


class Swtpm:
    """A software TPM on two free ports in a row, as its TCTI wants them."""

    def __init__(self, state):
        state.mkdir()
        for _ in range(20):
            port = free_ports(1)[0]
            self.process = subprocess.Popen(
                ["swtpm", "socket", "--tpm2", "--tpmstate", f"dir={state}", "--server",
                 f"type=tcp,bindaddr=127.0.0.1,port={port}", "--ctrl",
                 f"type=tcp,bindaddr=127.0.0.1,port={port + 1}", "--flags", "not-need-init"],
                stderr=subprocess.DEVNULL)
            self.tcti = f"swtpm:host=127.0.0.1,port={port}"
            if self.ready(port) and self.ready(port + 1):
                return
            self.kill()
        raise AssertionError("swtpm does not start")

    def ready(self, port):
        deadline = time.monotonic() + 20
        while self.process.poll() is None and time.monotonic() < deadline:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=2).close()
                return True
            except OSError:
                time.sleep(0.01)
        return False

    def kill(self):
        self.process.kill()
        self.process.wait(timeout=20)


class Doctor(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        scratch = tempfile.TemporaryDirectory(prefix="mitral-doctor-")
        cls.addClassCleanup(scratch.cleanup)
        cls.root = pathlib.Path(scratch.name)
        mqtt, https, admin = free_ports(3)
        state = cls.root / "cloud"
        cls.group = json.loads(run(BIN / "mitral-cloud", "enroll-group", "--state", state, "--name", "fleet").stdout)
        cls.cloud = subprocess.Popen(
            [BIN / "mitral-cloud", "serve", "--state", state, "--name", "localhost",
             "--assigned-hub", f"localhost:{mqtt}", "--mqtt-port", str(mqtt), "--https-port", str(https),
             "--admin-port", str(admin)], stderr=subprocess.DEVNULL)
        cls.addClassCleanup(lambda: (cls.cloud.terminate(), cls.cloud.wait(timeout=20)))

        def ready():
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{admin}/ready", timeout=2) as answer:
                    return answer.status == 200
            except OSError:
                return False
        wait_until(ready, "the local Azure", cls.cloud)
        cls.ca = state / "tls/ca.pem"
        cls.ports = (mqtt, https)
        cls.unit = Unit(cls.root / "unit", cls.ports, cls.ca)
        cls.unit.start()
        cls.addClassCleanup(cls.unit.stop)
        for step in (cls.unit.provision(cls.group), cls.unit.enrol()):
            assert step.returncode == 0, step.stderr

    def setUp(self):
        self.unit.write()

    def assert_first(self, report, layer, words=""):
        self.assertEqual(report["first_failure"], layer, json.dumps(report["layers"], indent=1))
        self.assertEqual(report["status"], 1)
        row = report["by_layer"][layer]
        self.assertIn(words, row["text"])
        return row

    def test_a_good_unit_has_no_failing_layer(self):
        report = self.unit.doctor()
        self.assertIsNone(report["first_failure"], json.dumps(report["layers"], indent=1))
        self.assertEqual(report["status"], 0)
        self.assertTrue(all(row["verdict"] in ("ok", "warn") for row in report["layers"]), report["layers"])

    @proves.proves("T-SW-07")
    def test_configuration(self):
        self.unit.write(extra="no_such_key = 1")
        self.assert_first(self.unit.doctor(), "configuration", "no_such_key")

    def test_permissions(self):
        state = self.unit.root / "vault"
        state.chmod(0o755)
        self.addCleanup(state.chmod, 0o700)
        self.assertIn("chmod", self.assert_first(self.unit.doctor(), "permissions")["remedy"])

    @proves.proves("T-DOS-02")
    def test_disk(self):
        self.unit.write(max_mb=1 << 20)
        if os.statvfs(self.unit.root).f_bavail * os.statvfs(self.unit.root).f_frsize > 1 << 40:
            self.skipTest("this disk is larger than the largest spool")
        self.assert_first(self.unit.doctor(), "disk", "MiB")

    def test_vault(self):
        self.unit.stop()
        self.addCleanup(self.unit.start)
        self.assert_first(self.unit.doctor(), "vault", "vault.sock")

    def assert_names_tpm(self, report, words):
        row = self.assert_first(report, "trust-zone", words)
        self.assertTrue(row["text"].startswith("TPM: "), row)
        self.assertIn("vault.tcti", row["remedy"])
        self.assertNotEqual(report["by_layer"]["vault"]["verdict"], "FAIL")

    def test_trust_zone_whose_device_is_missing(self):
        lame = Unit(self.root / "lame", self.ports, self.ca)
        device = lame.root / "tpmrm0"
        lame.settings.update(backend="tpm", tcti=f"device:{device}")
        lame.write()
        vault = run(BIN / "mitral-vault", "--config", lame.root / "mitral.toml")
        self.assertEqual(vault.returncode, 1)
        self.assertEqual(len(vault.stderr.splitlines()), 1, vault.stderr)
        self.assertIn(f"no TPM at {device} (vault.tcti): enable it or correct the path", vault.stderr)
        self.assert_names_tpm(lame.doctor(), str(device))

    def test_trust_zone_that_dies_under_the_vault(self):
        fragile = Unit(self.root / "fragile", self.ports, self.ca)
        tpm = Swtpm(fragile.root / "tpm")
        self.addCleanup(tpm.kill)
        fragile.settings.update(backend="tpm", tcti=tpm.tcti)
        fragile.write()
        fragile.start()
        self.addCleanup(fragile.stop)
        wait_until(lambda: "vault-ready" in fragile.log(), "the vault", fragile.process)
        self.assert_first(fragile.doctor(), "provisioning", "no identity")  # until here it is well
        tpm.kill()
        self.assert_names_tpm(fragile.doctor(), "")
        fragile.stop()
        self.assert_names_tpm(fragile.doctor(), tpm.tcti)

    def test_no_route_is_no_success(self):
        text = (self.unit.root / "mitral.toml").read_text()
        (self.unit.root / "mitral.toml").write_text(text[:text.index("[enrol]")])
        report = self.unit.doctor()
        for layer in ("dns", "tcp", "tls"):
            self.assertEqual(report["by_layer"][layer]["verdict"], "skip", report["layers"])
            self.assertTrue(report["by_layer"][layer]["text"])

    @proves.proves("T-MITM-01")
    def test_a_damaged_trust_bundle_is_the_fault(self):
        bundle = self.unit.root / "bundle"
        bundle.write_text("mitral-trust-bundle/1\nversion: 9\n")
        self.unit.write(enrol=f'trust_bundle = "{bundle}"\ntrust_bundle_key = "{self.unit.root}/station.pub"')
        row = self.assert_first(self.unit.doctor(), "tls", str(bundle))
        self.assertIn("trust install", row["remedy"])

    def test_provisioning(self):
        fresh = Unit(self.root / "fresh", self.ports, self.ca)
        fresh.start()
        self.addCleanup(fresh.stop)
        self.assert_first(fresh.doctor(), "provisioning", "no identity")

    def test_dns(self):
        self.unit.write(dps="no-such-host.invalid:443")
        self.assert_first(self.unit.doctor(), "dns", "no-such-host.invalid")

    def test_tcp(self):
        self.unit.write(dps=f"localhost:{free_ports(1)[0]}")
        self.assert_first(self.unit.doctor(), "tcp", "localhost")

    @proves.proves("T-MITM-01")
    def test_tls(self):
        other = self.root / "other.pem"
        made = run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                   "-keyout", self.root / "other.key", "-out", other, "-subj", "/CN=other")
        self.assertEqual(made.returncode, 0, made.stderr)
        self.unit.write(roots=other)
        self.assert_first(self.unit.doctor(), "tls", "DPS")

    @proves.proves("T-MITM-04", "T-TOK-02")
    def test_token_for_a_hub_that_is_not_listed(self):
        assignment = self.unit.root / "enrol/assignment.json"
        kept = assignment.read_text()
        self.addCleanup(assignment.write_text, kept)
        assignment.write_text(kept.replace('"hub":"localhost', '"hub":"127.0.0.1'))
        self.assert_first(self.unit.doctor(), "token", "127.0.0.1")

    @proves.proves("T-ID-02")
    def test_dps_and_hub_refuse_a_wrong_key(self):
        forger = Unit(self.root / "forger", self.ports, self.ca)
        forger.start()
        self.addCleanup(forger.stop)
        wrong = dict(self.group, primary_key=base64.b64encode(bytes(64)).decode())
        self.assertEqual(forger.provision(wrong).returncode, 0)
        (forger.root / "enrol/assignment.json").write_text((self.unit.root / "enrol/assignment.json").read_text())
        refused = forger.enrol()
        self.assertEqual(refused.returncode, 1, refused.stderr)
        self.assertNotIn("SharedAccessSignature", refused.stderr + refused.stdout)
        report = forger.doctor()
        self.assert_first(report, "dps", "token")
        self.assertEqual(report["by_layer"]["hub"]["verdict"], "FAIL")
        self.assertIn("CONNACK 5", report["by_layer"]["hub"]["text"])

    def test_hub_without_an_assignment(self):
        assignment = self.unit.root / "enrol/assignment.json"
        kept = assignment.read_text()
        self.addCleanup(assignment.write_text, kept)
        assignment.unlink()
        self.assertIn("mitral-enrol", self.assert_first(self.unit.doctor(), "hub")["remedy"])

    def test_a_second_provisioning_is_refused(self):
        again = self.unit.provision(self.group)
        self.assertEqual(again.returncode, 1)
        self.assertIn("mitral:", again.stderr)


if __name__ == "__main__":
    proves.main()
