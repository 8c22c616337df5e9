"""The npm packages of package-lock.json, installed once below the build directory."""
import filecmp
import os
import pathlib
import shutil
import subprocess

HERE = pathlib.Path(__file__).parent
PLACE = pathlib.Path(os.environ["MITRAL_BINARY_DIR"]) / "conformance"
MODULES = PLACE / "node_modules"


def missing_tools():
    return [tool for tool in ("node", "npm") if shutil.which(tool) is None]


def install():
    """npm ci in a copy below the build directory; again only when a pin changed."""
    PLACE.mkdir(parents=True, exist_ok=True)
    done = PLACE / "installed.json"
    if done.exists() and filecmp.cmp(HERE / "package-lock.json", done, shallow=False):
        return
    for name in ("package.json", "package-lock.json", ".npmrc"):
        shutil.copy(HERE / name, PLACE / name)
    subprocess.run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=PLACE, check=True, timeout=240)
    shutil.copy(HERE / "package-lock.json", done)
