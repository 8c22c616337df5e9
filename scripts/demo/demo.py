#!/usr/bin/python3
"""The demo: four HL7 monitors, a gateway, a local Azure, and faults on purpose; ends with the ledger.

DEMO_SECONDS=20 ends it by itself; otherwise Ctrl-C does. Exit status 0 only when everything that was
acknowledged to a monitor arrived at the hub, unaltered.
"""
import argparse
import os
import pathlib
import signal
import sys
import threading

import bedside
import faults
import ledger
from processes import StartFailed
from view import View
from ward import Ward

DRAIN_S = 60.0


def main():
    top = pathlib.Path(__file__).resolve().parents[2]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    built = pathlib.Path(os.environ.get("MITRAL_BINARY_DIR", top / "build/release"))
    parser.add_argument("--programs", type=pathlib.Path, default=built / "bin",
                        help="folder of the built programs")
    parser.add_argument("--seconds", type=float, default=os.environ.get("DEMO_SECONDS") or "0",
                        help="end after so long (default: $DEMO_SECONDS, else Ctrl-C)")
    parser.add_argument("--data", type=pathlib.Path, default=top / "tests/data", help="folder of the recordings")
    parser.add_argument("--keep", action="store_true", help="keep the scratch directory")
    options = parser.parse_args()
    if not (options.data / "icu-numerics.csv").exists():
        sys.exit(f"demo: no recordings in {options.data}: name their folder with --data")
    ending = _end_on_signals()
    try:
        stack = bedside.BedsideStack(options.programs, top, say=_say)
    except StartFailed as error:
        sys.exit(f"demo: {error}")
    report = None
    try:
        report = _run(stack, options, ending)
    except (StartFailed, OSError) as error:
        print(f"demo: {error}", file=sys.stderr, flush=True)
    except KeyboardInterrupt:
        print("demo: ended at once, without a ledger", file=sys.stderr, flush=True)
    finally:
        stack.stop()
    _finish(stack, report, options.keep)


def _end_on_signals():
    """The first Ctrl-C ends the run in order, the second one at once."""
    ending = threading.Event()

    def handle(_number, _frame):
        if ending.is_set():
            raise KeyboardInterrupt
        ending.set()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, handle)
    return ending


def _say(text):
    print(f"  {text}", flush=True)


def _run(stack, options, ending):
    stack.start()
    ward = Ward(stack, bedside.beds(stack, options.data.resolve()))
    view = View(stack, ward)
    conductor = faults.Conductor(stack, faults.demo_plan(options.seconds),
                                 lambda text: view.announce("FAULT " + text))
    ward.start()
    view.start()
    conductor.start()
    ending.wait(options.seconds or None)
    conductor.end()
    return _end_in_order(stack, ward, view)


def _end_in_order(stack, ward, view):
    view.heading = "ending: monitors stop"
    view.announce("the monitors stop; what is on the way is brought home")
    ward.stop()
    view.announce("intake closes its batch")
    if not stack.close_intake():
        view.announce("intake did not end by itself and was killed")
    view.heading = "ending: the queue drains"
    arrived = stack.wait_for(lambda: ward.all_arrived(stack.queued_records()), DRAIN_S)
    arrived = arrived and stack.wait_for(lambda: stack.queued_records() == 0, DRAIN_S)
    view.announce("the queue is empty" if arrived else f"the queue did not drain within {DRAIN_S:.0f} s")
    view.end()
    ward.end()
    if ward.trouble:
        print(f"  not acknowledged to the end: {ward.trouble}")
    report = ledger.balance(stack.layout.books, stack.hub.log(), 0 if arrived else stack.queued_records())
    print(f"  not understood, and kept out: {_counts(stack.not_understood())}")
    for control_id, reason in ward.refused[:5]:
        print(f"  refused: {control_id}: {reason}")
    return report


def _counts(reasons):
    return ", ".join(f"{reason} {count:,}" for reason, count in reasons.items()) or "nothing"


def _finish(stack, report, keep):
    good = report is not None and report.balanced
    if keep or not good:
        print(f"  logs and books are kept in {stack.layout.root}")
    else:
        stack.remove()
    if report is None:
        sys.exit(1)
    for example in report.examples:
        print(f"  {example}")
    print(report.line(), flush=True)
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
