#!/bin/sh
set -eu
# Mitral's programs for the board and their units. What was compiled before is kept beside, so that a change costs what it touches.
kept=$FOLDER/programs-build
# But nothing that was compiled in another Debian 13, or for another flavour.
made_for="$FLAVOUR $(sha256sum <"$CROSS_ROOT/packages.tsv")"
[ ! -e "$kept/for" ] || [ "$(cat "$kept/for")" = "$made_for" ] || rm -rf "$kept"
mkdir -p "$kept"
printf '%s\n' "$made_for" >"$kept/for"
# The mounts are in a name space of their own and go with it.
# shellcheck disable=SC2016 # it is the inner shell that expands
unshare --mount sh -eu -c '
    mount --bind "$ROOT" "$2/mitral"
    mount --bind "$1" "$2/out"
    mount -t proc proc "$2/proc"
    tree=$2
    inside() { chroot "$tree" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 "$@"; }
    inside cmake -S /mitral -B /out/build -G Ninja -DCMAKE_TOOLCHAIN_FILE=/mitral/board/common/arm64.cmake \
        -DCMAKE_BUILD_TYPE=RelWithDebInfo -DCMAKE_CXX_FLAGS_RELWITHDEBINFO=-O2 -DCMAKE_INSTALL_PREFIX=/usr \
        -DMITRAL_PRODUCTION="$([ "$FLAVOUR" = production ] && echo ON || echo OFF)"
    inside cmake --build /out/build -j"$JOBS" --target $GATEWAY
' sh "$kept" "$CROSS_ROOT/tree"
mkdir bin units
for program in $GATEWAY; do
    aarch64-linux-gnu-strip -o "bin/$program" "$kept/build/bin/$program"
done
cp "$kept"/build/systemd/* units/
