#!/usr/bin/python3
"""The vault on the board, its rules and keys in OP-TEE: what it gives is right, judged from outside."""
import base64
import hashlib
import hmac
import sys
import unittest
import urllib.parse
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import board_chain  # noqa: E402
import provisioned  # noqa: E402


def signed_with(token, device_key):
    """Azure's rule: HMAC-SHA-256 over the raw sr and se."""
    parts = dict(field.split("=", 1) for field in token.removeprefix("SharedAccessSignature ").split("&"))
    key = device_key
    if "/modules/" in urllib.parse.unquote(parts["sr"]):
        key = hmac.digest(device_key, b"mitral module key 1\0DeviceUpdate", "sha256")
    mac = hmac.digest(key, f"{parts['sr']}\n{parts['se']}".encode(), hashlib.sha256)
    return base64.b64encode(mac).decode() == urllib.parse.unquote(parts["sig"])


class Custody(provisioned.Provisioned):
    def test_tokens_pseudonyms_and_data_keys_are_right(self):
        keys = provisioned.Keys()
        self.set_up(keys.public)
        self.unit.start()
        self.unit.wait_for(board_chain.CONFIRMED)
        stranger = self.provision(keys, provisioned.station_keys()[0])
        self.assertIn("not authentic", stranger.stderr)
        given = self.provision(keys)
        self.assertEqual(0, given.returncode, given.stderr)
        again = self.provision(keys)
        self.assertIn("already provisioned", again.stderr)
        got = self.exercised(5)
        tokens = [line["token"] for line in got if "token" in line]
        self.assertEqual(len(tokens), 15)
        for token in tokens:
            self.assertTrue(signed_with(token, keys.device))
            self.assertFalse(signed_with(token, keys.group))  # control: another key shows
        for line in got:
            if "data_key" in line:
                self.assertTrue(line["opens"])
            if "patient" in line:
                mac = hmac.digest(keys.subject, b"mitral subject 1\0\0\x04HOSP" + line["patient"].encode(), "sha256")
                self.assertEqual(line["pseudonym"], mac[:16].hex())
        self.assertEqual(len(got), 5 * 5)


if __name__ == "__main__":
    unittest.main(verbosity=2)
