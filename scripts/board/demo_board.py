#!/usr/bin/python3
"""The demo on the board: a unit in QEMU, provisioned by a station on this host, between beds and a local Azure.

Ends with the same ledger as `make demo`; exit status 0 only when everything that was acknowledged to a monitor arrived
at the hub, unaltered. On the way the unit loses its power, and the hub goes away.
"""
import argparse
import os
import sys
import threading
from pathlib import Path

import sources

sys.path.insert(0, str(sources.ROOT / "scripts" / "demo"))

import bedside  # noqa: E402
import board_stack  # noqa: E402
import ledger  # noqa: E402
from demo import _end_on_signals, _say  # noqa: E402
from processes import StartFailed  # noqa: E402
from unit import NothingSaid  # noqa: E402
from ward import Ward  # noqa: E402

DRAIN_S = 180.0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    built = Path(os.environ.get("MITRAL_BINARY_DIR", sources.ROOT / "build/release"))
    parser.add_argument("--programs", type=Path, default=built / "bin", help="folder of the host's programs")
    parser.add_argument("--image", type=Path, default=sources.ROOT / "build/board", help="what `make board` built")
    parser.add_argument("--station-key", type=Path, help="the one whose public half a production image was built with")
    parser.add_argument("--seconds", type=float, default=os.environ.get("DEMO_SECONDS") or "60",
                        help="how long the beds send (default: $DEMO_SECONDS, else 60)")
    parser.add_argument("--data", type=Path, default=sources.ROOT / "tests/data", help="folder of the recordings")
    parser.add_argument("--keep", action="store_true", help="keep the scratch directory")
    options = parser.parse_args()
    ending = _end_on_signals()
    try:
        stack = board_stack.BoardStack(options.image, options.programs, sources.ROOT, say=_say,
                                       station_key=options.station_key)
    except StartFailed as error:
        sys.exit(f"demo-board: {error}")
    report = None
    try:
        report = run(stack, options, ending)
    except (StartFailed, NothingSaid, OSError) as error:
        print(f"demo-board: {error}", file=sys.stderr, flush=True)
    except KeyboardInterrupt:
        print("demo-board: ended at once, without a ledger", file=sys.stderr, flush=True)
    finally:
        stack.stop()
    return finish(stack, report, options.keep)


def run(stack: "board_stack.BoardStack", options: argparse.Namespace, ending: threading.Event) -> ledger.Report:
    stack.start()
    ward = Ward(stack, bedside.beds(stack, options.data.resolve()))
    ward.start()
    _say(f"four beds send to the unit's ports for {options.seconds:.0f} s")
    ending.wait(options.seconds / 3)
    _say(f"FAULT the hub goes away for 3 s ({ward.acknowledged:,} acknowledged, {ward.delivered:,} delivered)")
    stack.hub_away(3)
    ending.wait(options.seconds / 6)
    _say(f"FAULT the unit loses its power ({ward.acknowledged:,} acknowledged, {ward.delivered:,} delivered)")
    stack.power_cut()
    stack.await_confirmed()
    ending.wait(options.seconds / 2)
    _say(f"the beds stop ({ward.acknowledged:,} acknowledged, {ward.delivered:,} delivered)")
    ward.stop()
    arrived = stack.wait_for(lambda: ward.all_arrived(1), DRAIN_S)
    ward.end()
    if not arrived:
        _say(f"the queue did not drain within {DRAIN_S:.0f} s")
    if ward.trouble:
        _say(f"not acknowledged to the end: {ward.trouble}")
    return ledger.balance(stack.layout.books, stack.hub.log())


def finish(stack: "board_stack.BoardStack", report: ledger.Report | None, keep: bool) -> int:
    good = report is not None and report.balanced
    if keep or not good:
        print(f"  logs and books are kept in {stack.layout.root}")
    else:
        stack.remove()
    if report is None:
        return 1
    for example in report.examples:
        print(f"  {example}")
    print(report.line(), flush=True)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
