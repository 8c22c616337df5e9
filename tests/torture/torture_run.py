#!/usr/bin/python3
"""The torture run as a test, and the control that it notices what it is there to notice."""
import os
import pathlib
import re
import subprocess
import sys
import unittest

from support.proves import main, proves

HERE = pathlib.Path(__file__).resolve().parent
ROW_OF_A_GOOD_PAIR = re.compile(r"^ *\d+/\d+ ok .*\n", re.M)
SUMMARY = re.compile(r"^torture: points=(\d+) faults=(\d+) pairs=(\d+) fired=(\d+) lost=(\S+) altered=(\S+)$", re.M)


def torture(*arguments):
    """(exit status, output, numbers of the last line)"""
    done = subprocess.run([sys.executable, "-B", HERE / "torture.py", *arguments], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False)
    return done.returncode, done.stdout, SUMMARY.search(done.stdout)


class Torture(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        if os.geteuid() != 0:
            raise unittest.SkipTest("needs root: namespaces, mounts, users of the daemons")

    @proves("T-DATA-01", "T-DATA-02", "T-DATA-04", "T-DOS-02", "T-TIME-01")
    def test_nothing_acknowledged_is_lost(self):
        status, output, summary = torture("--seed", os.environ.get("TORTURE_SEED", "1"),
                                          "--pairs", os.environ.get("TORTURE_PAIRS", "0"))
        self.assertEqual(0, status, "\n" + ROW_OF_A_GOOD_PAIR.sub("", output))
        points, faults, pairs, fired = (int(number) for number in summary.groups()[:4])
        self.assertGreaterEqual(points, 26)
        self.assertGreaterEqual(faults, 20)
        self.assertGreaterEqual(pairs, 500)
        self.assertEqual((pairs, "0", "0"), (fired, summary[5], summary[6]))

    def test_readings_cut_off_the_disk_are_noticed(self):
        """Negative control: a committed group vanishes behind the gateway's back."""
        status, output, _ = torture("--discard", "--only", "intake.answered:vanished-group")
        self.assertEqual(1, status, output)
        self.assertRegex(output, r"FAILED intake\.answered:vanished-group: (records given up|\d+ readings are missing)")

    def test_a_point_that_is_not_reached_is_a_failure(self):
        """Negative control: a name that no program has."""
        status, output, summary = torture("--discard", "--only", "no.such-point:kill")
        self.assertEqual(1, status, output)
        self.assertRegex(output, r"FAILED no\.such-point:kill: did not fire")
        self.assertEqual("0", summary[4])


if __name__ == "__main__":
    main()
