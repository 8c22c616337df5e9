#!/usr/bin/python3
"""Builds and tests Mitral in every preset, shows where it is, and ends with one line: N passed, M failed.

With ctest arguments only the release preset runs: scripts/test.py -- -R spool
"""
import argparse
import dataclasses
import os
import pathlib
import shutil
import subprocess
import sys
import time
import xml.etree.ElementTree as xml

ROOT = pathlib.Path(__file__).resolve().parent.parent


@dataclasses.dataclass(frozen=True)
class Stage:
    """One preset: what is built of it, and which tests run (ctest arguments)."""
    preset: str
    targets: tuple
    tests: tuple
    environment: tuple = ()
    first: tuple = ()  # a command that makes what the tests start


STAGES = (
    Stage("release", ("all",), ()),
    # Every fail-point × every fault on running gateways; the programs are built with fail-points in them.
    Stage("torture", ("programs", "errorfs"), ("-L", "^torture$")),
    # The same unit tests with address and undefined-behaviour checks; scripts, which drive whole
    # programs, ran above.
    Stage("asan", ("unit_tests",), ("-L", "^unit")),
    # Data races can only exist where there are threads.
    Stage("tsan", ("thread_tests",), ("-L", "^unit-threads$")),
    Stage("fuzz", ("fuzzers",), ("-L", "^fuzz$"), (("MITRAL_FUZZ_SECONDS", "5"), ("MITRAL_FUZZ_SEED", "1"))),
)
# The board's image, started in QEMU; not part of the whole yet (make test-board).
BOARD = Stage("board-tests", ("programs", "canary_station"), ("-L", "^board$"), first=("scripts/board/build.py",))


@dataclasses.dataclass
class Verdicts:
    passed: list = dataclasses.field(default_factory=list)
    failed: list = dataclasses.field(default_factory=list)  # (name, output)
    skipped: list = dataclasses.field(default_factory=list)  # (name, reason)


class Progress:
    def __init__(self, total):
        self.total, self.done, self.started = total, 0, time.monotonic()

    def step(self, what):
        self.done += 1
        seconds = int(time.monotonic() - self.started)
        print(f"\n== {self.done}/{self.total} {what} (after {seconds // 60}:{seconds % 60:02} min)", flush=True)

    @property
    def elapsed(self):
        return time.monotonic() - self.started


def run(command, **environment):
    return subprocess.run([str(part) for part in command], cwd=ROOT, check=False,
                          env={**os.environ, **environment}).returncode


def configure(stage, environment):
    return run(["cmake", "--preset", stage.preset, "--log-level=WARNING"], **environment)


def build(stage, jobs):
    return run(["cmake", "--build", "--preset", stage.preset, "--parallel", jobs, "--target", *stage.targets])


def skip_reason(case):
    """The line in which a test says why; GoogleTest writes it below 'Skipped', a script as it likes."""
    lines = [line.strip() for line in (case.findtext("system-out") or "").splitlines() if line.strip()]
    for number, line in enumerate(lines):
        if line.endswith("Skipped") and number + 1 < len(lines):
            return lines[number + 1]
    for line in reversed(lines):
        if "skip" in line.lower():
            return line[:200]
    return lines[-1][:200] if lines else "no reason given"


def read_verdicts(path, preset, verdicts):
    for case in xml.parse(path).getroot().iter("testcase"):
        name = f"{preset}: {case.get('name')}"
        status = case.get("status")
        if status == "run":
            verdicts.passed.append(name)
        elif status in ("notrun", "disabled"):
            skipped = case.find("skipped")
            message = skipped.get("message", "") if skipped is not None else ""
            if status == "notrun" and "SKIP" not in message.upper():
                verdicts.failed.append((name, f"was not run: {message}"))  # a missing program is no skip
            else:
                verdicts.skipped.append((name, skip_reason(case)))
        else:
            verdicts.failed.append((name, case.findtext("system-out") or "no output"))


def as_root(command, environment):
    """Many attacks need root to be tried at all: become it where sudo is there, else those tests skip."""
    if os.geteuid() == 0 or not shutil.which("sudo"):
        return command
    settings = [f"{name}={value}" for name, value in environment.items()]
    return ["sudo", "env", f"PATH={os.environ['PATH']}", *settings, *command]


def give_back(directory):
    """What root's tests left in the build belongs to whoever builds."""
    if os.geteuid() != 0 and shutil.which("sudo"):
        run(["sudo", "chown", "-R", f"{os.getuid()}:{os.getgid()}", directory])


