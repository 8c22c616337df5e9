#!/bin/sh
set -eu
# Trusted Firmware with its chain of certificates: from the key whose hash is in BL1 to OP-TEE and U-Boot.
tree=$ARM_TRUSTED_FIRMWARE_SOURCE/tree
# The makefiles ask for the private key in a file, twice: its hash needs the public half alone, and cert_create takes the
# URI of a token as well. Only the latter is told who signs.
# shellcheck disable=SC2016 # it is make that expands
sed -i -e 's/openssl rsa -in \$< -pubout/openssl pkey -pubin -in $< -pubout/' "$tree/plat/qemu/qemu/platform.mk"
# shellcheck disable=SC2016
sed -i 's/CERT_ADD_CMD_OPT,\${ROT_KEY},--rot-key/CERT_ADD_CMD_OPT,'"'\${ROT_SIGNER}'"',--rot-key/' "$tree/make_helpers/tbbr/tbbr_tools.mk"
# fiptool is built inside the tree, for one platform.
make -C "$tree/tools/fiptool" clean
# E=0: this compiler warns where the source was written for another one.
make -C "$tree" -j"$JOBS" CROSS_COMPILE=aarch64-linux-gnu- PLAT=qemu SPD=opteed QEMU_USE_GIC_DRIVER=QEMU_GICV3 E=0 LOG_LEVEL="$LOG_LEVEL" \
    TRUSTED_BOARD_BOOT=1 GENERATE_COT=1 MBEDTLS_DIR="$MBEDTLS_SOURCE/tree" ROT_KEY="$PUBLIC/rot.pem" ROT_SIGNER="$ROT_SIGNER" \
    BL32="$OPTEE/tee-header_v2.bin" BL32_EXTRA1="$OPTEE/tee-pager_v2.bin" BL32_EXTRA2="$OPTEE/tee-pageable_v2.bin" \
    BL32_RAM_LOCATION=tdram BL33="$U_BOOT_KEY/u-boot.bin" BUILD_BASE="$OUT/build" \
    BUILD_STRING=mitral BUILD_MESSAGE_TIMESTAMP='""' all fip
openssl pkey -pubin -in "$PUBLIC/rot.pem" -outform DER | openssl dgst -sha256 -binary | cmp - "$OUT/build/qemu/release/rotpk_sha256.bin"
cp "$OUT/build/qemu/release/qemu_fw.bios" "$OUT/flash.bin"
cp "$OUT/build/qemu/release/fip.bin" "$OUT/fip.bin"
