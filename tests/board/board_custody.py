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
import disk  # noqa: E402

REGISTRATION = b"canary-unit"  # tests/vault/canary_station.cpp
SETTINGS = b"""
[vault]
socket = "/run/mitral/vault.sock"
state = "/data/vault"
backend = "optee"
station_key = "/data/trial/station.pub"
user = "mitral-vault"
[[vault.peer]]
user = "root"
may = ["mint-hub", "mint-registration", "new-data-key", "open-data-key", "begin-provisioning", "execute-order",
       "status", "pseudonym"]
identities = ["device", "modules/DeviceUpdate"]
"""


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
    def test_tokens_pseudonyms_and_data_keys_are_right(self):
        station, public = station_keys()
        group, subject = os.urandom(32), os.urandom(32)
        disk.write_data(self.unit.disk, "trial", {
            "station.key": station, "station.pub": base64.b64encode(public) + b"\n", "group.key": group,
            "subject.key": subject, "mitral.toml": SETTINGS})
        self.unit.start()
        self.unit.wait_for("trial: over")
        said = self.unit.text()
        self.assertIn("trial: provisioned", said)
        self.assertIn("already provisioned", said)
        self.assertIn("trial: a second time refused", said)
        got = [json.loads(line) for line in said.splitlines() if line.startswith("{")]
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
