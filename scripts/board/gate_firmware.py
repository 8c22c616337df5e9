"""Gates before production: what the secure world and the boot loader are made of."""
import re
import subprocess
from pathlib import Path

import known_keys
import locked_settings
import optee_settings

CORE = Path("optee-core", "build")
HARDWARE_KEY = "tee_otp_get_hw_unique_key"
# How OP-TEE's core comes to a device, or to firmware below it. A key from nowhere is the same on every unit.
READS_THE_UNIT = {"phys_to_virt", "phys_to_virt_io", "core_mmu_get_va", "io_pa_or_va", "io_pa_or_va_secure",
                  "thread_smc", "thread_smccc"}
HEADING = re.compile(r"^[0-9a-f]+ <([^>@]+)(?:@plt)?>:$")
CALL = re.compile(r"\t(?:bl?|callq?|jmpq?)\s+(?:0x)?[0-9a-f]+ <([^>@+]+)(?:@plt)?>")
# The key OP-TEE writes into a replay-protected memory block with CFG_RPMB_TESTKEY=y (core/tee/tee_rpmb_fs.c).
RPMB_TEST_KEY = bytes.fromhex("d3eb3ec36e334c9f988ce2c0b85954610d2bcf8664844df2ab56e6c61bb701e4")
SETTINGS = {"CFG_INSECURE": "n", "CFG_REE_FS_TA": "n", "CFG_CORE_ASLR": "y", "CFG_TA_ASLR": "y",
            "CFG_RPMB_TESTKEY": "n", "CFG_ENABLE_EMBEDDED_TESTS": "n", "CFG_GP_SOCKETS": "n",
            "CFG_TEE_CORE_LOG_LEVEL": "0", "CFG_TEE_TA_LOG_LEVEL": "0"}
U_BOOT_MUTE = "CONFIG_SILENT_CONSOLE=y\nCONFIG_SILENT_U_BOOT_ONLY=y\n# CONFIG_DEBUG_UART is not set\n"
SAID_BY_TRUSTED_FIRMWARE = b"Booting Trusted Firmware"  # BL1's first words
# Everything on a unit that is not a tree of files.
BLOBS = ("optee/*.bin", "optee-core/build/core/tee-raw.bin", "u-boot-key/u-boot.bin", "firmware/*.bin",
         "firmware/*.stm32", "image/image.itb")


def read_elf(folder: Path, option: str) -> str:
    elf = folder / CORE / "core" / "tee.elf"
    if not elf.exists():
        raise FileNotFoundError(2, "", str(elf))
    return subprocess.run(["readelf", "-W", option, str(elf)], capture_output=True, text=True, check=True).stdout


def function(folder: Path, name: str) -> str | None:
    """How it is bound in the linked core. OP-TEE's own are WEAK: a platform's takes their place, or nothing does."""
    rows = (line.split() for line in read_elf(folder, "--syms").splitlines())
    return next(("WEAK" if "WEAK" in row else "GLOBAL" for row in rows if row[-1:] == [name]), None)


def calls(folder: Path) -> dict[str, set[str]]:
    """Function -> those it calls by name, in the linked core."""
    elf = folder / CORE / "core" / "tee.elf"
    tool = "aarch64-linux-gnu-objdump" if "AArch64" in read_elf(folder, "--file-header") else "objdump"
    text = subprocess.run([tool, "-d", str(elf)], capture_output=True, text=True, check=True).stdout
    graph, inside = {}, set()
    for line in text.splitlines():
        if heading := HEADING.match(line):
            inside = graph.setdefault(heading[1], set())
        elif call := CALL.search(line):
            inside.add(call[1])
    return graph


def reached(graph: dict[str, set[str]], start: str) -> set[str]:
    seen, waiting = set(), [start]
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            waiting += graph.get(name, ())
    return seen


def built_settings(folder: Path) -> dict[str, str]:
    return optee_settings.built((folder / CORE / "conf.mk").read_text())


def hardware_key(folder: Path) -> list[str]:
    bound = function(folder, HARDWARE_KEY)
    if bound is None:
        return ["OP-TEE has no function for it"]
    if bound == "WEAK":
        return ["it is OP-TEE's stub, all zeros on every unit"]
    read = reached(calls(folder), HARDWARE_KEY) & READS_THE_UNIT
    return [] if read else ["it is a constant: nothing of the unit is read"]


def storage_counter(folder: Path) -> list[str]:
    """Without a counter of the platform's own, or RPMB, an older disk is taken for the newest."""
    counted = function(folder, "nv_counter_get_ree_fs") == "GLOBAL" or built_settings(folder).get("CFG_RPMB_FS") == "y"
    return [] if counted else ["nothing says that OP-TEE's storage is not an older one"]


def settings(folder: Path) -> list[str]:
    return optee_settings.differences(SETTINGS, built_settings(folder))


def address_randomisation(folder: Path) -> list[str]:
    """The core moves itself by a seed, from the device tree of this start or from the platform."""
    if function(folder, "get_aslr_seed") is None:
        return ["OP-TEE's core does not move"]
    built = built_settings(folder)
    if "CFG_CORE_ASLR_SEED" in built:
        return ["the seed is a constant"]
    nobody = built.get("CFG_EXTERNAL_DT") != "y" and function(folder, "plat_get_aslr_seed") != "GLOBAL"
    return ["nobody gives a seed"] if nobody else []


def mute(folder: Path) -> list[str]:
    """OP-TEE's part is among its settings."""
    found = locked_settings.differences(U_BOOT_MUTE, (folder / "u-boot" / "build" / ".config").read_text())
    if b"\0silent=1\0" not in (folder / "u-boot-key" / "u-boot.bin").read_bytes():
        found.append("U-Boot's environment does not say silent")
    if SAID_BY_TRUSTED_FIRMWARE in (folder / "firmware" / "flash.bin").read_bytes():
        found.append("Trusted Firmware talks")
    return found


def blobs(folder: Path) -> list[Path]:
    found = [path for pattern in BLOBS for path in sorted(folder.glob(pattern))]
    for needed in ("optee", "u-boot-key", "firmware", "image"):
        if not any(path.relative_to(folder).parts[0] == needed for path in found):
            raise FileNotFoundError(2, "", str(folder / needed))
    return found


def rpmb_key(folder: Path) -> list[str]:
    return [f"the test key is in {path.relative_to(folder)}" for path in blobs(folder)
            if RPMB_TEST_KEY in path.read_bytes()]


def untrusted_keys(folder: Path) -> list[known_keys.Known]:
    """Published ones, and the development keys of this build and of those beside it."""
    folders = sorted({folder / "keys", *folder.parent.glob("board*/keys")})
    return known_keys.published() + [key for each in folders for key in known_keys.for_development(each)]


def known_key(folder: Path) -> list[str]:
    keys = untrusted_keys(folder)
    found = []
    for path in blobs(folder):
        content = path.read_bytes()
        found += [f"{path.relative_to(folder)} trusts {key.name}" for key in keys
                  if any(each in content for each in key.traces)]
    return found


def boot_loader(folder: Path) -> list[str]:
    built = folder / "u-boot"
    asked_for, have = (path.read_text() for path in (built / "locked.config", built / "build" / ".config"))
    found = locked_settings.differences(asked_for, have)
    asked = subprocess.run(["fdtget", str(folder / "u-boot-key" / "control.dtb"), "/signature/key-boot", "required"],
                           capture_output=True, text=True, check=False).stdout.strip()
    return found if asked == "conf" else [*found, "U-Boot does not ask for the signature of a configuration"]
