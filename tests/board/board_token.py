#!/usr/bin/python3
"""A board whose signing keys never were in a file: a token made them, signs firmware and image, and a unit starts.

Takes what needs no signature from the image of `make board`, and makes the rest anew.
"""
import os
import sys
import tempfile
import unittest
from pathlib import Path
from unittest import mock

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "scripts" / "board"), str(ROOT / "tests" / "board")]

import keys  # noqa: E402
from signed_again import EVERYTHING, sign  # noqa: E402
from softtoken import SoftToken  # noqa: E402
from unit import Unit  # noqa: E402


class Token(unittest.TestCase):
    def test_a_unit_starts_on_what_a_token_signed(self):
        with tempfile.TemporaryDirectory(prefix="mitral-token-") as made:
            folder = Path(made)
            token = SoftToken(folder / "token")
            for name, bits in keys.BITS.items():
                token.make(name, bits)
            with mock.patch.dict(os.environ, token.environment):
                image = sign(keys.store(token.uri), folder / "board", "development", EVERYTHING)
            self.assertFalse([path for path in folder.rglob("*.pem") if b"PRIVATE" in path.read_bytes()])
            unit = Unit(image, folder / "unit")
            self.addCleanup(unit.stop)
            unit.start()
            unit.wait_for("board: up")
            self.assertIn("Verifying Hash Integrity ... sha256,rsa3072:boot+", unit.text())


if __name__ == "__main__":
    unittest.main()
