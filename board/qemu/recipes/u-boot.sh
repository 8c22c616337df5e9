#!/bin/sh
set -eu
# U-Boot, locked down.
tree=$U_BOOT_SOURCE/tree
build=$OUT/build
mkdir "$build"
cat "$BOARD/u-boot/board.env" ${MUTE:+"$BOARD/u-boot/mute.env"} >"$tree/board/emulation/qemu-arm/board.env"
sed -i -e '/CFG_ENV_FLAGS_LIST_STATIC/d' \
    -e '/endif.*CONFIG_H/i #define CFG_ENV_FLAGS_LIST_STATIC "slot:bw,bootcount:dw"' "$tree/include/configs/qemu-arm.h"
export CROSS_COMPILE=aarch64-linux-gnu-
make -C "$tree" O="$build" qemu_arm64_defconfig
cat "$BOARD/u-boot/locked.config" ${MUTE:+"$BOARD/u-boot/mute.config"} >"$OUT/locked.config"
(cd "$build" && "$tree/scripts/kconfig/merge_config.sh" -m .config "$OUT/locked.config")
make -C "$tree" O="$build" olddefconfig
# A setting that a newer U-Boot names otherwise must not be lost in silence.
python3 "$ROOT/scripts/board/locked_settings.py" "$OUT/locked.config" "$build/.config"
make -C "$tree" O="$build" -j"$JOBS" u-boot.bin
