"""Ties a Python test to what it proves, as tests/support/proves.hpp does for C++.

    @proves("T-WAY-01", "CR 2.1")
    def test_no_subscribe(self): ...

Call `main()` instead of unittest.main(): it writes the verdicts, with their ids, to MITRAL_EVIDENCE_DIR.
"""
import json
import os
import pathlib
import sys
import unittest


def proves(*ids):
    def mark(function):
        function.proves = list(ids)
        return function
    return mark


class _Recorder(unittest.TextTestResult):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.rows = []

    def _row(self, test, verdict):
        method = getattr(test, test._testMethodName, None) if hasattr(test, "_testMethodName") else None
        self.rows.append({"test": test.id(), "verdict": verdict, "proves": getattr(method, "proves", [])})

    def addSuccess(self, test):
        super().addSuccess(test)
        self._row(test, "pass")

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self._row(test, "fail")

    def addError(self, test, err):
        super().addError(test, err)
        self._row(test, "error")

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self._row(test, "skipped")


def main():
    program = unittest.main(module="__main__", exit=False, verbosity=2,
                            testRunner=unittest.TextTestRunner(resultclass=_Recorder, verbosity=2))
    result = program.result
    directory = os.environ.get("MITRAL_EVIDENCE_DIR")
    if directory:
        path = pathlib.Path(directory)
        path.mkdir(parents=True, exist_ok=True)
        name = pathlib.Path(sys.argv[0]).stem
        (path / f"{name}.json").write_text(json.dumps(result.rows, indent=1))
    if not result.wasSuccessful():
        sys.exit(1)
    if result.testsRun == len(result.skipped):
        sys.exit(77)
