#!/usr/bin/python3
"""The Trusted Application against everything but what it takes: callers, shapes, sizes, requests (development/abuse.c)."""
import re
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import board_chain  # noqa: E402

END = "abuse: refusals counted"


class Abuse(board_chain.Board):
    def test_all_of_it_is_refused_and_counted(self):
        self.set_up_unit(abuse=True)
        self.unit.start()
        self.unit.wait_for(END, within=900)
        self.unit.wait_for(board_chain.UP)
        said = self.unit.text()
        self.assertNotIn("not refused", said)
        tallies = {kind: (int(tried), int(refused))
                   for kind, tried, refused in re.findall(r"abuse: (\w+) tried (\d+) refused (\d+)", said)}
        self.assertEqual(set(tallies), {"caller", "shape", "size", "request"})
        for kind, (tried, refused) in tallies.items():
            with self.subTest(kind):
                self.assertEqual(tried, refused)
                self.assertGreater(tried, 30)
        counted, served = re.search(END + r" (\d+), served still: (\w+)", said).groups()
        self.assertEqual(served, "yes")
        self.assertEqual(int(counted), tallies["request"][0])


if __name__ == "__main__":
    unittest.main(verbosity=2)
