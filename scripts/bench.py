#!/usr/bin/python3
"""Builds the benchmarks in the release preset, measures, and says of every bar whether it is met (docs/benchmarks.md).

Needs root, as the demo does. scripts/bench.py --only cpu-256 --rounds 2
"""
import argparse
import os
import pathlib
import signal
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = pathlib.Path(os.environ.get("MITRAL_BINARY_DIR", ROOT / "build/release"))
for folder in ("demo", "bench"):
    sys.path.insert(0, str(ROOT / "scripts" / folder))

import figure_cloud  # noqa: E402
import figure_cloud_query  # noqa: E402
import figure_cloud_start  # noqa: E402
import figure_cpu  # noqa: E402
import figure_hl7  # noqa: E402
import figure_hl7_cost  # noqa: E402
import figure_idle  # noqa: E402
import figure_latency  # noqa: E402
import figure_security  # noqa: E402
import figure_start  # noqa: E402
import machine  # noqa: E402
import plot  # noqa: E402
import processes  # noqa: E402
import summary  # noqa: E402
import workshop  # noqa: E402

FIGURES = (figure_cpu, figure_start, figure_latency, figure_idle, figure_security, figure_hl7,
           figure_hl7_cost, figure_cloud, figure_cloud_query, figure_cloud_start)
NAMES = tuple(name for part in FIGURES for name in part.NAMES) + ("spool",)


def run(*command):
    status = subprocess.run([str(part) for part in command], cwd=ROOT, check=False).returncode
    if status != 0:
        sys.exit(status)


class Options:
    """How long and how often; `small` makes every figure as short as it can be, for a look whether all of it works."""

    def __init__(self, arguments):
        self.small = small = arguments.small
        self.only, self.window, self.out = arguments.only, arguments.window, arguments.out
        self.rounds = 1 if small else arguments.rounds
        self.count = 200 if small else arguments.count
        self.queued = 500 if small else 1_000_000
        self.idle_s, self.settle_s = (1, 1) if small else (70, 65)
        self.warm_s, self.ward_s = (1, 1) if small else (15, 30)
        self.hl7_s = arguments.hl7_seconds
        self.low_rate_lines = 5 if small else 200
        self.callgrind_s = (1, 2) if small else (10, 30)

    def wants(self, name):
        return not self.only or name in self.only


def parse(arguments):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", action="append", choices=NAMES, metavar="FIGURE",
                        help=f"measure this one; may be repeated: {', '.join(NAMES)}")
    parser.add_argument("--rounds", type=int, default=5, help="of each contest (5)")
    parser.add_argument("--count", type=int, default=100_000, help="messages of a round (100000)")
    parser.add_argument("--window", type=int, default=1000, help="messages without PUBACK (1000)")
    parser.add_argument("--hl7-seconds", type=int, default=60, help="of each load of HL7 reports (60)")
    parser.add_argument("--out", type=pathlib.Path, default=ROOT / "build/bench", metavar="FOLDER",
                        help="where the summary goes; the spool that is measured lies on its disk (build/bench)")
    parser.add_argument("--no-build", action="store_true", help="measure what is built")
    parser.add_argument("--small", action="store_true", help="see that it works; the numbers mean nothing")
    return parser.parse_args([argument for argument in arguments if argument != "--"])


def build():
    run("cmake", "--preset", "release", "--log-level=WARNING")
    run("cmake", "--build", "--preset", "release", "--target", "programs", "benchmarks")


def measure(options, say):
    with workshop.Workshop(BUILD, ROOT, options.out, say) as shop:
        return [figure for part in FIGURES for figure in part.measure(shop, options)]


def micro_benchmarks():
    """The parts by themselves (Google Benchmark)."""
    for program in sorted((BUILD / "bench").glob("bench_*")):
        print(f"\n== {program.name}", flush=True)
        run(program, "--benchmark_counters_tabular=true")


def report(figures, place):
    text = "\n".join(machine.facts(place)) + "\n\n" + summary.to_table(figures) + summary.to_details(figures)
    (place / "summary.json").write_text(summary.to_json(figures), encoding="utf-8")
    (place / "summary.svg").write_text(plot.to_svg(figures), encoding="utf-8")
    (place / "summary.txt").write_text(text, encoding="utf-8")
    print("\n" + text)


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that all that was started is ended
    arguments = parse(sys.argv[1:])
    if not arguments.no_build:
        build()
    options = Options(arguments)
    try:
        figures = measure(options, lambda text: print(text, flush=True))
    except processes.StartFailed as error:
        sys.exit(f"bench: {error}")
    if options.wants("spool") and not arguments.small:
        micro_benchmarks()
    report(figures, options.out)


if __name__ == "__main__":
    main()
