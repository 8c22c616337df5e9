"""What the board's image is made of, in order."""
import os
from pathlib import Path

import arguments
import keys
import machine
import sources
from stages import Stage

BOARD = sources.ROOT / "board" / "qemu"
SRC = sources.ROOT / "src"
COMMON = sources.ROOT / "board" / "common"
INVENTORY, LOCKED_SETTINGS, OPTEE_SETTINGS = (Path(__file__).resolve().parent / name for name in
                                               ("inventory.py", "locked_settings.py", "optee_settings.py"))
VAULT_UID = "990"
GATEWAY = "mitral mitral-vault mitral-intake-lines mitral-intake-hl7 mitral-uplink mitral-enrol mitral-timed mitral-volume"
NOT_ON_BOARD = ("bedside", "cloud", "trusted")
IN_ROOT = ",".join(("busybox-static", "systemd", "udev", "mount", "tzdata", "libubootenv-tool", "tee-supplicant",
                    "libteec2", "dmsetup", "e2fsprogs", "libstdc++6", "libssl3t64", "libfmt10", "libseccomp2", "libcurl4t64",
                    "libdate-tz3", "libsimdjson25", "libtss2-esys-3.0.2-0t64", "libtss2-mu-4.0.1-0t64", "libtss2-rc0t64",
                    "libtss2-tctildr0t64", "nftables"))
IN_CROSS_ROOT = ",".join(
    ("crossbuild-essential-arm64", "cmake", "ninja-build", "pkg-config", "python3", "libcli11-dev",
     "nlohmann-json3-dev",
     *(f"{name}:arm64" for name in
       ("libssl-dev", "libtss2-dev", "libfmt-dev", "libtomlplusplus-dev", "libseccomp-dev", "libcurl4-openssl-dev",
        "libsimdjson-dev", "libboost-dev", "libsqlite3-dev", "libqpid-proton11-dev", "libhowardhinnant-date-dev",
        "libgtest-dev", "libgmock-dev", "optee-client-dev"))))
# Development hears OP-TEE's errors and Trusted Firmware's notices; production is mute.
LOG_LEVEL = {"development": {"optee": "1", "firmware": "20"}, "production": {"optee": "0", "firmware": "0"}}
BOOT_ARGUMENTS = arguments.command_line("development")


def recipe(name: str) -> Path:
    return BOARD / "recipes" / f"{name}.sh"


def source(package: str, folder: Path) -> Stage:
    described, fingerprint = sources.gather(package, folder / "sources")
    return Stage(f"{package}-source", recipe("unpack"), words=(fingerprint,), settings={"DESCRIPTION": str(described)})


def trusted_app() -> Stage:
    return Stage("trusted-app", recipe("trusted-app"), after=("optee-core",),
                 settings={"VAULT_UID": VAULT_UID, "STATION_KEY": os.environ.get("MITRAL_STATION_KEY", "")},
                 files=(SRC / "trusted" / "core", SRC / "trusted" / "optee", SRC / "trusted" / "protocol.h",
                        SRC / "azure" / "sas_core.c", SRC / "azure" / "sas_core.h", SRC / "roughtime"))


def optee() -> Stage:
    return Stage("optee", recipe("optee"), files=(OPTEE_SETTINGS,), after=("optee-core", "trusted-app"))


def stages(folder: Path, flavour: str) -> list[Stage]:
    public = folder / "public"
    return [  # the longest way first
        Stage("cross-root", recipe("cross-root"), files=(INVENTORY,), shared=True,
              settings={"MIRROR": sources.mirror(), "IN_CROSS_ROOT": IN_CROSS_ROOT}),
        Stage("programs", recipe("programs"), after=("cross-root",), settings={"GATEWAY": GATEWAY, "FLAVOUR": flavour},
              files=(*(room for room in sorted(SRC.iterdir()) if room.name not in NOT_ON_BOARD),
                     SRC / "trusted" / "protocol.h", COMMON / "arm64.cmake", sources.ROOT / "CMakeLists.txt",
                     sources.ROOT / "cmake")),
        Stage("packages", recipe("packages"), files=(INVENTORY,), settings={"MIRROR": sources.mirror()}, shared=True),
        *(source(package, folder) for package in ("optee-os", "arm-trusted-firmware", "mbedtls", "u-boot")),
        Stage("optee-core", recipe("optee-core"), files=(BOARD / "optee", OPTEE_SETTINGS),
              words=(keys.fingerprint(public, "ta"),), after=("optee-os-source",),
              settings={"LOG_LEVEL": LOG_LEVEL[flavour]["optee"]}),
        trusted_app(),
        optee(),
        Stage("machine-tree", recipe("machine"), files=(BOARD / "machine.dtsi",), settings=machine.SETTINGS,
              shared=True),
        Stage("u-boot", recipe("u-boot"), files=(BOARD / "u-boot", LOCKED_SETTINGS), after=("u-boot-source",),
              settings={"MUTE": "1" if flavour == "production" else ""}),
        Stage("u-boot-key", recipe("u-boot-key"), words=(keys.fingerprint(public, "boot"),), signs=True,
              after=("u-boot", "machine-tree")),
        Stage("firmware", recipe("firmware"), words=(keys.fingerprint(public, "rot"),), signs=True,
              after=("arm-trusted-firmware-source", "mbedtls-source", "optee", "u-boot-key"),
              settings={"LOG_LEVEL": LOG_LEVEL[flavour]["firmware"]}),
        Stage("root-fs", recipe("root"), after=("packages", "programs"),
              files=(INVENTORY, COMMON, BOARD / "network", SRC / "base" / "mitral.sysusers",
                     SRC / "base" / "mitral.tmpfiles", SRC / "trusted" / "protocol.h"),
              settings={"MIRROR": sources.mirror(), "IN_ROOT": IN_ROOT, "VAULT_UID": VAULT_UID, "FLAVOUR": flavour}),
        Stage("initramfs", recipe("initramfs"), files=(BOARD / "initramfs",), after=("packages", "root-fs")),
        Stage("image", recipe("image"), files=(BOARD / "image.its",), words=(keys.fingerprint(public, "boot"),),
              signs=True, after=("packages", "machine-tree", "initramfs"),
              settings={"BOOT_ARGUMENTS": arguments.command_line(flavour)}),
        Stage("disk", recipe("disk"), after=("image", "root-fs")),
    ]
