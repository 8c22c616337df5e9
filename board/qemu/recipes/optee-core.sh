#!/bin/sh
set -eu
# OP-TEE with our key as the only one it trusts, the unit's own hardware key, and without the parts a board does not
# need: Trusted Applications come from its own image alone. Its kit builds the Trusted Application; `optee.sh` then makes the image of both.
tree=$OUT/tree
cp -a "$OPTEE_OS_SOURCE/tree" "$tree"
cp "$BOARD/optee/unit.c" "$tree/core/arch/arm/plat-vexpress/"
printf 'srcs-y += unit.c\n' >>"$tree/core/arch/arm/plat-vexpress/sub.mk"
# No private key goes with the public one here: what the kit signs is thrown away, the Trusted Application goes in unsigned.
openssl genpkey -quiet -algorithm RSA -pkeyopt rsa_keygen_bits:3072 -out "$OUT/unused.pem"
# CFG_INSECURE=n leaves out the all-zero hardware key: without unit.c this does not link.
cat >"$OUT/settings" <<SETTINGS
PLATFORM=vexpress-qemu_armv8a CROSS_COMPILE=aarch64-linux-gnu- CROSS_COMPILE64=aarch64-linux-gnu-
CFG_ARM64_core=y CFG_USER_TA_TARGETS=ta_arm64 CFG_ARM_GICV3=y CFG_EARLY_TA=y CFG_INSECURE=n CFG_CORE_ASLR=y
CFG_TEE_CORE_LOG_LEVEL=$LOG_LEVEL CFG_TEE_TA_LOG_LEVEL=$LOG_LEVEL CFG_ENABLE_EMBEDDED_TESTS=n CFG_BUILD_IN_TREE_TA=n CFG_REE_FS_TA=n CFG_RPMB_FS=n CFG_RPMB_TESTKEY=n CFG_SECSTOR_TA=n CFG_GP_SOCKETS=n CFG_DT_DRIVER_EMBEDDED_TEST=n
TA_PUBLIC_KEY=$PUBLIC/ta.pem TA_SIGN_KEY=$OUT/unused.pem O=$OUT/build
SETTINGS
# shellcheck disable=SC2046 # one argument per word is meant
make -C "$tree" -j"$JOBS" $(cat "$OUT/settings")
python3 "$ROOT/scripts/board/optee_settings.py" "$OUT/settings" "$OUT/build/conf.mk"
