#!/usr/bin/python3
"""The vault on the board, its rules and keys in OP-TEE: what it gives is right, judged from outside."""
import base64
import hashlib
import hmac
import json
import os
import subprocess
import sys
import unittest
import urllib.parse
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import board_chain  # noqa: E402
import station_link  # noqa: E402

BINARY = Path(os.environ.get("MITRAL_BINARY_DIR", board_chain.ROOT / "build/release"))
REGISTRATION = b"canary-unit"  # tests/vault/canary_station.cpp
# The station may ask what it likes, so that its answers can be judged; the others what they need.
PEERS = {"root": ["mint-hub", "mint-registration", "new-data-key", "open-data-key", "begin-provisioning",
                  "execute-order", "status", "pseudonym"],
         "mitral-intake": ["new-data-key", "status"], "mitral-intake-hl7": ["new-data-key", "pseudonym"],
         "mitral-uplink": ["mint-hub", "open-data-key", "status"]}


def station_keys():
    """An Ed25519 pair: seed and public key."""
    pair = subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-outform", "DER"], check=True,
                          capture_output=True).stdout
    public = subprocess.run(["openssl", "pkey", "-inform", "DER", "-pubout", "-outform", "DER"], check=True,
                            capture_output=True, input=pair).stdout
    return pair[-32:], public[-32:]


def signed_with(token, device_key):
    """Azure's rule: HMAC-SHA-256 over the raw sr and se."""
    parts = dict(field.split("=", 1) for field in token.removeprefix("SharedAccessSignature ").split("&"))
    key = device_key
    if "/modules/" in urllib.parse.unquote(parts["sr"]):
        key = hmac.digest(device_key, b"mitral module key 1\0DeviceUpdate", "sha256")
    mac = hmac.digest(key, f"{parts['sr']}\n{parts['se']}".encode(), hashlib.sha256)
    return base64.b64encode(mac).decode() == urllib.parse.unquote(parts["sig"])


class Custody(board_chain.Board):
    def station(self, *words):
        """The station, which is on this host, over its cable."""
        return subprocess.run([BINARY / "tests/vault/canary_station", words[0], self.socket, *words[1:]],
                              capture_output=True, text=True, check=False, timeout=300)

    def key_file(self, name, content):
        path = self.folder / name
        path.write_bytes(content)
        path.chmod(0o600)
        return path

    def set_up(self, public):
        vault = {"peer": [{"user": user, "may": may, **({"identities": ["device", "modules/DeviceUpdate"]}
                                                        if user == "root" else {})} for user, may in PEERS.items()]}
        public_file = self.key_file("station.pub", base64.b64encode(public) + b"\n")
        self.set_up_unit(vault, {"station.pub": public_file})
        self.socket = self.folder / "station.sock"
        link = station_link.StationLink(self.unit.station_port, self.socket)
        self.addCleanup(link.close)

    def test_tokens_pseudonyms_and_data_keys_are_right(self):
        station, public = station_keys()
        group, subject = os.urandom(32), os.urandom(32)
        self.set_up(public)
        self.unit.start()
        self.unit.wait_for(board_chain.CONFIRMED)
        keys = [self.key_file("group.key", group), self.key_file("subject.key", subject)]
        stranger = self.station("provision", self.key_file("other.key", station_keys()[0]), *keys)
        self.assertIn("not authentic", stranger.stderr)
        station = self.key_file("station.key", station)
        provisioned = self.station("provision", station, *keys)
        self.assertEqual(0, provisioned.returncode, provisioned.stderr)
        again = self.station("provision", station, *keys)
        self.assertIn("already provisioned", again.stderr)
        said = self.station("exercise", "5")
        self.assertEqual(0, said.returncode, said.stderr)
        got = [json.loads(line) for line in said.stdout.splitlines()]
        device = hmac.digest(group, REGISTRATION, "sha256")
        tokens = [line["token"] for line in got if "token" in line]
        self.assertEqual(len(tokens), 15)
        for token in tokens:
            self.assertTrue(signed_with(token, device))
            self.assertFalse(signed_with(token, group))  # control: another key shows
        for line in got:
            if "data_key" in line:
                self.assertTrue(line["opens"])
            if "patient" in line:
                mac = hmac.digest(subject, b"mitral subject 1\0\0\x04HOSP" + line["patient"].encode(), "sha256")
                self.assertEqual(line["pseudonym"], mac[:16].hex())
        self.assertEqual(len(got), 5 * 5)


if __name__ == "__main__":
    unittest.main(verbosity=2)
