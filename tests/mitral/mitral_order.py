"""mitral order against a real vault (software back end): signed here, obeyed there, once, and by nobody else's key."""
import base64
import hmac
import os
import pathlib
import socket
import struct
import subprocess
import tempfile
import time
import unittest

from support import proves

BIN = pathlib.Path(os.environ["MITRAL_BINARY_DIR"]) / "bin"
OK, QUARANTINED, NOT_AUTHENTIC, NOT_FOR_UNIT, REPLAYED = 0, 6, 11, 12, 13
HUB = "hub.example"


def private_file(path, data):
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(data)


def new_key(path):
    """An Ed25519 key in base64 at `path`; its public half at `path`.pub."""
    pem = subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519"], capture_output=True, check=True).stdout
    private_file(path, pem)
    der = subprocess.run(["openssl", "pkey", "-pubout", "-outform", "DER"], input=pem, capture_output=True,
                         check=True).stdout
    path.with_suffix(".pub").write_text(base64.b64encode(der[-32:]).decode())


class Orders(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory(prefix="mitral-order-")
        self.addCleanup(scratch.cleanup)
        self.root = pathlib.Path(scratch.name)
        for name in ("station", "fleet", "stranger"):
            new_key(self.root / f"{name}.key")
        self.new_group_key()
        (self.root / "mitral.toml").write_text(f"""
[vault]
socket = "{self.root}/vault.sock"
state = "{self.root}/state"
backend = "software"
station_key = "{self.root}/station.pub"
[[vault.peer]]
user = "{os.getuid()}"
may = ["mint-hub", "status", "begin-provisioning", "execute-order", "pseudonym", "attest"]
""")
        with open(self.root / "vault.log", "wb") as log:
            self.vault = subprocess.Popen([BIN / "mitral-vault", "--config", self.root / "mitral.toml"], stderr=log)
        self.addCleanup(lambda: (self.vault.terminate(), self.vault.wait(timeout=20)))
        deadline = time.monotonic() + 60
        while b"vault-ready" not in (self.root / "vault.log").read_bytes():
            self.assertTrue(self.vault.poll() is None and time.monotonic() < deadline, "the vault does not start")
            time.sleep(0.02)
        self.provision()
        self.assertEqual(self.mint(), OK)

    def provision(self, *more, status=0):
        return self.mitral("provision", "--station-key", self.root / "station.key", "--group-key-file",
                           self.root / "group.key", "--id-scope", "0ne000A0A0A", "--registration-id", "dev-01",
                           "--dps-host", "dps.example", "--hub", HUB, "--fleet-key", self.root / "fleet.pub",
                           *more, status=status)

    def new_group_key(self):
        private_file(self.root / "group.key", base64.b64encode(os.urandom(64)))

    def mitral(self, *argv, status=0):
        done = subprocess.run([str(part) for part in (BIN / "mitral", *argv, "--config", self.root / "mitral.toml")],
                              capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual(done.returncode, status, (argv, done.stdout, done.stderr))
        return done.stdout if status == 0 else done.stderr

    def sign(self, kind, *more, key="--station-key", by="station", unit="dev-01"):
        text = self.mitral("order", "sign", "--kind", kind, key, self.root / f"{by}.key",
                           "--registration-id", unit, *more)
        path = self.root / f"order-{kind}"
        path.write_text(text)
        return path

    def obey(self, order):
        return self.mitral("order", "execute", order)

    def refused(self, order, words):
        self.assertIn(words, self.mitral("order", "execute", order, status=1))

    def mint(self, hub=HUB):
        """The vault's status for a hub token of a minute (docs/formats/vault-protocol.md)."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as vault:
            vault.settimeout(30)
            vault.connect(str(self.root / "vault.sock"))
            vault.send(struct.pack(">BBH", 1, 1, len(hub)) + hub.encode() + struct.pack(">Hq", 0, 60))
            return vault.recv(4096)[1]

    def pseudonym(self):
        """Of patient 12345 of HOSP; None when refused."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as vault:
            vault.settimeout(30)
            vault.connect(str(self.root / "vault.sock"))
            vault.send(b"\x01\x08\x00\x0512345\x00\x04HOSP")
            answer = vault.recv(4096)
            return answer[2:] if answer[1] == OK else None

    def new_subject_key(self, mode=0o600):
        key = os.urandom(32)
        private_file(self.root / "subject.key", base64.b64encode(key))
        os.chmod(self.root / "subject.key", mode)
        return hmac.digest(key, b"mitral subject 1\0\0\x04HOSP12345", "sha256")[:16]

    @proves.proves("T-ROLL-01", "T-ID-02")
    def test_provisioning_records_who_the_unit_is(self):
        marks, nonce, answer = self.root / "unit.marks", "3c" * 32, self.root / "answer"
        self.obey(self.sign("wipe"))
        self.provision("--marks", marks)
        answer.write_text(self.mitral("attest", "--nonce", nonce))
        self.assertEqual("", self.mitral("verify", "--marks", marks, "--nonce", nonce, answer))
        recorded = marks.read_bytes()
        answer.write_text(self.mitral("attest", "--nonce", "4d" * 32))  # negative control: another nonce's
        self.mitral("verify", "--marks", marks, "--nonce", nonce, answer, status=2)
        self.obey(self.sign("wipe"))
        self.assertIn("is there", self.provision("--marks", marks, status=1))
        self.assertIn('"state": "wiped"', self.status())  # refused before anything was given to the unit
        self.assertEqual(recorded, marks.read_bytes())

    @proves.proves("T-DATA-06", "T-KEY-02")
    def test_the_hospitals_key_comes_with_a_policy_or_with_provisioning(self):
        policy = ("policy", "--id-scope", "0ne000A0A0A", "--dps-host", "dps.example", "--hub", HUB)
        self.assertIsNone(self.pseudonym())
        self.assertIn('"subject_key": false', self.status())
        statement = self.root / "statement"
        statement.write_text(self.mitral("order", "statement"))
        expected = self.new_subject_key()
        self.obey(self.sign(*policy, "--subject-key", self.root / "subject.key", "--statement", statement))
        self.assertEqual(self.pseudonym(), expected)
        self.assertIn('"subject_key": true', self.status())
        self.obey(self.sign(*policy))
        self.assertEqual(self.pseudonym(), expected)

        self.obey(self.sign("wipe"))
        self.assertIsNone(self.pseudonym())
        provision = ("--subject-key", self.root / "subject.key")
        self.new_subject_key(mode=0o640)
        self.assertIn("chmod 600", self.provision(*provision, status=1))
        expected = self.new_subject_key()
        self.provision(*provision)
        self.assertEqual(self.pseudonym(), expected)

    @proves.proves("T-TOK-02", "T-ID-01")
    def test_quarantine_stops_tokens_until_a_release_and_neither_works_twice(self):
        quarantine = self.sign("quarantine", "--reason", "lid opened")
        self.assertEqual(self.mint(), OK)  # signed is not yet given
        self.assertIn("quarantine of dev-01", self.obey(quarantine))
        self.assertEqual(self.mint(), QUARANTINED)
        self.obey(self.sign("release", key="--fleet-key", by="fleet"))
        self.assertEqual(self.mint(), OK)
        self.refused(quarantine, "sign a new order")
        self.refused(self.root / "order-release", "sign a new order")
        self.assertEqual(self.mint(), OK)

    @proves.proves("T-ID-01")
    def test_a_stranger_another_unit_and_an_altered_order_move_nothing(self):
        self.refused(self.sign("wipe", by="stranger"), "signature")
        self.refused(self.sign("wipe", key="--fleet-key", by="stranger"), "signature")
        self.refused(self.sign("wipe", unit="dev-02"), "another unit")
        self.refused(self.sign("quarantine", "--counter", 1), "counter")
        order = self.sign("quarantine", "--reason", "why")
        body = bytearray(base64.b64decode(order.read_text()))
        body[-70] ^= 1
        order.write_text(base64.b64encode(body).decode())
        self.refused(order, "mitral:")
        order.write_text("no base64!")
        self.refused(order, "base64")
        self.assertEqual(self.mint(), OK)

    def test_wipe(self):
        self.assertIn("wipe of dev-01", self.obey(self.sign("wipe", "--reason", "sold")))
        self.assertNotEqual(self.mint(), OK)
        self.provision()  # at once: its counter is above the wipe's
        self.assertEqual(self.mint(), OK)

    def test_rotation_waits_for_its_confirmation(self):
        self.refused(self.sign("confirm-rotation"), "rotation")
        statement = self.root / "statement"
        statement.write_text(self.mitral("order", "statement"))
        self.new_group_key()
        self.obey(self.sign("rotate", "--statement", statement, "--group-key-file", self.root / "group.key"))
        self.assertIn('"pending_key": true', self.status())
        self.obey(self.sign("confirm-rotation"))
        self.assertIn('"pending_key": false', self.status())
        self.assertEqual(self.mint(), OK)

    def status(self):
        return subprocess.run([BIN / "mitral", "status", "--json", "--config", self.root / "mitral.toml"],
                              capture_output=True, text=True, timeout=60, check=False).stdout

    @proves.proves("T-MITM-04")
    def test_a_policy_moves_the_unit_to_another_hub(self):
        self.assertNotEqual(self.mint("next.example"), OK)
        self.obey(self.sign("policy", "--id-scope", "0ne000A0A0A", "--dps-host", "dps.example",
                            "--hub", "next.example", "--signed-time"))
        self.assertEqual(self.mint("next.example"), OK)
        self.assertNotEqual(self.mint(), OK)

    def test_what_cannot_be_signed_is_said(self):
        common = ("--registration-id", "dev-01")
        station = ("--station-key", self.root / "station.key")
        fleet = ("--fleet-key", self.root / "fleet.key")
        for more, words in (((*common, "--kind", "explode", *station), "--kind"),
                            ((*common, "--kind", "provision", *station), "--kind"),
                            ((*common, "--kind", "wipe"), "--station-key or --fleet-key"),
                            ((*common, "--kind", "wipe", *station, *fleet), "--station-key or --fleet-key"),
                            ((*common, "--kind", "release", *station, "--reason", "x"), "reason"),
                            ((*common, "--kind", "rotate", *station), "--statement"),
                            ((*common, "--kind", "policy", *station), "mitral:")):
            self.assertIn(words, self.mitral("order", "sign", *more, status=1))


if __name__ == "__main__":
    proves.main()
