"""check_threats.py must find what it claims to find: each fault is planted and must be reported."""
import os
import pathlib
import sys
import unittest

SOURCE = pathlib.Path(os.environ.get("MITRAL_SOURCE_DIR", pathlib.Path(__file__).resolve().parents[2]))
sys.path.insert(0, str(SOURCE / "scripts"))
import check_threats  # noqa: E402
from support.proves import main  # noqa: E402

GOOD_MODEL = """
| id | threat | mitigation | proof |
|---|---|---|---|
| T-KEY-01 | key read | vault | tests |
| T-PHY-01 | disk out | encryption | accepted until boards exist, because no disk can be pulled from a laptop demo |
"""
GOOD_TEST = 'TEST(Vault, KeepsKey) {\n    MITRAL_PROVES("T-KEY-01", "CR 1.14");\n}\n'


def judge(model, *sources):
    """Complaints about a model and C++ sources."""
    threats, complaints = check_threats.read_model(model)
    tests = {}
    for text in sources:
        for name, ids in check_threats.tests_in_cpp(text):
            for proof in ids:
                tests.setdefault(proof, []).append(name)
    return complaints + check_threats.complaints_about(threats, tests)


class CheckThreats(unittest.TestCase):
    def test_a_sound_model_passes(self):
        self.assertEqual([], judge(GOOD_MODEL, GOOD_TEST))

    def test_a_threat_without_test_is_reported(self):
        self.assertIn("T-KEY-01: no test names it", "\n".join(judge(GOOD_MODEL)))

    def test_a_test_in_a_comment_does_not_count(self):
        self.assertTrue(judge(GOOD_MODEL, "// " + GOOD_TEST.replace("\n", "\n// ")))
        self.assertTrue(judge(GOOD_MODEL, "/* " + GOOD_TEST + " */"))

    def test_a_disabled_test_does_not_count(self):
        self.assertTrue(judge(GOOD_MODEL, GOOD_TEST.replace("KeepsKey", "DISABLED_KeepsKey")))

    def test_an_unknown_id_is_reported(self):
        wrong = GOOD_TEST.replace("T-KEY-01", "T-KEY-99")
        self.assertIn("T-KEY-99: unknown threat", "\n".join(judge(GOOD_MODEL, GOOD_TEST, wrong)))

    def test_requirement_ids_are_not_threats(self):
        self.assertEqual([], judge(GOOD_MODEL, GOOD_TEST, GOOD_TEST.replace("T-KEY-01", "GP-TM-24")))

    def test_an_acceptance_needs_a_reason(self):
        for hollow in ("accepted", "accepted until later", "accepted until later, because",
                       "accepted until x, because y"):
            model = GOOD_MODEL.replace(GOOD_MODEL.split("|")[-2].strip(), hollow)
            self.assertIn("T-PHY-01: accepted without", "\n".join(judge(model, GOOD_TEST)), hollow)

    def test_a_threat_without_mitigation_is_reported(self):
        model = GOOD_MODEL.replace("| vault |", "|  |")
        self.assertIn("T-KEY-01: no mitigation", "\n".join(judge(model, GOOD_TEST)))

    def test_a_double_or_broken_row_is_reported(self):
        row = "| T-KEY-01 | key read | vault | tests |"
        self.assertIn("twice", "\n".join(judge(GOOD_MODEL + row, GOOD_TEST)))
        self.assertTrue(judge(GOOD_MODEL + "| T-KEY-02 | only this |", GOOD_TEST))

    def test_proof_is_tests_or_acceptance(self):
        self.assertTrue(judge(GOOD_MODEL.replace("| tests |", "| trust us |"), GOOD_TEST))

    def test_python_proofs_are_found(self):
        text = ('class A:\n  @proves("T-WAY-01", "CR 2.1")\n  def test_x(self): pass\n'
                '  @proves("T-WAY-02")\n  def helper(self): pass\n')
        self.assertEqual([("test_x", ["T-WAY-01", "CR 2.1"])], list(check_threats.tests_in_python(text)))

    def test_proofs_over_several_lines_are_found(self):
        text = 'TEST_F(A, B) {\n MITRAL_PROVES("T-KEY-01",\n   "T-KEY-02");\n}'
        self.assertEqual([("A.B", ["T-KEY-01", "T-KEY-02"])], list(check_threats.tests_in_cpp(text)))


if __name__ == "__main__":
    main()
