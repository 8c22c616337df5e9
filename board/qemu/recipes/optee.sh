#!/bin/sh
set -eu
# The image of OP-TEE with the Trusted Application inside: what signs the one covers the other.
application=$(echo "$TRUSTED_APP"/*.stripped.elf)
# shellcheck disable=SC2046 # one argument per word is meant
make -C "$OPTEE_CORE/tree" -j"$JOBS" $(cat "$OPTEE_CORE/settings") EARLY_TA_PATHS="$application"
python3 "$ROOT/scripts/board/optee_settings.py" "$OPTEE_CORE/settings" "$OPTEE_CORE/build/conf.mk"
cp "$OPTEE_CORE"/build/core/tee-header_v2.bin "$OPTEE_CORE"/build/core/tee-pager_v2.bin \
    "$OPTEE_CORE"/build/core/tee-pageable_v2.bin "$OUT/"
