#!/bin/sh
set -eu
# Trusted Firmware with its chain of certificates: from the key whose hash is in BL1 to OP-TEE and U-Boot.
tree=$ARM_TRUSTED_FIRMWARE_SOURCE/tree
# fiptool is built inside the tree, for one platform.
make -C "$tree/tools/fiptool" clean
# E=0: this compiler warns where the source was written for another one.
make -C "$tree" -j"$JOBS" CROSS_COMPILE=aarch64-linux-gnu- PLAT=qemu SPD=opteed QEMU_USE_GIC_DRIVER=QEMU_GICV3 E=0 \
    TRUSTED_BOARD_BOOT=1 GENERATE_COT=1 MBEDTLS_DIR="$MBEDTLS_SOURCE/tree" ROT_KEY="$KEYS/rot.pem" \
    BL32="$OPTEE/tee-header_v2.bin" BL32_EXTRA1="$OPTEE/tee-pager_v2.bin" BL32_EXTRA2="$OPTEE/tee-pageable_v2.bin" \
    BL32_RAM_LOCATION=tdram BL33="$U_BOOT_KEY/u-boot.bin" BUILD_BASE="$OUT/build" \
    BUILD_STRING=mitral BUILD_MESSAGE_TIMESTAMP='""' all fip
cp "$OUT/build/qemu/release/qemu_fw.bios" "$OUT/flash.bin"
cp "$OUT/build/qemu/release/fip.bin" "$OUT/fip.bin"
