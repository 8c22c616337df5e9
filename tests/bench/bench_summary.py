"""A figure's verdict follows from value and bar, and a missed bar is shown in every form of the summary."""
import json
import os
import pathlib
import sys
import unittest
import xml.etree.ElementTree as xml

from support.proves import main

SOURCE = pathlib.Path(os.environ["MITRAL_SOURCE_DIR"])
sys.path.insert(0, str(SOURCE / "scripts/bench"))

import plot  # noqa: E402
import summary  # noqa: E402


def figure(value, bar, name="figure", **more):
    return summary.Figure(name, value, "µs", bar, more.get("peers", {}), more.get("details", []))


class Verdict(unittest.TestCase):
    def test_at_most(self):
        self.assertTrue(figure(6, summary.at_most(6)).met)
        self.assertTrue(figure(5.9, summary.at_most(6)).met)
        self.assertFalse(figure(6.01, summary.at_most(6)).met)

    def test_at_least(self):
        self.assertTrue(figure(60_000, summary.at_least(60_000)).met)
        self.assertFalse(figure(59_999, summary.at_least(60_000)).met)

    def test_without_a_bar_there_is_none(self):
        self.assertIsNone(figure(1, None).met)


class Forms(unittest.TestCase):
    def setUp(self):
        self.figures = [figure(5, summary.at_most(6), "good", peers={"other": 10.0, "third": 11.0}),
                        figure(70, summary.at_most(6), "bad"), figure(1, None, "beside")]

    def test_json_is_what_the_documentation_says(self):
        entries = json.loads(summary.to_json(self.figures))
        self.assertEqual([list(entry) for entry in entries], [["name", "value", "unit", "bar", "met", "peers"]] * 3)
        self.assertEqual(entries[0], {"name": "good", "value": 5, "unit": "µs", "bar": 6, "met": True,
                                      "peers": {"other": 10.0, "third": 11.0}})
        self.assertEqual([entry["met"] for entry in entries], [True, False, None])

    def test_the_table_says_what_was_missed(self):
        lines = {line.split()[0]: line for line in summary.to_table(self.figures).splitlines()}
        self.assertIn("NOT MET", lines["bad"])
        self.assertNotIn("NOT MET", lines["good"])
        self.assertNotIn("NOT MET", lines["beside"])

    def test_the_picture_shows_it(self):
        root = xml.fromstring(plot.to_svg(self.figures))
        colours = [box.get("fill") for box in root.iter("{http://www.w3.org/2000/svg}rect")]
        self.assertEqual(colours.count(plot.MISSED), 1)
        self.assertEqual(colours.count(plot.MET), 1)

    def test_the_picture_measures_both_sides_alike(self):
        self.assertAlmostEqual(plot.load(figure(3, summary.at_most(6))), 0.5)
        self.assertAlmostEqual(plot.load(figure(120, summary.at_least(60))), 0.5)
        self.assertGreater(plot.load(figure(1, summary.at_most(0))), 1)


if __name__ == "__main__":
    main()
