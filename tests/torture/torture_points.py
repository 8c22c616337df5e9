#!/usr/bin/python3
"""The run's table of points is the source's, and the matrix leaves out only what it says it leaves out."""
import os
import pathlib
import re
import sys
import unittest

SOURCE = pathlib.Path(os.environ.get("MITRAL_SOURCE_DIR", pathlib.Path(__file__).resolve().parents[2]))
os.environ.setdefault("MITRAL_BINARY_DIR", str(SOURCE / "build/torture"))
sys.path[:0] = [str(SOURCE / folder) for folder in ("scripts/demo", "tests/faults", "tests/torture", "tests")]
import disturbances  # noqa: E402
import fail_points  # noqa: E402
import matrix  # noqa: E402
from support.proves import main  # noqa: E402

NAME = re.compile(r'MITRAL_FAIL_POINT(?:_AT)?\(\s*"([^"]+)"')


def in_source():
    return {name for path in (SOURCE / "src").rglob("*.cpp") for name in NAME.findall(path.read_text("utf-8"))}


class Points(unittest.TestCase):
    def test_every_point_of_the_source_is_visited(self):
        self.assertEqual(in_source(), {point.name.partition(":")[0] for point in fail_points.ALL})

    def test_names_are_unique(self):
        names = [point.name for point in fail_points.ALL]
        self.assertEqual(len(names), len(set(names)))
        self.assertEqual(len(disturbances.ALL) + 1, len(disturbances.BY_NAME))

    def test_the_matrix_is_whole(self):
        played, left = len(matrix.pairs()), sum(matrix.left_out().values())
        self.assertEqual(len(fail_points.ALL) * len(disturbances.ALL), played + left)
        self.assertGreaterEqual(played, 500)
        self.assertEqual({point.name for point in fail_points.ALL}, {point.name for point, _ in matrix.pairs()})
        self.assertEqual({fault.name for fault in disturbances.ALL}, {fault.name for _, fault in matrix.pairs()})
        self.assertTrue(all(count for count in matrix.left_out().values()))


if __name__ == "__main__":
    main()
