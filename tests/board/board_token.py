#!/usr/bin/python3
"""A board whose signing keys never were in a file: a token made them, signs firmware and image, and a unit starts.

Takes what needs no signature from the image of `make board`, and makes the rest anew.
"""
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path
from types import SimpleNamespace
from unittest import mock

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "scripts" / "board"), str(ROOT / "tests" / "board")]

import build  # noqa: E402
import keys  # noqa: E402
import plan  # noqa: E402
import stages  # noqa: E402
from softtoken import SoftToken  # noqa: E402
from unit import Unit  # noqa: E402

IMAGE = Path(os.environ.get("MITRAL_BOARD_DIR", ROOT / "build" / "board"))


class Token(unittest.TestCase):
    def test_a_unit_starts_on_what_a_token_signed(self):
        with tempfile.TemporaryDirectory(prefix="mitral-token-") as made:
            folder = Path(made)
            token = SoftToken(folder / "token")
            for name, bits in keys.BITS.items():
                token.make(name, bits)
            with mock.patch.dict(os.environ, token.environment):
                image = self.signed_by(token, folder / "board")
            self.assertFalse([path for path in folder.rglob("*.pem") if b"PRIVATE" in path.read_bytes()])
            unit = Unit(image, folder / "unit")
            self.addCleanup(unit.stop)
            unit.start()
            unit.wait_for("board: up")
            self.assertIn("Verifying Hash Integrity ... sha256,rsa3072:boot+", unit.text())

    def signed_by(self, token, folder):
        folder.mkdir()
        store, public = keys.store(token.uri), folder / "public"
        keys.export(store, public)
        for made in IMAGE.iterdir():
            if made.is_dir() and not (folder / made.name).exists():
                (folder / made.name).symlink_to(made)
        told = build.shared(SimpleNamespace(board="qemu", jobs=os.cpu_count()), folder)
        workshop = stages.Workshop(folder, told, store.signing(public))
        for stage in plan.stages(folder, "development"):
            if stage.signs or stage.name == "disk":
                (folder / stage.name).unlink()
                (folder / stage.name).mkdir()
                workshop.run(stage, folder / stage.name)
        return folder


if __name__ == "__main__":
    unittest.main()
