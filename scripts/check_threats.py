#!/usr/bin/python3
"""Holds docs/threat-model.md and the tests against each other.

Every threat of the table has a test that names its id (MITRAL_PROVES in C++, @proves in Python) or a
written acceptance ("accepted until …, because …"). A test that names an id the table does not know, a
test that is switched off, an acceptance without a reason: each fails the build.
"""
import argparse
import ast
import dataclasses
import pathlib
import re
import sys

THREAT_ID = re.compile(r"^T-[A-Z]+-\d{2}$")
PROVES_CPP = re.compile(r"\bMITRAL_PROVES\s*\(([^;]*?)\)\s*;", re.DOTALL)
TEST_CPP = re.compile(r"\b(?:TYPED_TEST(?:_P)?|TEST(?:_[FP])?)\s*\(\s*(\w+)\s*,\s*(\w+)\s*\)")
STRING = re.compile(r'"([^"]*)"')
COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)
ACCEPTED = re.compile(r"^accepted until (?P<until>\S.*?), because (?P<reason>.+)$", re.IGNORECASE | re.DOTALL)
MIN_REASON = 20  # characters; "because later" is not a reason


@dataclasses.dataclass(frozen=True)
class Threat:
    id: str
    title: str
    mitigation: str
    proof: str  # "tests", or an acceptance

    @property
    def accepted(self):
        return self.proof.lower().startswith("accepted")


def read_model(text):
    """(threats by id, complaints). Rows: | id | threat | mitigation | proof |."""
    threats, complaints = {}, []
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if not line.strip().startswith("|") or not THREAT_ID.match(cells[0]):
            continue
        if len(cells) != 4:
            complaints.append(f"{cells[0]}: the row has {len(cells)} cells, not id, threat, mitigation, proof")
            continue
        if cells[0] in threats:
            complaints.append(f"{cells[0]}: stands in the table twice")
        threats[cells[0]] = Threat(*cells)
    return threats, complaints


def tests_in_cpp(text):
    """(test name, ids) of each proof, without comments and without tests that are switched off."""
    text = COMMENT.sub("", text)
    starts = [(match.start(), f"{match[1]}.{match[2]}") for match in TEST_CPP.finditer(text)]
    for match in PROVES_CPP.finditer(text):
        owners = [name for start, name in starts if start < match.start()]
        name = owners[-1] if owners else "?"
        if "DISABLED_" not in name:
            yield name, STRING.findall(match[1])


def tests_in_python(text):
    for node in ast.walk(ast.parse(text)):
        if not isinstance(node, ast.FunctionDef) or not node.name.startswith("test"):
            continue
        for mark in node.decorator_list:
            if isinstance(mark, ast.Call) and getattr(mark.func, "id", getattr(mark.func, "attr", "")) == "proves":
                yield node.name, [argument.value for argument in mark.args if isinstance(argument, ast.Constant)]


def find_tests(directory):
    """Proof ids (threats and requirements) -> list of "file: test"."""
    found = {}
    root = pathlib.Path(directory)
    for path in sorted(root.rglob("*")):
        if path.suffix in (".cpp", ".hpp", ".cc") and "support" not in path.parts:
            tests = tests_in_cpp(path.read_text(encoding="utf-8"))
        elif path.suffix == ".py" and "support" not in path.parts:
            tests = tests_in_python(path.read_text(encoding="utf-8"))
        else:
            continue
        for name, ids in tests:
            for proof in ids:
                found.setdefault(proof, []).append(f"{path.relative_to(root)}: {name}")
    return found


def complaints_about(threats, tests):
    complaints = []
    for threat in threats.values():
        if not threat.mitigation:
            complaints.append(f"{threat.id}: no mitigation is written down")
        if threat.accepted:
            match = ACCEPTED.match(threat.proof)
            if not match or len(match["reason"].strip(" .")) < MIN_REASON:
                complaints.append(f'{threat.id}: accepted without "until …, because <reason>"')
        elif threat.proof.lower() != "tests":
            complaints.append(f'{threat.id}: proof must be "tests" or an acceptance, not "{threat.proof}"')
        elif threat.id not in tests:
            complaints.append(f"{threat.id}: no test names it and it is not accepted")
    for proof, places in tests.items():
        if proof.startswith("T-") and proof not in threats:
            complaints.append(f"{proof}: unknown threat, named by {places[0]}")
    return sorted(complaints)


def main():
    top = pathlib.Path(__file__).resolve().parent.parent
    parser = argparse.ArgumentParser(description="Check that every threat has a test or a written acceptance.")
    parser.add_argument("--model", type=pathlib.Path, default=top / "docs/threat-model.md")
    parser.add_argument("--tests", type=pathlib.Path, default=top / "tests")
    parser.add_argument("--list", action="store_true", help="print each threat with its tests")
    options = parser.parse_args()
    threats, complaints = read_model(options.model.read_text(encoding="utf-8"))
    tests = find_tests(options.tests)
    if not threats:
        complaints.append(f"{options.model}: holds no table of threats")
    complaints += complaints_about(threats, tests)
    if options.list:
        for threat in threats.values():
            print(f"{threat.id}  {threat.title}")
            for place in tests.get(threat.id, [threat.proof]):
                print(f"    {place}")
    for complaint in complaints:
        print(f"check_threats: {complaint}", file=sys.stderr)
    accepted = sum(threat.accepted for threat in threats.values())
    print(f"{len(threats)} threats, {accepted} accepted, {len(complaints)} complaints")
    sys.exit(1 if complaints else 0)


if __name__ == "__main__":
    main()
