#!/usr/bin/python3
"""Writes which Debian packages went into a stage: inventory.py LISTS (--debs FOLDER | --installed ADMINDIR)

Checks by itself, next to apt, that the archive's InRelease is signed by a Debian key, that it names the index, and the
index each package. Lines: `release`, suite, code name, date, SHA-256 of InRelease; `package`, name, version,
architecture, SHA-256 of the .deb.
"""
import argparse
import email.parser
import hashlib
import subprocess
import sys
from pathlib import Path

KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")


class Doubtful(Exception):
    pass


def stanzas(text: str):
    parser = email.parser.HeaderParser()
    return (parser.parsestr(each) for each in text.split("\n\n") if each.strip())


def signed_text(path: Path, keyring: Path) -> str:
    """What the signature covers; text before or after it does not count."""
    done = subprocess.run(["gpgv", "--keyring", str(keyring), "--output", "-", str(path)], capture_output=True,
                          check=False)
    if done.returncode != 0:
        raise Doubtful(f"{path.name}: {done.stderr.decode(errors='replace').strip()}")
    return done.stdout.decode()


def named_hashes(release) -> set[str]:
    return {line.split()[0] for line in (release["SHA256"] or "").splitlines() if line.strip()}


def plain(path: Path) -> bytes:
    return subprocess.run(["/usr/lib/apt/apt-helper", "cat-file", str(path)], capture_output=True, check=True).stdout


def read_lists(lists: Path, keyring: Path) -> tuple[list[tuple[str, ...]], dict[tuple[str, ...], str]]:
    """The releases, and (name, version, architecture) -> SHA-256."""
    releases, known, index = [], set(), {}
    for path in sorted(lists.glob("*InRelease")):
        release = next(stanzas(signed_text(path, keyring)))
        known |= named_hashes(release)
        releases.append(("release", release["Suite"] or "", release["Codename"] or "", release["Date"],
                         hashlib.sha256(path.read_bytes()).hexdigest()))
    if not releases:
        raise Doubtful(f"no InRelease in {lists}")
    for path in sorted(lists.glob("*_Packages*")):
        content = plain(path)
        if hashlib.sha256(content).hexdigest() not in known:
            raise Doubtful(f"{path.name} is not in the signed release")
        index.update({(each["Package"], each["Version"], each["Architecture"]): each["SHA256"]
                      for each in stanzas(content.decode())})
    return releases, index


def in_debs(folder: Path) -> list[tuple[tuple[str, ...], str]]:
    def describe(path):
        words = subprocess.run(["dpkg-deb", "--show", "--showformat=${Package} ${Version} ${Architecture}", str(path)],
                               capture_output=True, text=True, check=True).stdout.split()
        return tuple(words), hashlib.sha256(path.read_bytes()).hexdigest()
    return [describe(path) for path in sorted(folder.glob("*.deb"))]


def installed(folder: Path) -> list[tuple[tuple[str, ...], str | None]]:
    lines = subprocess.run(["dpkg-query", f"--admindir={folder}", "--show",
                            "--showformat=${Package} ${Version} ${Architecture}\\n"],
                           capture_output=True, text=True, check=True).stdout.splitlines()
    return [(tuple(line.split()), None) for line in lines]


def rows(index: dict[tuple[str, ...], str], packages) -> list[tuple[str, ...]]:
    if not packages:
        raise Doubtful("no package")
    found = []
    for package, digest in packages:
        if package not in index or digest not in (None, index[package]):
            raise Doubtful(f"{' '.join(package)} is not what the archive has")
        found.append(("package", *package, index[package]))
    return sorted(found)


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("lists", type=Path)
    parser.add_argument("--keyring", type=Path, default=KEYRING)
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--debs", type=Path)
    which.add_argument("--installed", type=Path)
    options = parser.parse_args()
    try:
        releases, index = read_lists(options.lists, options.keyring)
        packages = in_debs(options.debs) if options.debs else installed(options.installed)
        for row in releases + rows(index, packages):
            print("\t".join(row))
    except Doubtful as doubt:
        print(f"inventory: {doubt}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
