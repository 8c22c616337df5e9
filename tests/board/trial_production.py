#!/usr/bin/python3
"""Builds a production image with keys of its own, made for trials on this machine: trial_production.py [--until STAGE]

All that tells it from one that leaves the line is whose keys these are.
"""
import argparse
import base64
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts" / "board"))

import build  # noqa: E402
import keys  # noqa: E402

IMAGE = ROOT / "build" / "board-production-trial"
KEYS = ROOT / "build" / "trial-keys"
STATION = KEYS / "station.key"


def make_keys() -> None:
    keys.make_development(KEYS)
    (KEYS / keys.DEVELOPMENT).unlink()
    if not STATION.exists():
        subprocess.run(["openssl", "genpkey", "-quiet", "-algorithm", "ed25519", "-out", str(STATION)], check=True,
                       umask=0o077)


def station_public() -> bytes:
    done = subprocess.run(["openssl", "pkey", "-in", str(STATION), "-pubout", "-outform", "DER"], check=True,
                          capture_output=True)
    return done.stdout[-32:]


def station_public_text() -> str:
    """As a unit's station.pub has it."""
    return base64.b64encode(station_public()).decode() + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--until", help="stop after this stage")
    options = parser.parse_args()
    make_keys()
    os.environ["MITRAL_STATION_KEY"] = station_public().hex()
    sys.argv = ["build.py", "--flavour", "production", "--folder", str(IMAGE), "--keys", str(KEYS),
                *(["--until", options.until] if options.until else [])]
    return build.main()


if __name__ == "__main__":
    sys.exit(main())
