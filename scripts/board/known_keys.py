#!/usr/bin/python3
"""Public keys whose private halves are known to others: known_keys.py TREE… prints those that stand in source trees.

A line of board/known-keys is the name of a key, then the start of its modulus or point, and of its SHA-256 as firmware
keeps it: what an image that trusts the key contains.
"""
import subprocess
import sys
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import keys

LIST = Path(__file__).resolve().parents[2] / "board" / "known-keys"
PREFIX = 16  # bytes; long enough that no other content begins so


@dataclass(frozen=True)
class Known:
    name: str
    traces: tuple[bytes, ...]

    def line(self) -> str:
        return " ".join((self.name, *(each.hex() for each in self.traces)))


def integers(der: bytes) -> bytes:
    """The modulus (RSA) or the point (EC), as the image holds it."""
    text = subprocess.run(["openssl", "pkey", "-pubin", "-inform", "DER", "-noout", "-text"], input=der,
                          capture_output=True, check=True).stdout.decode()
    digits = "".join(line.strip() for line in text.splitlines() if line.startswith("    ")).replace(":", "")
    return bytes.fromhex(digits).lstrip(b"\0")


def public_half(pem: bytes) -> bytes | None:
    done = subprocess.run(["openssl", "pkey", "-pubout", "-outform", "DER", "-passin", "pass:"], input=pem,
                          capture_output=True, check=False)
    return done.stdout if done.returncode == 0 else None


def known(name: str, der: bytes) -> Known:
    return Known(name, (integers(der)[:PREFIX], sha256(der).digest()[:PREFIX]))


def of_private(path: Path, name: str) -> Known | None:
    content = path.read_bytes()
    der = public_half(content) if b"PRIVATE KEY" in content else None
    return known(name, der) if der else None


def in_tree(tree: Path) -> list[Known]:
    """Each key once; data of a TLS library's tests left out."""
    files = sorted(each for suffix in ("pem", "key") for each in tree.rglob(f"*.{suffix}")
                   if each.is_file() and "data_files" not in each.parts)
    found = (of_private(path, f"{tree.resolve().parent.name}:{path.relative_to(tree)}") for path in files)
    return list({each.traces: each for each in found if each}.values())


def published() -> list[Known]:
    lines = (line.split() for line in LIST.read_text().splitlines() if line and not line.startswith("#"))
    return [Known(name, tuple(bytes.fromhex(each) for each in traces)) for name, *traces in lines]


def for_development(folder: Path) -> list[Known]:
    """The keys of a folder that is marked so."""
    if not (folder / keys.DEVELOPMENT).exists():
        return []
    return [each for path in sorted(folder.glob("*.pem")) if (each := of_private(path, f"development key {path.stem}"))]


if __name__ == "__main__":
    print("# Keys whose private halves stand in the sources of the firmware (scripts/board/known_keys.py TREE…).")
    for argument in sys.argv[1:]:
        for key in in_tree(Path(argument)):
            print(key.line())
