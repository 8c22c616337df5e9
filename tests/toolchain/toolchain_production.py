#!/usr/bin/python3
"""A production build of the vault holds no software key store, not even unreachable code of one."""
import os
import pathlib
import re
import subprocess
import unittest

from support.proves import main, proves

SOURCE = pathlib.Path(os.environ["MITRAL_SOURCE_DIR"])
BINARY = pathlib.Path(os.environ["MITRAL_BINARY_DIR"])
BUILD = BINARY / "production"
SOFTWARE = re.compile(r"mitral::vault::(?:software::|\w*[Ss]oftware)")


def symbols(program):
    return subprocess.run(["nm", "--demangle", str(program)], check=True, capture_output=True, text=True).stdout


def build():
    subprocess.run(["cmake", "-S", SOURCE, "-B", BUILD, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Release",
                    "-DMITRAL_PRODUCTION=ON", "--log-level=WARNING"], check=True)
    subprocess.run(["cmake", "--build", BUILD, "--target", "mitral-vault"], check=True)
    return BUILD / "bin" / "mitral-vault"


class Production(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.program = build()

    @proves("T-KEY-05", "T-KEY-01", "CR 1.5", "R51")
    def test_no_software_key_store(self):
        self.assertEqual(sorted(set(SOFTWARE.findall(symbols(self.program)))), [])

    @proves("T-KEY-05")
    def test_control_the_development_build_has_one(self):
        self.assertTrue(SOFTWARE.search(symbols(BINARY / "bin" / "mitral-vault")))

    @proves("T-KEY-05", "R51")
    def test_the_setting_is_refused(self):
        folder = BUILD / "refused"
        folder.mkdir(exist_ok=True)
        config = folder / "mitral.toml"
        station = folder / "station.pub"
        station.write_text("11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n")  # RFC 8032, test 1
        config.write_text(f'[vault]\nbackend = "software"\nsocket = "{folder}/vault.sock"\nstate = "{folder}"\n'
                          f'station_key = "{station}"\n')
        answer = subprocess.run([self.program, "--config", config], capture_output=True, text=True, timeout=20,
                                check=False)
        self.assertNotEqual(answer.returncode, 0)
        self.assertIn("software", answer.stderr)


if __name__ == "__main__":
    main()
