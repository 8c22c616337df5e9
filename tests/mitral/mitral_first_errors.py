"""What a person meets first: no configuration, no directory for the sockets. One line, cause and remedy."""
import base64
import os
import pathlib
import subprocess
import tempfile
import unittest

from support import proves

BIN = pathlib.Path(os.environ["MITRAL_BINARY_DIR"]) / "bin"
PROGRAMS = (("mitral", "verify-config"), ("mitral", "status"), ("mitral-vault",), ("mitral-enrol",),
            ("mitral-uplink",), ("mitral-intake-lines",), ("mitral-cloud", "serve"))


class FirstErrors(unittest.TestCase):
    def refusal(self, argv):
        done = subprocess.run([BIN / argv[0], *argv[1:]], capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual(done.returncode, 1, (argv, done.stderr))
        self.assertEqual(done.stdout, "", argv)
        lines = [line for line in done.stderr.splitlines() if not line.startswith("<")]  # log lines aside
        self.assertEqual(len(lines), 1, (argv, done.stderr))
        return lines[0]

    def test_no_configuration(self):
        for argv in PROGRAMS:
            line = self.refusal((*argv, "--config", "/nonexistent"))
            for words in (argv[0], "/nonexistent", "No such file", "--config", "mitral.toml"):
                self.assertIn(words, line)

    def test_no_directory_for_the_socket(self):
        with tempfile.TemporaryDirectory(prefix="mitral-errors-") as scratch:
            root = pathlib.Path(scratch)
            (root / "station.pub").write_text(base64.b64encode(bytes(32)).decode())
            (root / "mitral.toml").write_text(f"""
[vault]
socket = "{root}/nowhere/vault.sock"
state = "{root}/state"
backend = "software"
station_key = "{root}/station.pub"
""")
            line = self.refusal(("mitral-vault", "--config", str(root / "mitral.toml")))
            for words in (f"{root}/nowhere/vault.sock", "No such file", "make its directory", "systemd-tmpfiles --create"):
                self.assertIn(words, line)


if __name__ == "__main__":
    proves.main()
