#!/bin/sh
set -eu
# A Debian 13 that compiles for arm64. It is entered by chroot; nothing of it is installed on this machine.
mmdebstrap --skip=cleanup/apt/lists --arch=amd64 --architectures=amd64,arm64 --variant=apt --include="$IN_CROSS_ROOT" \
    --aptopt='APT::Install-Recommends "false"' trixie tree \
    "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $MIRROR trixie main"
python3 "$ROOT/scripts/board/inventory.py" tree/var/lib/apt/lists --installed tree/var/lib/dpkg >packages.tsv
rm -rf tree/var/cache/apt tree/var/lib/apt/lists
mkdir tree/mitral tree/out
