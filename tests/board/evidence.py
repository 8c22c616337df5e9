"""Evidence of a trust zone (docs/formats/evidence.md): reports as a normal world makes them, and where fields stand."""
import struct
from dataclasses import dataclass

ATTESTATION, CHECKPOINT = b"mitral attestation 1\0", b"mitral checkpoint 1\0"
NONCE, KEY, UNIT_ID, BOOT_ID = 32, 64, 32, 16


@dataclass(frozen=True)
class Lane:
    name: str
    end: int
    first: int = 0
    stream: int = 1
    content: bytes = bytes(32)
    gaps: int = 0


def report(lanes: list[Lane], entries: int = 0, head: bytes = bytes(32)) -> bytes:
    lanes = sorted(lanes, key=lambda lane: lane.name)
    return struct.pack(">Q32sB", entries, head, len(lanes)) + b"".join(
        struct.pack(">H", len(lane.name)) + lane.name.encode() +
        struct.pack(">QQQ32sQ", lane.stream, lane.first, lane.end, lane.content, lane.gaps) for lane in lanes)


def at(evidence: bytes, field: str) -> int:
    """Where a number of the state stands."""
    label, before = (CHECKPOINT, 0) if evidence.startswith(CHECKPOINT) else (ATTESTATION, NONCE)
    numbers = ("checkpoint", "mints", "refusals", "floor", "age", "orders")
    return len(label) + before + KEY + UNIT_ID + BOOT_ID + 8 * numbers.index(field)


def number(evidence: bytes, field: str) -> int:
    return struct.unpack_from(">q", evidence, at(evidence, field))[0]


def with_number(evidence: bytes, field: str, value: int) -> bytes:
    place = at(evidence, field)
    return evidence[:place] + struct.pack(">q", value) + evidence[place + 8:]
