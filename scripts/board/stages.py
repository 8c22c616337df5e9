"""Stages of a build, each done again only when something that goes into it has changed."""
import hashlib
import os
import shutil
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

# Another python3 first in the PATH lacks modules that OP-TEE's and U-Boot's builds need.
SYSTEM_PATH = "/usr/sbin:/usr/bin:/sbin:/bin"
# All that a recipe gets of the caller's environment: the way to the archive, nothing that changes what is built.
PASSED_ON = ("http_proxy", "https_proxy", "no_proxy")


class StageFailed(Exception):
    pass


@dataclass(frozen=True)
class Stage:
    """A recipe (shell), the files and words it reads, and the stages whose output it uses."""
    name: str
    recipe: Path
    files: tuple[Path, ...] = ()
    words: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    settings: dict[str, str] = field(default_factory=dict)
    signs: bool = False
    shared: bool = False  # the same in every flavour


def variable(name: str) -> str:
    return name.upper().replace("-", "_")


def files_below(path: Path) -> list[Path]:
    return sorted(each for each in path.rglob("*") if each.is_file()) if path.is_dir() else [path]


def link(path: Path, to: Path) -> None:
    """`path` is what stands at `to`, whether that is there yet or not."""
    if path.is_symlink():
        path.unlink()
    elif path.exists():
        shutil.rmtree(path)
    path.symlink_to(to)


class Workshop:
    """Holds the outputs under `folder`, one folder per stage; those that flavours share under `common`."""

    def __init__(self, folder: Path, environment: dict[str, str], signing: dict[str, str] | None = None,
                 common: Path | None = None):
        self.folder = folder
        self.common = common or folder
        self.environment = environment
        self.signing = signing or {}
        self.fingerprints: dict[str, str] = {}

    def output(self, name: str) -> Path:
        return self.folder / name

    def fingerprint(self, stage: Stage) -> str:
        digest = hashlib.sha256()
        for path in (stage.recipe, *stage.files):
            for each in files_below(path):
                digest.update(f"{each.name}\0".encode() + hashlib.sha256(each.read_bytes()).digest())
        parts = (*stage.words, *(f"{key}={value}" for key, value in sorted(stage.settings.items())),
                 *(self.fingerprints[name] for name in stage.after))
        digest.update("\0".join(parts).encode())
        return digest.hexdigest()

    def make(self, stage: Stage) -> None:
        print_now = self.fingerprints[stage.name] = self.fingerprint(stage)
        place = self.common if stage.shared else self.folder
        if place != self.folder:
            link(self.folder / stage.name, place / stage.name)
        stamp = place / f"{stage.name}.made"
        if stamp.exists() and stamp.read_text() == print_now:
            return
        stamp.unlink(missing_ok=True)
        output = place / stage.name
        shutil.rmtree(output, ignore_errors=True)
        output.mkdir(parents=True)
        started = time.monotonic()
        print(f"board: {stage.name} …", flush=True)
        self.run(stage, output)
        stamp.write_text(print_now)
        print(f"board: {stage.name} {time.monotonic() - started:.0f} s", flush=True)

    def environment_of(self, stage: Stage) -> dict[str, str]:
        """What the recipe sees, whole: the same whoever calls."""
        home = self.folder / "home"
        home.mkdir(parents=True, exist_ok=True)
        return {**{name: os.environ[name] for name in PASSED_ON if name in os.environ},
                **self.environment, **stage.settings, **(self.signing if stage.signs else {}),
                **{variable(name): str(self.output(name)) for name in stage.after},
                "PATH": SYSTEM_PATH, "HOME": str(home), "LC_ALL": "C.UTF-8", "TMPDIR": str(self.folder),
                "OUT": str(self.output(stage.name))}

    def run(self, stage: Stage, output: Path) -> None:
        log = self.folder / f"{stage.name}.log"
        with log.open("w") as written:
            done = subprocess.run(["sh", str(stage.recipe)], env=self.environment_of(stage), cwd=output, umask=0o022,
                                  stdout=written, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, check=False)
        if done.returncode != 0:
            tail = "".join(f"    {line}\n" for line in log.read_text(errors="replace").splitlines()[-15:])
            raise StageFailed(f"{stage.name} failed; the end of {log}:\n{tail}")
