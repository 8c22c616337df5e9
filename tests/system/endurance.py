"""What a process holds, and whether it grows."""
import dataclasses
import pathlib
import re

GROWTH_KIB = 1024   # of anonymous memory, between two moments of rest


@dataclasses.dataclass(frozen=True)
class Holding:
    anonymous_kib: int
    descriptors: int


def holding(pid):
    process = pathlib.Path("/proc") / str(pid)
    found = re.search(r"^Pss_Anon:\s+(\d+) kB$", (process / "smaps_rollup").read_text(encoding="ascii"), re.MULTILINE)
    return Holding(int(found[1]), len(list((process / "fd").iterdir())))


def growth(samples):
    """Why these samples of one process at rest, warm at the first, are not flat; empty: they are."""
    first, last = samples[0], samples[-1]
    faults = []
    if last.anonymous_kib > first.anonymous_kib + GROWTH_KIB:
        faults.append(f"memory grew from {first.anonymous_kib} to {last.anonymous_kib} KiB")
    if last.descriptors > first.descriptors:
        faults.append(f"descriptors grew from {first.descriptors} to {last.descriptors}")
    return faults
