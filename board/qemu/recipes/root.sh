#!/bin/sh
set -eu
# The read-only root file system, with its tree of hashes behind it: packages extracted, not installed, and our files.
mmdebstrap --arch=arm64 --variant=extract --skip=check/qemu,cleanup/apt --include="$IN_ROOT" trixie tree \
    "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $MIRROR trixie main"
python3 "$ROOT/scripts/board/inventory.py" tree/var/lib/apt/lists --debs tree/var/cache/apt/archives >packages.tsv
# Nothing was installed, so nothing has made these.
for name in bin sbin lib; do [ -e tree/$name ] || ln -s usr/$name tree/$name; done
mkdir -p tree/data tree/proc tree/sys tree/dev tree/run tree/tmp tree/etc
ldconfig -r tree
printf '%s\n' 'root:x:0:0:root:/:/usr/sbin/nologin' "mitral-vault:x:$VAULT_UID:$VAULT_UID::/:/usr/sbin/nologin" >tree/etc/passwd
printf '%s\n' 'root:x:0:' "mitral-vault:x:$VAULT_UID:" >tree/etc/group
aarch64-linux-gnu-gcc -O2 -Wall -Wextra -Werror -I"$PACKAGES/client/usr/include" -I"$ROOT/src" \
    "$ROOT/board/common/probe.c" "$PACKAGES"/client/usr/lib/aarch64-linux-gnu/libteec.so.2 \
    -Wl,--allow-shlib-undefined -o tree/usr/sbin/mitral-board-probe
install -D -m 0644 "$ROOT/board/common/sysctl.conf" tree/etc/sysctl.d/90-mitral.conf
install -m 0755 "$ROOT/board/common/init" tree/usr/sbin/mitral-board-init
install -m 0755 "$ROOT/board/common/trial" tree/usr/sbin/mitral-board-trial
install -m 0755 "$PROGRAMS/bin/mitral-vault" tree/usr/bin/mitral-vault
install -m 0755 "$PROGRAMS/bin/canary_station" tree/usr/sbin/mitral-board-station
rm -rf tree/usr/share/doc tree/usr/share/man tree/usr/share/locale tree/usr/share/info tree/var/cache tree/var/lib/apt

# No program here runs with the rights of its owner.
find tree -type f -perm /6000 -exec chmod a-s {} +
mksquashfs tree root.squashfs -quiet -no-progress -noappend -all-root -comp zstd -Xcompression-level 6 \
    -mkfs-time 0 -all-time 0
truncate -s %4096 root.squashfs
size=$(stat -c %s root.squashfs)
cp root.squashfs root.image
veritysetup format --salt="$(sha256sum root.squashfs | cut -c 1-64)" --uuid=00000000-0000-0000-0000-000000000000 \
    --no-superblock --data-blocks=$((size / 4096)) --hash-offset="$size" root.image root.image >verity
# What the kernel is told (Documentation/admin-guide/device-mapper/verity.rst); DEVICE is filled in on the board.
blocks=$((size / 4096))
printf '0 %s verity 1 DEVICE DEVICE 4096 4096 %s %s sha256 %s %s 1 panic_on_corruption\n' $((blocks * 8)) "$blocks" "$blocks" \
    "$(sed -n 's/^Root hash:[[:space:]]*//p' verity)" "$(sed -n 's/^Salt:[[:space:]]*//p' verity)" >table
rm root.squashfs