def ctest(stage, jobs, extra, environment, verdicts):
    directory = ROOT / "build" / stage.preset
    report = directory / "ctest.xml"
    report.unlink(missing_ok=True)
    command = ["ctest", "--test-dir", directory, "--parallel", jobs, "--output-on-failure", "--no-label-summary",
               "--no-tests=error", "--output-junit", report, *stage.tests, *extra]
    status = run(as_root(command, environment), **environment)
    give_back(directory)
    if not report.exists():
        verdicts.failed.append((f"{stage.preset}: ctest", f"exit status {status} and no report"))
        return
    before = len(verdicts.failed)
    read_verdicts(report, stage.preset, verdicts)
    if os.environ.get("CI") and stage.preset in ("release", "torture", "board-tests"):
        refuse_skips(verdicts)
    if status != 0 and len(verdicts.failed) == before:
        verdicts.failed.append((f"{stage.preset}: ctest", f"exit status {status}; see the lines above"))


def refuse_skips(verdicts):
    """The machine that decides what lands has all that a test needs: there a skip hides something."""
    verdicts.failed += [(name, f"skipped: {reason}") for name, reason in verdicts.skipped]
    verdicts.skipped.clear()


def check_style(progress, verdicts):
    progress.step("style: clang-format, shellcheck")
    if run(["scripts/lint.sh", "style"]) != 0:
        verdicts.failed.append(("style", "see the lines above; `make format` mends most of it"))


def make_evidence(progress, verdicts):
    progress.step("evidence: which test proves which threat and requirement")
    if run([sys.executable, "scripts/evidence.py", "--also", "build/torture/evidence"]) != 0:
        verdicts.failed.append(("evidence", "an id has a failing test; see the lines above"))


def run_stage(stage, options, progress, verdicts):
    """False when later stages make no sense."""
    environment = {name: os.environ.get(name, value) for name, value in stage.environment}
    if stage.first:
        progress.step(f"{stage.preset}: {stage.first[0]}")
        if run([sys.executable, *stage.first, "--jobs", options.jobs]) != 0:
            verdicts.failed.append((f"{stage.preset}: {stage.first[0]}", "its message stands above"))
            return False
    progress.step(f"{stage.preset}: build")
    if configure(stage, environment) != 0 or build(stage, options.jobs) != 0:
        verdicts.failed.append((f"{stage.preset}: build", "the compiler's message stands above"))
        return False
    progress.step(f"{stage.preset}: tests")
    ctest(stage, options.jobs, options.ctest, environment, verdicts)
    return True


def tail(text, lines=40):
    kept = text.strip().splitlines()[-lines:]
    return "\n".join("    " + line for line in kept)


def summarise(verdicts, progress):
    print(f"\n== result (after {int(progress.elapsed) // 60}:{int(progress.elapsed) % 60:02} min)")
    for name, reason in verdicts.skipped:
        print(f"  skipped  {name}: {reason}")
    for name, _ in verdicts.failed:
        print(f"  FAILED   {name}")
    if verdicts.failed:
        name, output = verdicts.failed[0]
        print(f"\nThe first failure, {name}:\n{tail(output)}\n")
    skipped = f", {len(verdicts.skipped)} skipped" if verdicts.skipped else ""
    print(f"{len(verdicts.passed)} passed, {len(verdicts.failed)} failed{skipped}")


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", default=str(os.cpu_count()), help="parallel compilers and tests")
    parser.add_argument("--only", choices=[stage.preset for stage in (*STAGES, BOARD)], help="one preset")
    parser.add_argument("ctest", nargs="*", help="arguments for ctest, after --")
    return parser.parse_args()


def main():
    options = parse_arguments()
    stages = STAGES
    if options.only:
        stages = tuple(stage for stage in (*STAGES, BOARD) if stage.preset == options.only)
    elif options.ctest:
        stages = STAGES[:1]
    whole = stages == STAGES and not options.ctest
    progress, verdicts = Progress(sum(2 + bool(stage.first) for stage in stages) + 2 * whole), Verdicts()
    if whole:
        check_style(progress, verdicts)
    for stage in stages:
        if not run_stage(stage, options, progress, verdicts):
            break
        if whole and stage.preset == "torture":
            make_evidence(progress, verdicts)
    summarise(verdicts, progress)
    return 1 if verdicts.failed or not verdicts.passed else 0


if __name__ == "__main__":
    sys.exit(main())
