#!/usr/bin/python3
"""Makes the evidence matrix (matrix.md, matrix.json) from what the tests reported.

    evidence.py [--evidence build/release/evidence] [--junit build/release/ctest.xml] [--also build/torture/evidence]

Each row: a threat or requirement id, the tests that name it, their verdicts. A test that was skipped or
did not run proves nothing; one failing test fails its ids. With the run's ctest report (--junit) a report
left over from an earlier run cannot pass for a new one.
"""
import argparse
import dataclasses
import datetime
import json
import pathlib
import sys
import xml.etree.ElementTree as ElementTree

import check_threats


def from_gtest(path):
    """Rows {"test", "verdict", "proves"} of one GoogleTest report."""
    for case in ElementTree.parse(path).getroot().iter("testcase"):
        ids = []
        for item in case.iter("property"):
            if item.get("name") == "proves":
                ids = [part.strip() for part in item.get("value", "").split(";")]
        # GoogleTest before 1.12 writes recorded properties as attributes.
        ids = ids or [part.strip() for part in case.get("proves", "").split(";") if part.strip()]
        yield {"test": f'{case.get("classname")}.{case.get("name")}', "verdict": _gtest_verdict(case),
               "proves": ids}


def _gtest_verdict(case):
    if case.find("failure") is not None or case.find("error") is not None:
        return "fail"
    if case.get("status") != "run" or case.get("result") not in (None, "completed"):
        return "not run"
    if case.find("skipped") is not None:
        return "not run"
    return "pass"


def from_python(path):
    known = {"pass": "pass", "fail": "fail", "error": "fail", "skipped": "not run"}
    for row in json.loads(path.read_text(encoding="utf-8")):
        yield {"test": row["test"].replace("__main__", path.stem), "verdict": known.get(row["verdict"], "fail"),
               "proves": row["proves"]}


@dataclasses.dataclass(frozen=True)
class Run:
    """ctest's own account of a run."""
    began: float    # Unix seconds
    verdicts: dict  # test name -> "pass", "fail" or "not run"


def from_junit(path):
    root = ElementTree.parse(path).getroot()
    began = datetime.datetime.fromisoformat(root.get("timestamp")).timestamp()  # local time, whole seconds
    verdicts = {}
    for case in root.iter("testcase"):
        status = case.get("status")
        failed = status == "fail" or case.find("failure") is not None
        verdicts[case.get("name")] = "fail" if failed else "pass" if status == "run" else "not run"
    return Run(began, verdicts)


def collect(directory, junit=None):
    """All rows; a malformed report counts as a failed test, never as nothing."""
    rows = []
    run = from_junit(junit) if junit else None
    for path in sorted(pathlib.Path(directory).glob("*")):
        reader = {".xml": from_gtest, ".json": from_python}.get(path.suffix)
        if reader is None or path.name == "matrix.json" or (junit and path.samefile(junit)):
            continue
        try:
            found = list(reader(path))
        except (ElementTree.ParseError, ValueError, KeyError, TypeError) as error:
            found = [{"test": f"{path.name} (unreadable: {error})", "verdict": "fail", "proves": []}]
        if run is not None:
            for row in found:
                row["verdict"] = _confirmed(row["verdict"], path, run)
        rows += found
    return rows


def _confirmed(verdict, path, run):
    """The report's verdict, unless ctest says that this test failed, or it is from an earlier run."""
    told = run.verdicts.get(path.stem)
    if told in ("fail", "not run"):
        return told
    return verdict if path.stat().st_mtime >= run.began else "not run"


def matrix(rows, threats):
    """Id -> {"title", "tests", "verdict", "accepted"}; ids of the threat model stand in it even untested."""
    table = {threat.id: {"title": threat.title, "tests": [], "accepted": threat.accepted, "proof": threat.proof}
             for threat in threats.values()}
    for row in rows:
        for proof in row["proves"]:
            entry = table.setdefault(proof, {"title": "", "tests": [], "accepted": False, "proof": "tests"})
            entry["tests"].append({"test": row["test"], "verdict": row["verdict"]})
    for entry in table.values():
        entry["verdict"] = _verdict(entry)
    return dict(sorted(table.items()))


def _verdict(entry):
    verdicts = {test["verdict"] for test in entry["tests"]}
    if "fail" in verdicts:
        return "fail"
    if entry["accepted"]:
        return "accepted"  # what tests there are show a part of it at most
    return "pass" if "pass" in verdicts else "not run"


def markdown(table):
    lines = ["# Evidence", "", "Made by scripts/evidence.py from the reports of one test run. "
             "A skipped test counts as not run.", "", "| id | verdict | tests (pass / fail / not run) | what |",
             "|---|---|---|---|"]
    for proof, entry in table.items():
        counts = [sum(test["verdict"] == verdict for test in entry["tests"]) for verdict in ("pass", "fail", "not run")]
        lines.append(f'| {proof} | {entry["verdict"]} | {counts[0]} / {counts[1]} / {counts[2]} | {entry["title"]} |')
    for proof, entry in table.items():
        lines += ["", f"## {proof}: {entry['verdict']}", ""]
        if entry["title"]:
            lines += [entry["title"], ""]
        if entry["accepted"]:
            lines += [f"*{entry['proof']}*", ""]
        lines += [f'- {test["verdict"]}: `{test["test"]}`' for test in entry["tests"]] or ["- no test"]
    return "\n".join(lines) + "\n"


def main():
    top = pathlib.Path(__file__).resolve().parent.parent
    parser = argparse.ArgumentParser(description="Make the evidence matrix from the test reports.")
    parser.add_argument("--evidence", type=pathlib.Path, default=top / "build/release/evidence",
                        help="folder of the reports; the matrix goes there too")
    parser.add_argument("--junit", type=pathlib.Path,
                        help="ctest's report of the same run (default: ctest.xml beside the folder, if there)")
    parser.add_argument("--also", type=pathlib.Path, action="append", default=[],
                        help="reports of another build, ctest.xml beside the folder; repeatable")
    parser.add_argument("--model", type=pathlib.Path, default=top / "docs/threat-model.md")
    options = parser.parse_args()
    if not options.evidence.is_dir():
        sys.exit(f"evidence: {options.evidence} does not exist: run the tests first (make test)")
    beside = options.evidence.parent / "ctest.xml"
    junit = options.junit or (beside if beside.exists() else None)
    threats, _ = check_threats.read_model(options.model.read_text(encoding="utf-8"))
    rows = collect(options.evidence, junit)
    for other in options.also:
        rows += collect(other, other.parent / "ctest.xml")
    table = matrix(rows, threats)
    (options.evidence / "matrix.json").write_text(json.dumps(table, indent=1) + "\n", encoding="utf-8")
    (options.evidence / "matrix.md").write_text(markdown(table), encoding="utf-8")
    tally = {}
    for entry in table.values():
        tally[entry["verdict"]] = tally.get(entry["verdict"], 0) + 1
    print(f"{len(table)} ids: " + ", ".join(f"{count} {verdict}" for verdict, count in sorted(tally.items())))
    print(f"evidence: {options.evidence}/matrix.md")
    sys.exit(1 if tally.get("fail") else 0)


if __name__ == "__main__":
    main()
