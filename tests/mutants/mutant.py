"""A test of the tests: changes one source file as mutants.toml says, and links an existing test program with it.

    mutant.py BUILD_DIRECTORY mutant NAME       passes when every test named in the table fails
    mutant.py BUILD_DIRECTORY control PROGRAM   the same files unchanged: passes when all of those tests pass
    mutant.py BUILD_DIRECTORY harness NAME      passes when a change that changes nothing, and a stale text, are noticed

A mutant that crashes the program, hangs, or fails other tests than those named has not been caught by a test.
"""
import json
import os
import pathlib
import shlex
import subprocess
import sys
import tomllib

HERE = pathlib.Path(__file__).resolve().parent
SOURCE = HERE.parent.parent
TIMEOUT = 240  # s, for a program whose tests take a few


class Failed(Exception):
    """What is wrong, in one line."""


def read_table():
    return tomllib.loads((HERE / "mutants.toml").read_text())


def mutate(name, row):
    text = (SOURCE / row["file"]).read_text()
    found = text.count(row["original"])
    if found != 1:
        raise Failed(f"{row['file']} holds the original text of mutant {name} {found} times, not once: "
                     f"update tests/mutants/mutants.toml")
    return text.replace(row["original"], row["replacement"])


def command_for(build, source):
    for entry in json.loads((build / "compile_commands.json").read_text()):
        if entry["file"] == str(source):
            return shlex.split(entry["command"])
    raise Failed(f"{source} is compiled by nobody")


def run(command, directory):
    done = subprocess.run(command, cwd=directory, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Failed(f"{shlex.join(command)}\n{done.stdout}{done.stderr}")
    return done.stdout


def compile_changed(build, file, text, place):
    """The file's own command, with another input and output; quicker, and not so strict."""
    changed = place / pathlib.Path(file).name
    changed.write_text(text)
    command = command_for(build, SOURCE / file)
    command[command.index("-c") + 1] = str(changed)
    command[command.index("-o") + 1] = str(changed.with_suffix(".o"))
    run(command + ["-O1", "-g0", "-Wno-error", f"-ffile-prefix-map={place}=."], build)
    return changed.with_suffix(".o")


def link(build, program, objects, output):
    """The program's own command, with our objects before its own and before every archive."""
    last = run(["ninja", "-t", "commands", program], build).splitlines()[-1]
    command = shlex.split(next(step for step in last.split(" && ") if " -o " in step))
    where = command.index("-o")
    command[where + 1] = str(output)
    run([*command[:where], *map(str, objects), *command[where:]], build)


def verdicts(program, tests, place):
    """Test name → passed. A program that does not come to its end has none."""
    report = place / "report.json"
    report.unlink(missing_ok=True)
    try:
        done = subprocess.run([str(program), "--gtest_filter=" + ":".join(tests), f"--gtest_output=json:{report}"],
                              cwd=place, capture_output=True, text=True, check=False, timeout=TIMEOUT)
    except subprocess.TimeoutExpired as error:
        raise Failed(f"{program} hangs") from error
    finally:
        program.unlink()  # dozens of them, with all their debug information
    if done.returncode not in (0, 1) or not report.exists():
        raise Failed(f"{program} ended with {done.returncode} and no verdict\n{done.stderr[-2000:]}")
    cases = [case for suite in json.loads(report.read_text())["testsuites"] for case in suite["testsuite"]]
    found = {f"{case['classname']}.{case['name']}": not case.get("failures")
             for case in cases if case["result"] == "COMPLETED"}
    missing = set(tests) - set(found)
    if missing:
        raise Failed(f"{program} has no test {', '.join(sorted(missing))}: update tests/mutants/mutants.toml")
    return found


def place_for(build, name):
    place = build / "mutants" / name
    place.mkdir(parents=True, exist_ok=True)
    return place


def try_mutant(build, name, row=None):
    row = row or read_table()[name]
    place = place_for(build, name)
    changed = compile_changed(build, row["file"], mutate(name, row), place)
    link(build, row["program"], [changed], place / "program")
    survived = [test for test, passed in verdicts(place / "program", row["fails"], place).items() if passed]
    if survived:
        raise Failed(f"mutant {name} survives {', '.join(survived)}")
    print(f"mutant {name}: caught by {', '.join(row['fails'])}")


def try_control(build, program):
    rows = [row for row in read_table().values() if row["program"] == program]
    place = place_for(build, f"control-{program}")
    objects = []
    for file in sorted({row["file"] for row in rows}):
        own = place / file.replace("/", "_")
        own.mkdir(exist_ok=True)
        objects.append(compile_changed(build, file, (SOURCE / file).read_text(), own))
    link(build, program, objects, place / "program")
    found = verdicts(place / "program", sorted({test for row in rows for test in row["fails"]}), place)
    failing = [test for test, passed in found.items() if not passed]
    if failing:
        raise Failed(f"without any change {', '.join(failing)} fail")
    print(f"control {program}: {len(found)} tests pass with {len(objects)} unchanged files in front")


def try_harness(build, name):
    row = read_table()[name]
    for change, complaint in ({"replacement": row["original"]}, "survives"), ({"original": "no such text"}, "update"):
        try:
            try_mutant(build, f"harness-{name}", row | change)
        except Failed as error:
            if complaint in str(error):
                continue
            raise
        raise Failed(f"nobody said {complaint}")
    print("what changes nothing survives, what is stale is told")


def main():
    build = pathlib.Path(sys.argv[1]).resolve()
    os.environ.setdefault("CCACHE_BASEDIR", str(SOURCE))
    os.environ.setdefault("CCACHE_NOHASHDIR", "1")
    try:
        {"mutant": try_mutant, "control": try_control, "harness": try_harness}[sys.argv[2]](build, sys.argv[3])
    except Failed as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
