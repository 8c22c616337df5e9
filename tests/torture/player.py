#!/usr/bin/python3
"""Plays pairs on one gateway, which torture.py gave a loopback and mounts of its own.

Pairs come as lines "POINT|FAULT" on standard input; what became of them goes as JSON to standard output.
"""
import argparse
import json
import pathlib
import signal
import subprocess
import sys
import time
import traceback

SOURCE = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(SOURCE / "scripts/demo"), str(SOURCE / "tests/faults"), str(SOURCE / "tests")]
import conductor  # noqa: E402
import disturbances  # noqa: E402
import fail_points  # noqa: E402
import unit as gateway_unit  # noqa: E402

POINTS = {point.name: point for point in [*fail_points.ALL, fail_points.NOWHERE]}
HOSTS = f"127.0.0.1 localhost {gateway_unit.HUB_HOST} {gateway_unit.OTHER_HUB_HOST}\n"


def say(**row):
    print(json.dumps(row), flush=True)


def play(unit, point, fault):
    """(what was seen, seconds until all was well again)"""
    try:
        standing = unit.bring_to(point)
        if fault in disturbances.HUB + disturbances.RENEWAL:
            unit.release_uplink()  # it has to meet them
        seen = fault.strike(unit, standing)
    finally:
        unit.release_uplink()
        fault.lift(unit)
    begun = time.monotonic()
    unit.await_recovery()
    return seen, time.monotonic() - begun


class Gaps:
    """Records may be given up where space ran out, in this pair or the one before, and for no other reason."""

    def __init__(self):
        self._known, self._allowed = set(), False

    def check(self, unit, point, fault):
        """The fresh ones that must not be."""
        allowed = point.way == "no space" or fault.name in disturbances.NO_SPACE
        fresh = unit.ward.gaps() - self._known
        bad = [gap for gap in fresh if gap.reason != "bound-reached" or not (allowed or self._allowed)]
        self._known |= fresh
        self._allowed = allowed
        return bad

    def demand(self, unit, point, fault):
        if bad := self.check(unit, point, fault):
            raise gateway_unit.NotRecovered(f"records given up: {bad}")


def attempt(unit, point, fault, gaps):
    begun = time.monotonic()
    row = {"pair": f"{point.name}|{fault.name}", "fired": False, "whole": False}
    try:
        row["seen"], row["recovery_s"] = play(unit, point, fault)
        row["fired"] = True
        gaps.demand(unit, point, fault)
        row["whole"] = True
    except conductor.NotFired as error:
        row["why"] = f"did not fire: {error}"
    except gateway_unit.NotRecovered as error:
        row["fired"], row["why"] = True, str(error)
    except Exception:  # trouble of the run's own, in whatever it calls: this pair's, and not the unit's end
        row["why"] = traceback.format_exc(limit=-4).strip()
    if not row["whole"]:
        try:  # the next pair starts from a gateway that is well, or not at all
            unit.await_recovery()
            gaps.check(unit, point, fault)
        except Exception as error:
            row["dead"] = "".join(traceback.format_exception_only(error)).strip()
    row["seconds"] = time.monotonic() - begun
    say(**row)
    if "dead" in row:
        sys.exit(2)


def finish(unit):
    if not unit.ward.end(gateway_unit.RECOVERY_S):
        say(trouble="not every line was answered in the end")
    unit.close_intake()
    deadline = time.monotonic() + gateway_unit.RECOVERY_S
    while unit.ward.totals().lost and time.monotonic() < deadline:
        time.sleep(0.1)
    unit.ward.end_tail()
    report = unit.ward.totals()
    say(ledger={"sent": report.sent, "delivered": report.delivered, "gaps": report.gaps, "lost": report.lost,
                "altered": report.altered, "redelivered": report.redelivered, "messages": report.messages},
        examples=report.examples)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=pathlib.Path, required=True)
    parser.add_argument("--programs", type=pathlib.Path, required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--batch-interval", type=int, required=True)
    options = parser.parse_args()
    folder = options.folder
    hosts = folder.with_suffix(".hosts")
    hosts.write_text(HOSTS)
    subprocess.run(["mount", "--bind", hosts, "/etc/hosts"], check=True)
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    unit = gateway_unit.Unit(options.programs, SOURCE, folder, options.batch_interval, options.seed)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit(1))
    try:
        unit.start()
        unit.await_recovery()
        say(ready=True)
        gaps = Gaps()
        for line in sys.stdin:
            point, _, fault = line.strip().rpartition("|")
            attempt(unit, POINTS[point], disturbances.BY_NAME[fault], gaps)
        finish(unit)
    finally:
        unit.stop()


if __name__ == "__main__":
    main()
