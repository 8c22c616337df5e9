#!/bin/sh
set -eu
# Our Trusted Application, with the kit of the OP-TEE it goes into.
make -C "$ROOT/src/trusted/optee" TA_DEV_KIT_DIR="$OPTEE_CORE/build/export-ta_arm64" O="$OUT/app/trusted/optee" \
    TA_SIGN_KEY="$OPTEE_CORE/unused.pem" VAULT_UID="$VAULT_UID" STATION_KEY="$STATION_KEY"
cp "$OUT"/app/trusted/optee/*.stripped.elf "$OUT/"
