#!/bin/sh
set -eu
# Trusted Firmware for the STM32MP257F-EV1: BL2, as the boot ROM loads it, and BL31. There is no package of it, OP-TEE and U-Boot
# together: that needs STMicroelectronics' firmware of the DDR PHY, which Debian does not have.
tree=$ARM_TRUSTED_FIRMWARE_SOURCE/tree
# Without --build-id=none the linker's note makes BL2 grow to the distance between two memories.
make -C "$tree" -j"$JOBS" CROSS_COMPILE=aarch64-linux-gnu- PLAT=stm32mp2 SPD=opteed E=0 STM32MP_DDR4_TYPE=1 \
    DTB_FILE_NAME=stm32mp257f-ev1.dtb STM32MP_SDMMC=1 STM32MP_EMMC=1 STM32_TF_ELF_LDFLAGS="--build-id=none" \
    BUILD_BASE="$OUT/build" BUILD_STRING=mitral BUILD_MESSAGE_TIMESTAMP='""' all
cp "$OUT"/build/stm32mp2/release/*.stm32 "$OUT/"
cp "$OUT/build/stm32mp2/release/bl31.bin" "$OUT/bl31.bin"
