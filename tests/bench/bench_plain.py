"""The stand-ins that take protection out for a measurement are in the benchmarks, and in no program of the gateway."""
import os
import pathlib
import sys
import unittest

from support.proves import main, proves

BINARY = pathlib.Path(os.environ["MITRAL_BINARY_DIR"])
MARKER = b"mitral bench stand-in: unprotected"
PROGRAMS = [pathlib.Path(name) for name in sys.argv[1:]]
del sys.argv[1:]


class StandIns(unittest.TestCase):
    @proves("T-KEY-05")
    def test_no_program_of_the_gateway_holds_one(self):
        self.assertGreaterEqual(len(PROGRAMS), 5)
        for program in PROGRAMS:
            with self.subTest(program.name):
                self.assertNotIn(MARKER, program.read_bytes())

    @proves("T-KEY-05")
    def test_control_the_benchmarks_hold_it(self):
        found = sorted((BINARY / "bench/plain").rglob("bench_*"))
        self.assertEqual(len(found), 5)
        for program in found:
            with self.subTest(program.name):
                self.assertIn(MARKER, program.read_bytes())

    def test_nothing_installs_them(self):
        for script in BINARY.rglob("cmake_install.cmake"):
            if "tests/bench" in str(script):
                self.assertNotIn("bench_", script.read_text().replace(str(BINARY), ""))


if __name__ == "__main__":
    main()
