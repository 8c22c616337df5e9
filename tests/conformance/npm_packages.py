"""The npm packages of package-lock.json, installed once below the build directory; where the machine's Node.js is too
old for them, one that is not, from npm too. As a program: installs both, before tests that run side by side."""
import fcntl
import filecmp
import os
import pathlib
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).parent
PLACE = pathlib.Path(os.environ["MITRAL_BINARY_DIR"]) / "conformance"
MODULES = PLACE / "node_modules"
OLDEST = 20  # what Microsoft's packages take


def missing_tools():
    return [tool for tool in ("node", "npm") if shutil.which(tool) is None]


def version(program="node"):
    """The major version of a Node.js."""
    said = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout
    return int(said.removeprefix("v").split(".")[0])


def install():
    """Whatever is missing; from now on `node` is new enough for this process and its children."""
    _install(HERE, PLACE)
    if version() < OLDEST:
        place = PLACE / "runtime"
        _install(HERE / "runtime", place)
        programs = next((place / "node_modules").glob("node-linux-*/bin"))
        os.environ["PATH"] = f"{programs}:{os.environ['PATH']}"


def _install(pins, place):
    """npm ci in a copy of the pins; again only when one changed. One at a time."""
    place.mkdir(parents=True, exist_ok=True)
    with open(place / "lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        _install_alone(pins, place)


def _install_alone(pins, place):
    done = place / "installed.json"
    if done.exists() and filecmp.cmp(pins / "package-lock.json", done, shallow=False):
        return
    for file in (pins / "package.json", pins / "package-lock.json", HERE / ".npmrc"):
        shutil.copy(file, place / file.name)
    subprocess.run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=place, check=True, timeout=240)
    shutil.copy(pins / "package-lock.json", done)


if __name__ == "__main__":
    if missing_tools():
        print(f"skipped: not installed: {', '.join(missing_tools())}")
        sys.exit(77)
    install()
