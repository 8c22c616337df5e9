"""A new certificate authority in the field: a signed bundle replaces the pinned roots, and only a sound one does."""
import base64
import os
import subprocess
import unittest

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519

from support.proves import main, proves
from uplink.uplink_support import BINARY_DIR, Authority, Scratch, behave_well, server_context, wait_for

RAW = (serialization.Encoding.Raw, serialization.PrivateFormat.Raw, serialization.NoEncryption())


class Fleet:
    """Who signs bundles, with the program that a fleet uses."""

    def __init__(self, directory, name):
        self.key_file, self.public_file = directory / f"{name}.key", directory / f"{name}.pub"
        key = ed25519.Ed25519PrivateKey.generate()
        self.key_file.touch(0o600)
        self.key_file.write_bytes(base64.b64encode(key.private_bytes(*RAW)))
        public = key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
        self.public_file.write_bytes(base64.b64encode(public) + b"\n")

    def sign(self, version, *authorities):
        return subprocess.run(
            [BINARY_DIR / "bin/mitral", "trust", "sign", "--version", str(version), "--key", self.key_file,
             *(authority.file for authority in authorities)], check=True, capture_output=True, timeout=30).stdout


class RollOver(unittest.TestCase):
    def setUp(self):
        self.scratch = Scratch(self)
        self.old = self.scratch.authority
        self.new = Authority(self.scratch.path, "Next Root")
        self.fleet = Fleet(self.scratch.path, "fleet")
        self.bundle = self.scratch.path / "trust-bundle"

    def gateway(self, authority):
        """(hub with a certificate of `authority`, gateway that is assigned to it)"""
        broker = self.scratch.broker(behave_well, context=server_context(*authority.issue()))
        return broker, self.scratch.gateway(broker.port, trust_bundle=str(self.bundle),
                                            trust_bundle_key=str(self.fleet.public_file))

    def install(self, gateway, bundle):
        given = self.scratch.path / "given"
        given.write_bytes(bundle)
        return subprocess.run([BINARY_DIR / "bin/mitral", "trust", "install", "--config", gateway.config, given],
                              capture_output=True, text=True, timeout=30)

    def expect_delivery(self, authority, first):
        broker, gateway = self.gateway(authority)
        gateway.fill(5, first=first)
        gateway.start()
        self.assertTrue(wait_for(lambda: broker.messages), gateway.log())
        self.assertEqual(gateway.stop(), 0)
        return gateway

    def expect_refusal(self, authority):
        broker, gateway = self.gateway(authority)
        gateway.log_file.unlink(missing_ok=True)
        gateway.start()
        self.assertTrue(gateway.logged("hub-not-trusted"), gateway.log())
        self.assertEqual(gateway.stop(), 0)
        self.assertEqual(broker.messages, [])

    @proves("T-MITM-01", "CR 1.8", "GP-TM-07")
    def test_the_bundle_replaces_the_roots(self):
        gateway = self.expect_delivery(self.old, 1)  # there is no bundle yet: the files of the image hold
        self.expect_refusal(self.new)
        installed = self.install(gateway, self.fleet.sign(2, self.new))
        self.assertEqual(installed.returncode, 0, installed.stderr)
        self.expect_delivery(self.new, 6)
        self.expect_refusal(self.old)

    @proves("T-MITM-01")
    def test_both_authorities_while_the_hubs_change(self):
        _, gateway = self.gateway(self.old)
        self.assertEqual(self.install(gateway, self.fleet.sign(2, self.old, self.new)).returncode, 0)
        self.expect_delivery(self.old, 1)
        self.expect_delivery(self.new, 6)

    @proves("T-MITM-01", "CR 1.8")
    def test_only_a_newer_bundle_of_the_fleet_is_installed(self):
        _, gateway = self.gateway(self.old)
        self.assertEqual(self.install(gateway, self.fleet.sign(3, self.new)).returncode, 0)
        stranger = Fleet(self.scratch.path, "stranger")
        for name, bundle in {"same version": self.fleet.sign(3, self.old), "older": self.fleet.sign(2, self.old),
                             "stranger": stranger.sign(4, self.old)}.items():
            with self.subTest(name):
                refused = self.install(gateway, bundle)
                self.assertEqual(refused.returncode, 1)
                self.assertEqual(len(refused.stderr.splitlines()), 1, refused.stderr)
        self.expect_delivery(self.new, 1)

    def start_the_program(self, gateway):
        return subprocess.run([BINARY_DIR / "bin/mitral-uplink", "--config", gateway.config], capture_output=True,
                              text=True, timeout=30, env={**os.environ, "NOTIFY_SOCKET": ""})

    @proves("T-MITM-01", "CR 3.4")
    def test_on_a_damaged_bundle_it_does_not_start(self):
        """Nor does it fall back to the roots of the image, which the bundle may have replaced for a reason."""
        broker, gateway = self.gateway(self.old)
        gateway.fill(5)
        good = self.fleet.sign(2, self.old)
        middle = len(good) // 2
        damaged = {"altered": good[:middle] + bytes([good[middle] ^ 1]) + good[middle + 1:], "cut": good[:middle],
                   "empty": b"", "unsigned": self.old.file.read_bytes(),
                   "signed by a stranger": Fleet(self.scratch.path, "stranger").sign(2, self.old)}
        for name, content in damaged.items():
            with self.subTest(name):
                self.bundle.write_bytes(content)
                ended = self.start_the_program(gateway)
                self.assertEqual(ended.returncode, 1, ended.stderr)
                self.assertEqual(len(ended.stderr.splitlines()), 1, ended.stderr)
                self.assertIn(str(self.bundle), ended.stderr)
        self.assertEqual(broker.names, [])
        self.bundle.write_bytes(good)  # control: it was the damage
        gateway.start()
        self.assertTrue(wait_for(lambda: broker.messages), gateway.log())


if __name__ == "__main__":
    main()
