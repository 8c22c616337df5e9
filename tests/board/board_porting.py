#!/usr/bin/python3
"""What `make board BOARD=stm32mp257` built: as far as claimed, and unfit for production for the documented reasons."""
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts" / "board"))

import gate_firmware  # noqa: E402
import gates  # noqa: E402
import keys  # noqa: E402

BUILT = Path(os.environ.get("MITRAL_BOARD_DIR", ROOT / "build" / "board-stm32mp257"))


class Porting(unittest.TestCase):
    def test_the_secure_world_and_the_loaders_were_built(self):
        for name in ("optee/tee-pager_v2.bin", "firmware/tf-a-stm32mp257f-ev1.stm32", "firmware/bl31.bin",
                     "u-boot/build/u-boot-nodtb.bin"):
            self.assertGreater((BUILT / name).stat().st_size, 10_000, name)
        self.assertLess((BUILT / "firmware/tf-a-stm32mp257f-ev1.stm32").stat().st_size, 1 << 20)

    def test_gates_tell_the_stub_and_the_missing_seed(self):
        told = gates.faults(BUILT)
        self.assertIn("hardware key: it is OP-TEE's stub, all zeros on every unit", told)
        self.assertIn("storage counter: nothing says that OP-TEE's storage is not an older one", told)
        self.assertIn("settings: CFG_INSECURE is y, asked for n", told)
        self.assertIn("address randomisation: nobody gives a seed", told)

    def test_control_the_image_for_qemu_has_neither_fault(self):
        other = ROOT / "build" / "board"
        for gate in (gate_firmware.hardware_key, gate_firmware.storage_counter, gate_firmware.settings,
                     gate_firmware.address_randomisation):
            self.assertEqual(gate(other), [])

    def test_production_does_not_link(self):
        with tempfile.TemporaryDirectory(prefix="mitral-porting-") as folder:
            signing = Path(folder) / "keys"
            keys.make_development(signing)
            (signing / keys.DEVELOPMENT).unlink()
            words = (ROOT / "scripts/board/build.py", "--board", "stm32mp257", "--flavour", "production",
                     "--keys", signing, "--folder", f"{folder}/board", "--until", "optee-core")
            done = subprocess.run([sys.executable, *map(str, words)], capture_output=True, text=True, check=False,
                                  env={**os.environ, "MITRAL_STATION_KEY": "ab" * 32})
        self.assertEqual(done.returncode, 1)
        self.assertIn("undefined reference to `tee_otp_get_hw_unique_key'", done.stderr)


if __name__ == "__main__":
    unittest.main()
