#!/bin/sh
set -eu
# OP-TEE for the STM32MP257F-EV1, with our key as the only one it trusts and without the parts a board does not need.
# INSECURE=y lets OP-TEE's hardware key of all zeros in, since there is no driver for the real one: never for production,
# which asks for n and does not link.
tree=$OUT/tree
cp -a "$OPTEE_OS_SOURCE/tree" "$tree"
openssl genpkey -quiet -algorithm RSA -pkeyopt rsa_keygen_bits:3072 -out "$OUT/unused.pem"
# CFG_SCMI_SCPFW=n: the source of the SCP firmware is not in Debian's package. CFG_CORE_ASLR is off by default on this platform.
cat >"$OUT/settings" <<SETTINGS
PLATFORM=stm32mp2-257F_EV1 CROSS_COMPILE=aarch64-linux-gnu- CROSS_COMPILE64=aarch64-linux-gnu-
CFG_ARM64_core=y CFG_USER_TA_TARGETS=ta_arm64 CFG_EARLY_TA=y CFG_INSECURE=$INSECURE CFG_CORE_ASLR=y CFG_SCMI_SCPFW=n CFG_SCMI_PTA=n
CFG_TEE_CORE_LOG_LEVEL=1 CFG_TEE_TA_LOG_LEVEL=1 CFG_ENABLE_EMBEDDED_TESTS=n CFG_BUILD_IN_TREE_TA=n CFG_REE_FS_TA=n CFG_RPMB_FS=n CFG_RPMB_TESTKEY=n CFG_SECSTOR_TA=n CFG_GP_SOCKETS=n CFG_DT_DRIVER_EMBEDDED_TEST=n
TA_PUBLIC_KEY=$PUBLIC/ta.pem TA_SIGN_KEY=$OUT/unused.pem O=$OUT/build
SETTINGS
# shellcheck disable=SC2046 # one argument per word is meant
make -C "$tree" -j"$JOBS" $(cat "$OUT/settings")
python3 "$ROOT/scripts/board/optee_settings.py" "$OUT/settings" "$OUT/build/conf.mk"
