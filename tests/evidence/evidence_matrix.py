"""evidence.py must never turn a skipped, failed, crashed or stale test into a pass."""
import datetime
import json
import os
import pathlib
import sys
import tempfile
import time
import unittest

SOURCE = pathlib.Path(os.environ.get("MITRAL_SOURCE_DIR", pathlib.Path(__file__).resolve().parents[2]))
sys.path.insert(0, str(SOURCE / "scripts"))
import check_threats  # noqa: E402
import evidence  # noqa: E402
from support.proves import main  # noqa: E402

MODEL = """
| T-KEY-01 | key read | vault | tests |
| T-PHY-01 | disk out | encryption | accepted until boards exist, because no disk can be pulled from a laptop |
"""


def case(name, proves="T-KEY-01", status="run", result="completed", inner=""):
    return (f'<testcase name="{name}" classname="Vault" status="{status}" result="{result}">{inner}'
            f'<properties><property name="proves" value="{proves}"/></properties></testcase>')


class Matrix(unittest.TestCase):
    def setUp(self):
        self._directory = tempfile.TemporaryDirectory()
        self.addCleanup(self._directory.cleanup)
        self.path = pathlib.Path(self._directory.name)

    def gtest(self, *cases, name="vault.Vault.a.xml"):
        (self.path / name).write_text(f"<testsuites><testsuite name='Vault'>{''.join(cases)}</testsuite></testsuites>")

    def verdict(self, proof="T-KEY-01", junit=None):
        threats, _ = check_threats.read_model(MODEL)
        return evidence.matrix(evidence.collect(self.path, junit), threats)[proof]["verdict"]

    def junit(self, status, began=None):
        path = self.path / "ctest.xml"
        moment = datetime.datetime.fromtimestamp(time.time() - 60 if began is None else began)
        path.write_text(f"<testsuite timestamp='{moment.isoformat(timespec='seconds')}'>"
                        f"<testcase name='vault.Vault.a' status='{status}'/></testsuite>")
        return path

    def test_pass(self):
        self.gtest(case("a"))
        self.assertEqual("pass", self.verdict())

    def test_a_failure_beats_a_pass(self):
        self.gtest(case("a"), case("b", inner='<failure message="no"/>'))
        self.assertEqual("fail", self.verdict())

    def test_skipped_is_not_a_pass(self):
        self.gtest(case("a", result="skipped", inner="<skipped/>"))
        self.assertEqual("not run", self.verdict())

    def test_not_run_is_not_a_pass(self):
        self.gtest(case("a", status="notrun", result="suppressed"))
        self.assertEqual("not run", self.verdict())

    def test_no_report_is_not_a_pass(self):
        self.assertEqual("not run", self.verdict())

    def test_an_acceptance_is_not_a_pass(self):
        self.assertEqual("accepted", self.verdict("T-PHY-01"))
        self.gtest(case("a", proves="T-PHY-01"))
        self.assertEqual("accepted", self.verdict("T-PHY-01"))

    def test_a_torn_report_is_a_failure(self):
        (self.path / "vault.xml").write_text("<testsuites><testsuite>")
        self.assertEqual(["fail"], [row["verdict"] for row in evidence.collect(self.path)])

    def test_python_reports(self):
        for verdict, expected in (("pass", "pass"), ("error", "fail"), ("skipped", "not run"), ("what", "fail")):
            (self.path / "system_x.json").write_text(
                json.dumps([{"test": "__main__.A.test_b", "verdict": verdict, "proves": ["T-KEY-01"]}]))
            self.assertEqual(expected, self.verdict(), verdict)

    def test_ctest_knows_better(self):
        """A test that crashed after its report was written, or did not run at all."""
        self.gtest(case("a"))
        self.assertEqual("pass", self.verdict(junit=self.junit("run")))
        self.assertEqual("fail", self.verdict(junit=self.junit("fail")))
        self.assertEqual("not run", self.verdict(junit=self.junit("notrun")))

    def test_a_report_of_an_earlier_run_is_not_a_pass(self):
        self.gtest(case("a"))
        (self.path / "system_x.json").write_text(
            json.dumps([{"test": "__main__.A.test_b", "verdict": "pass", "proves": ["T-SW-01"]}]))
        later = self.junit("run", began=time.time() + 60)
        self.assertEqual("not run", self.verdict(junit=later))
        self.assertEqual("not run", self.verdict("T-SW-01", junit=later))

    def test_the_page_names_every_id(self):
        self.gtest(case("a", proves="T-KEY-01; CR 1.14"))
        threats, _ = check_threats.read_model(MODEL)
        page = evidence.markdown(evidence.matrix(evidence.collect(self.path), threats))
        for proof in ("T-KEY-01", "T-PHY-01", "CR 1.14"):
            self.assertIn(f"| {proof} |", page)


if __name__ == "__main__":
    main()
