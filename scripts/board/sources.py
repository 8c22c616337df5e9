"""Debian's source packages, each file by name and SHA-256 (board/sources.sha256)."""
import hashlib
import os
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LOCK = ROOT / "board" / "sources.sha256"


class SourceMissing(Exception):
    pass


def pinned() -> dict[str, str]:
    """File name -> SHA-256."""
    return {name: digest for digest, name in (line.split() for line in LOCK.read_text().splitlines())}


def store() -> Path | None:
    """A folder that has them already: MITRAL_SOURCES, or `shared/sources` beside the repository."""
    named = os.environ.get("MITRAL_SOURCES")
    if named:
        return Path(named)
    worktree = subprocess.run(["git", "-C", str(ROOT), "rev-parse", "--path-format=absolute", "--git-common-dir"],
                              capture_output=True, text=True, check=False).stdout.strip()
    beside = [ROOT.parent, *([Path(worktree).parent.parent] if worktree else [])]
    return next((each / "shared" / "sources" for each in beside if (each / "shared" / "sources").is_dir()), None)


def mirror() -> str:
    """The mirror that serves this machine's own suite."""
    for listed in sorted(Path("/etc/apt/sources.list.d").glob("*.sources")):
        for line in listed.read_text().splitlines():
            if line.startswith("URIs:") and "security" not in line:
                return line.split()[1].rstrip("/")
    for line in Path("/etc/apt/sources.list").read_text().splitlines():
        words = line.split()
        if words[:1] == ["deb"] and "security" not in line:
            return next(word for word in words if "://" in word).rstrip("/")
    raise SourceMissing("no Debian mirror in /etc/apt")


def right(path: Path, digest: str) -> bool:
    return path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == digest


def fetch(name: str, digest: str, folder: Path) -> Path:
    """The file, from the store, from an earlier build or from the archive, in this order."""
    known = store()
    for path in ([known / name] if known else []) + [folder / name]:
        if right(path, digest):
            return path
    package = name.split("_")[0]
    address = f"{mirror()}/pool/main/{package[0]}/{package}/{name}"
    got = subprocess.run(["/usr/lib/apt/apt-helper", "-o", "APT::Sandbox::User=root", "download-file", address,
                          str(folder / name), f"SHA256:{digest}"], capture_output=True, check=False)
    if got.returncode != 0 or not right(folder / name, digest):
        raise SourceMissing(f"{name}: {mirror()} has it no longer; put it into a folder, named by MITRAL_SOURCES")
    return folder / name


def gather(package: str, folder: Path) -> tuple[Path, str]:
    """Brings the files of one source package together; returns its .dsc and its fingerprint."""
    folder.mkdir(parents=True, exist_ok=True)
    described = None
    mine = {name: digest for name, digest in pinned().items() if name.split("_")[0] == package}
    for name, digest in mine.items():
        path = fetch(name, digest, folder)
        here = folder / name
        if path != here and not (here.is_symlink() and here.readlink() == path):  # tests that sign come side by side
            here.unlink(missing_ok=True)
            here.symlink_to(path)
        if name.endswith(".dsc"):
            described = here
    if described is None:
        raise SourceMissing(f"{package} is not in {LOCK}")
    return described, " ".join(sorted(mine.values()))
