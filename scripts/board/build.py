#!/usr/bin/python3
"""Builds the image of a board: build.py [--board NAME] [--flavour production] [--keys FOLDER|pkcs11:…]"""
import argparse
import os
import re
import sys
import time
from concurrent import futures
from pathlib import Path

import arguments
import gates
import keys
import plan
import plan_stm32mp257
import sources
import stages

BOARDS = {"qemu": plan, "stm32mp257": plan_stm32mp257}
AT_A_TIME = 2


def needed(every: list[stages.Stage], until: str | None) -> list[stages.Stage]:
    """All stages, or one of them and what it builds on, in order."""
    wanted = {stage.name for stage in every} if until is None else {until}
    for stage in reversed(every):
        if stage.name in wanted:
            wanted.update(stage.after)
    return [stage for stage in every if stage.name in wanted]


def make_all(workshop: stages.Workshop, wanted: list[stages.Stage]) -> None:
    """Two at a time: while one fetches or links, another compiles. After a failure none begins."""
    waiting, made, running = list(wanted), set(), {}
    with futures.ThreadPoolExecutor(AT_A_TIME) as pool:
        while waiting or running:
            ready = [stage for stage in waiting if made.issuperset(stage.after)][:AT_A_TIME - len(running)]
            for stage in ready:
                waiting.remove(stage)
                running[pool.submit(workshop.make, stage)] = stage.name
            for done in futures.wait(running, return_when=futures.FIRST_COMPLETED).done:
                done.result()
                made.add(running.pop(done))


class NotForProduction(Exception):
    pass


FAULTS = (stages.StageFailed, sources.SourceMissing, keys.KeyMissing, NotForProduction)


def place(board: str, flavour: str) -> Path:
    """build/board is the development image for QEMU; others say what they are."""
    parts = ["board", *([board] if board != "qemu" else []), *([flavour] if flavour != "development" else [])]
    return sources.ROOT / "build" / "-".join(parts)


def station_known(flavour: str) -> None:
    """A unit of production takes its identity from one station alone."""
    if flavour == "production" and not re.fullmatch(r"[0-9a-f]{64}", os.environ.get("MITRAL_STATION_KEY", "")):
        raise NotForProduction("MITRAL_STATION_KEY must be the public key of the station, 64 hexadecimal digits")


def signing_keys(named: str | None, folder: Path, flavour: str) -> keys.Directory | keys.Token:
    if not named and flavour == "production":
        raise NotForProduction("MITRAL_BOARD_KEYS must name the keys of production: a folder, or the URI of a token")
    if not named:
        keys.make_development(folder / "keys")
    signed_by = keys.store(named or str(folder / "keys"))
    if flavour == "production" and signed_by.development:
        raise NotForProduction(f"{named} holds keys for development")
    return signed_by


def write_inventory(folder: Path) -> None:
    """All that the image is made of: the pinned sources and the packages of every stage, for a bill of materials."""
    lines = [f"source\t{name}\t{digest}\n" for name, digest in sorted(sources.pinned().items())]
    for listed in sorted(folder.glob("*/packages.tsv")):
        lines += [f"{listed.parent.name}\t{line}\n" for line in listed.read_text().splitlines()]
    (folder / "inventory.tsv").write_text("".join(lines))


def shared(options: argparse.Namespace, folder: Path) -> dict[str, str]:
    """What every recipe is told."""
    return {"ROOT": str(sources.ROOT), "BOARD": str(BOARDS[options.board].BOARD), "PUBLIC": str(folder / "public"),
            "SOURCES": str(folder / "sources"), "JOBS": str(options.jobs), "FOLDER": str(folder)}


def build(folder: Path, signed_by: keys.Directory | keys.Token, options: argparse.Namespace) -> None:
    public = folder / "public"
    keys.export(signed_by, public)
    common = place(options.board, "development")
    common.mkdir(parents=True, exist_ok=True)
    workshop = stages.Workshop(folder, shared(options, folder), signed_by.signing(public), common)
    started = time.monotonic()
    make_all(workshop, needed(BOARDS[options.board].stages(folder, options.flavour), options.until))
    write_inventory(folder)
    if options.flavour == "production" and (found := gates.faults(folder)):
        raise NotForProduction("".join(["not fit for production:\n", *(f"    {each}\n" for each in found)]))
    print(f"board: ready in {folder} ({time.monotonic() - started:.0f} s)")


def main() -> int:
    parser = argparse.ArgumentParser(description="Builds the image of a board.")
    parser.add_argument("--board", choices=sorted(BOARDS), default="qemu")
    parser.add_argument("--flavour", choices=sorted(arguments.CONSOLE), default="development")
    parser.add_argument("--folder", type=Path, help="else build/board, with the board's name and the flavour behind it")
    parser.add_argument("--keys", default=os.environ.get("MITRAL_BOARD_KEYS"),
                        help="folder of PEM files or URI of a token (MITRAL_BOARD_KEYS); else made, for development")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--until", help="stop after this stage")
    options = parser.parse_args()
    folder = (options.folder or place(options.board, options.flavour)).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    try:
        station_known(options.flavour)
        build(folder, signing_keys(options.keys, folder, options.flavour), options)
    except FAULTS as failed:
        print(f"board: {failed}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
