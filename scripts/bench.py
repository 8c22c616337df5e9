#!/usr/bin/python3
"""Builds the benchmarks in the release preset and runs them one after the other."""
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = ROOT / "build" / "release"


def run(*command):
    status = subprocess.run([str(part) for part in command], cwd=ROOT, check=False).returncode
    if status != 0:
        sys.exit(status)


def main():
    extra = [argument for argument in sys.argv[1:] if argument != "--"]
    run("cmake", "--preset", "release", "--log-level=WARNING")
    run("cmake", "--build", "--preset", "release", "--target", "benchmarks")
    programs = sorted((BUILD / "bench").glob("bench_*"))
    if not programs:
        sys.exit("bench: there are no benchmarks; is libbenchmark-dev installed?")
    for number, program in enumerate(programs, 1):
        print(f"\n== {number}/{len(programs)} {program.name}", flush=True)
        run(program, "--benchmark_counters_tabular=true", *extra)


if __name__ == "__main__":
    main()
