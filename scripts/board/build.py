#!/usr/bin/python3
"""Builds the image of the QEMU board: build.py [--jobs N] [--until STAGE]"""
import argparse
import os
import sys
import time
from pathlib import Path

import keys
import plan
import sources
import stages


def build(folder: Path, jobs: int, until: str | None) -> None:
    keys.make(folder / "keys")
    workshop = stages.Workshop(folder, {"ROOT": str(sources.ROOT), "BOARD": str(sources.ROOT / "board" / "qemu"),
                                        "KEYS": str(folder / "keys"), "SOURCES": str(folder / "sources"),
                                        "JOBS": str(jobs), "FOLDER": str(folder)})
    started = time.monotonic()
    for stage in plan.stages(folder):
        workshop.make(stage)
        if stage.name == until:
            break
    print(f"board: ready in {folder} ({time.monotonic() - started:.0f} s)")


def main() -> int:
    parser = argparse.ArgumentParser(description="Builds the image of the QEMU board.")
    parser.add_argument("--folder", type=Path, default=sources.ROOT / "build" / "board")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--until", help="stop after this stage")
    options = parser.parse_args()
    folder = options.folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    try:
        build(folder, options.jobs, options.until)
    except (stages.StageFailed, sources.SourceMissing) as failed:
        print(f"board: {failed}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
