#!/usr/bin/python3
"""Builds the benchmarks in the release preset, measures, and says of every bar whether it is met (docs/benchmarks.md).

Needs root, as the demo does. scripts/bench.py --only cpu-256 --rounds 2
"""
import argparse
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = ROOT / "build/release"
for folder in ("demo", "bench"):
    sys.path.insert(0, str(ROOT / "scripts" / folder))

import figure_cpu  # noqa: E402
import machine  # noqa: E402
import processes  # noqa: E402
import summary  # noqa: E402
import workshop  # noqa: E402

FIGURES = (figure_cpu,)
NAMES = tuple(name for part in FIGURES for name in part.NAMES) + ("spool",)


def run(*command):
    status = subprocess.run([str(part) for part in command], cwd=ROOT, check=False).returncode
    if status != 0:
        sys.exit(status)


class Options:
    def __init__(self, arguments):
        self.only, self.rounds, self.count, self.window = (
            arguments.only, arguments.rounds, arguments.count, arguments.window)

    def wants(self, name):
        return not self.only or name in self.only


def parse(arguments):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", action="append", choices=NAMES, metavar="FIGURE",
                        help=f"measure this one; may be repeated: {', '.join(NAMES)}")
    parser.add_argument("--rounds", type=int, default=5, help="of each contest (5)")
    parser.add_argument("--count", type=int, default=100_000, help="messages of a round (100000)")
    parser.add_argument("--window", type=int, default=1000, help="messages without PUBACK (1000)")
    parser.add_argument("--no-build", action="store_true", help="measure what is built")
    return parser.parse_args([argument for argument in arguments if argument != "--"])


def build():
    run("cmake", "--preset", "release", "--log-level=WARNING")
    run("cmake", "--build", "--preset", "release", "--target", "programs", "benchmarks")


def measure(options, say):
    with workshop.Workshop(BUILD, ROOT, say) as shop:
        return [figure for part in FIGURES for figure in part.measure(shop, options)]


def micro_benchmarks():
    """The parts by themselves (Google Benchmark)."""
    for program in sorted((BUILD / "bench").glob("bench_*")):
        print(f"\n== {program.name}", flush=True)
        run(program, "--benchmark_counters_tabular=true")


def report(figures, place):
    text = "\n".join(machine.facts(place)) + "\n\n" + summary.to_table(figures) + summary.to_details(figures)
    (place / "summary.json").write_text(summary.to_json(figures), encoding="utf-8")
    (place / "summary.txt").write_text(text, encoding="utf-8")
    print("\n" + text)


def main():
    arguments = parse(sys.argv[1:])
    if not arguments.no_build:
        build()
    options = Options(arguments)
    try:
        figures = measure(options, lambda text: print(text, flush=True))
    except processes.StartFailed as error:
        sys.exit(f"bench: {error}")
    if options.wants("spool"):
        micro_benchmarks()
    report(figures, ROOT / "build/bench")


if __name__ == "__main__":
    main()
