"""What of the STM32MP257F-EV1's firmware Debian's sources make, in order (docs/porting-stm32mp257.md)."""
from pathlib import Path

import keys
import plan
import sources
from stages import Stage

BOARD = sources.ROOT / "board" / "stm32mp257"


def recipe(name: str) -> Path:
    return BOARD / "recipes" / f"{name}.sh"


def stages(folder: Path, flavour: str) -> list[Stage]:
    public = folder / "public"
    return [
        *(plan.source(package, folder) for package in ("optee-os", "arm-trusted-firmware", "u-boot")),
        Stage("optee-core", recipe("optee-core"), files=(plan.OPTEE_SETTINGS,), words=(keys.fingerprint(public, "ta"),),
              after=("optee-os-source",), settings={"INSECURE": "n" if flavour == "production" else "y"}),
        plan.trusted_app(),
        plan.optee(),
        Stage("u-boot", recipe("u-boot"), files=(BOARD / "u-boot", plan.LOCKED_SETTINGS), after=("u-boot-source",)),
        Stage("firmware", recipe("firmware"), after=("arm-trusted-firmware-source",)),
    ]
