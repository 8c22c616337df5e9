"""coverage.toml says which test shows each thing that Azure's clients expect. Here: nothing that has to be in it is
missing, each test it names is there and runs with the others, and none has failed or been skipped."""
import ast
import json
import os
import pathlib
import re
import subprocess
import tomllib
import unittest

from support.proves import main

SOURCE = pathlib.Path(os.environ["MITRAL_SOURCE_DIR"])
BUILD = pathlib.Path(os.environ["MITRAL_BINARY_DIR"])
MATRIX = pathlib.Path(__file__).with_name("coverage.toml")

# How many entries each part has at least, and what no part may lack: a line that is taken out is missed.
LEAST = {"hub": 32, "connect": 7, "provisioning": 13}
CODES = {"connect": ("0 ", "1 ", "2 ", "3 ", "4 ", "5 "),
         "provisioning": ("202 assigning", "200 assigned", "200 failed 400207", "200 failed 400208",
                          "200 failed 400209", "200 disabled", "401 401002", "401 401000", "404 404201", "404 404202",
                          "404 404203", "429 ", "CONNACK 5 ")}


def switches():
    """Each switch needs a test of both its sides."""
    text = (SOURCE / "src/cloud/hub/observed.cpp").read_text()
    return re.findall(r'\{"([a-z0-9-]+)", &Observed::', text)


def cases_of(script):
    """"Class.test" of a script of tests."""
    return {f"{top.name}.{inner.name}" for top in ast.parse(script.read_text()).body if isinstance(top, ast.ClassDef)
            for inner in top.body if isinstance(inner, ast.FunctionDef) and inner.name.startswith("test")}


def registered():
    """ctest's tests: name to script, or to None when it is none."""
    told = subprocess.run(["ctest", "--test-dir", BUILD, "--show-only=json-v1"], check=True, capture_output=True,
                          text=True).stdout
    tests = {}
    for test in json.loads(told)["tests"]:
        scripts = [part for part in test.get("command", []) if part.endswith(".py")]
        tests[test["name"]] = pathlib.Path(scripts[0]) if scripts else None
    return tests


def verdicts_of(script):
    """"Class.test" to verdict, of its last run; nothing when there was none."""
    report = BUILD / "evidence" / f"{script.stem}.json"
    if not report.exists():
        return {}
    return {row["test"].split(".", 1)[1]: row["verdict"] for row in json.loads(report.read_text())}


def complaints(matrix, tests, cases=cases_of, verdicts=verdicts_of):
    found = [f"{part}: {count - len(matrix.get(part, {}))} entries are missing" for part, count in LEAST.items()
             if len(matrix.get(part, {})) < count]
    for part, codes in CODES.items():
        found += [f"{part}: nothing begins with '{code}'" for code in codes
                  if not any(entry.startswith(code) for entry in matrix.get(part, {}))]
    found += [f"observed: no entry for {name}" for name in switches() if name not in matrix.get("observed", {})]
    for part, entries in matrix.items():
        for entry, names in entries.items():
            found += [f"{part}: '{entry}' has no test"] if not names else []
            for name in names:
                problem = problem_of(name, tests, cases, verdicts)
                found += [f"{part}: '{entry}': {name} {problem}"] if problem else []
    return found


def problem_of(name, tests, cases, verdicts):
    test, _, case = name.partition(":")
    if test not in tests:
        return "is no test of ctest"
    script = tests[test]
    if script is None or not case:
        return None if script is None and not case else "has to name a case of a script, and only of a script"
    if case not in cases(script):
        return "is no case of that script"
    verdict = verdicts(script).get(case, "not run" if os.environ.get("CI") else "pass")
    return None if verdict == "pass" else f"is no proof: {verdict}"


class Same:
    """One verdict for every case."""

    def __init__(self, verdict):
        self.verdict = verdict

    def get(self, _case, _default):
        return self.verdict


class Coverage(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.matrix = tomllib.loads(MATRIX.read_text())
        cls.tests = registered()

    def test_everything_has_a_test(self):
        self.assertEqual(complaints(self.matrix, self.tests), [])

    def spoilt(self, change, **more):
        matrix = json.loads(json.dumps(self.matrix))
        change(matrix)
        return "\n".join(complaints(matrix, self.tests, **{"verdicts": lambda _: Same("pass"), **more}))

    def test_control_what_is_missing_is_found(self):
        first = next(iter(self.matrix["hub"]))
        self.assertIn("hub: 1 entries are missing", self.spoilt(lambda m: m["hub"].pop(first)))
        self.assertIn("begins with '429 '", self.spoilt(lambda m: m["provisioning"].pop("429 sent again")))
        self.assertIn("no entry for qos2-puback", self.spoilt(lambda m: m["observed"].pop("qos2-puback")))
        self.assertIn("has no test", self.spoilt(lambda m: m["hub"].update({first: []})))
        for wrong, words in (("cloud.none:A.test_b", "no test of ctest"), ("cloud.mqtt:Hub.test_none", "no case"),
                             ("cloud.mqtt", "has to name a case"),
                             ("azure.SasVerify.AcceptsEveryVector:A.test_b", "has to name a case")):
            self.assertIn(words, self.spoilt(lambda m, wrong=wrong: m["hub"].update({first: [wrong]})))

    def test_control_a_test_that_failed_or_was_skipped_is_no_proof(self):
        for verdict in ("fail", "error", "skipped"):
            told = self.spoilt(lambda _: None, verdicts=lambda _, verdict=verdict: Same(verdict))
            self.assertIn(f"is no proof: {verdict}", told)
        self.assertEqual(self.spoilt(lambda _: None), "")


if __name__ == "__main__":
    main()
