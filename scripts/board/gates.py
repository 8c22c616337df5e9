#!/usr/bin/python3
"""Says why an image must not leave the line: gates.py FOLDER

One line per fault and 1, or nothing and 0. FOLDER is what build.py made. A gate that does not find what it looks at
fails, too.
"""
import argparse
import sys
from pathlib import Path

import gate_access
import gate_firmware
import gate_system

FIRMWARE = (gate_firmware.hardware_key, gate_firmware.storage_counter, gate_firmware.settings,
            gate_firmware.address_randomisation, gate_firmware.rpmb_key, gate_firmware.known_key,
            gate_firmware.boot_loader, gate_firmware.mute)
SYSTEM = (gate_system.command_line, gate_system.kernel_settings, gate_system.root_file_system, gate_system.private_key,
          gate_access.programs, gate_access.console, gate_access.station, gate_access.network,
          gate_access.kernel_modules)


def faults(folder: Path) -> list[str]:
    found = []
    for gate in FIRMWARE + SYSTEM:
        name = gate.__name__.replace("_", " ")
        try:
            found += [f"{name}: {fault}" for fault in gate(folder)]
        except FileNotFoundError as missing:
            found.append(f"{name}: there is no {missing.filename}")
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description="Says why an image must not leave the line.")
    parser.add_argument("folder", type=Path)
    found = faults(parser.parse_args().folder)
    for each in found:
        print(f"gate: {each}", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
