#!/usr/bin/python3
"""No program holds a fail-point or the code behind them, unless it was built for the torture run.

    toolchain_fail_points.py absent|present PROGRAM…
"""
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

from support.proves import main, proves

SOURCE = pathlib.Path(os.environ["MITRAL_SOURCE_DIR"])
NAME = re.compile(r'MITRAL_FAIL_POINT(?:_AT)?\(\s*"([^"]+)"')
SOCKET = b"MITRAL_TORTURE"
CODE = re.compile(r"mitral::base::fail_point::")


def names():
    return {name for path in (SOURCE / "src").rglob("*.cpp") for name in NAME.findall(path.read_text("utf-8"))}


def traces(binary):
    """What a binary holds of the fail-points: names, the variable, symbols."""
    data = binary.read_bytes()
    found = {name for name in [*names(), SOCKET.decode()] if name.encode() + b"\0" in data}
    symbols = subprocess.run(["nm", "--demangle", binary], check=True, capture_output=True, text=True).stdout
    return found | set(CODE.findall(symbols))


class FailPoints(unittest.TestCase):
    expected = "absent"
    programs = ()

    @proves("T-DOS-01", "T-DATA-01", "R51")
    def test_programs(self):
        self.assertGreater(len(names()), 25)
        daemons = [path for path in self.programs if path.name not in ("mitral", "mitral-cloud")]
        self.assertGreater(len(daemons), 3)
        for program in self.programs if self.expected == "absent" else daemons:
            with self.subTest(program=program.name):
                self.assertEqual(self.expected, "present" if traces(program) else "absent")

    def test_the_search_sees_one(self):
        """Negative control: one file built with fail-points shows its name and the code."""
        with tempfile.TemporaryDirectory() as folder:
            built = pathlib.Path(folder) / "segment_writer.o"
            subprocess.run(["c++", "-std=c++23", "-DMITRAL_FAIL_POINTS=1", f"-I{SOURCE}/src", "-c",
                            SOURCE / "src/spool/segment_writer.cpp", "-o", built], check=True)
            found = traces(built)
        self.assertIn("group.sync", found)
        self.assertIn("mitral::base::fail_point::", found)

    def test_a_product_with_fail_points_is_refused(self):
        with tempfile.TemporaryDirectory() as folder:
            done = subprocess.run(["cmake", "-S", SOURCE, "-B", folder, "-G", "Ninja", "-DMITRAL_PRODUCTION=ON",
                                   "-DMITRAL_FAIL_POINTS=ON"], capture_output=True, text=True, check=False)
        self.assertNotEqual(0, done.returncode)
        self.assertIn("exclude each other", done.stderr)


if __name__ == "__main__":
    FailPoints.expected = sys.argv[1]
    FailPoints.programs = [pathlib.Path(name) for name in sys.argv[2:]]
    del sys.argv[1:]
    main()
