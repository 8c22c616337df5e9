#!/bin/sh
set -eu
# U-Boot as far as Debian's version carries: locked down, but its settings for this board know no eMMC to start from.
tree=$U_BOOT_SOURCE/tree
build=$OUT/build
mkdir "$build"
export CROSS_COMPILE=aarch64-linux-gnu-
make -C "$tree" O="$build" stm32mp25_defconfig
(cd "$build" && "$tree/scripts/kconfig/merge_config.sh" -m .config "$BOARD/u-boot/locked.config")
make -C "$tree" O="$build" olddefconfig
cp "$BOARD/u-boot/locked.config" "$OUT/"
python3 "$ROOT/scripts/board/locked_settings.py" "$OUT/locked.config" "$build/.config"
make -C "$tree" O="$build" -j"$JOBS" DEVICE_TREE=stm32mp257f-ev1 u-boot-nodtb.bin dtbs
