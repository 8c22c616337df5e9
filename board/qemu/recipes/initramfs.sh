#!/bin/sh
set -eu
# The initramfs: busybox, dmsetup with its libraries, the modules in the order they are loaded, the table of dm-verity.
tree=$OUT/tree
mkdir -p "$tree/bin" "$tree/usr/sbin" "$tree/modules" "$tree/dev" "$tree/proc" "$tree/sys" "$tree/system" "$tree/run"
ln -s usr/sbin "$tree/sbin"
from=$ROOT_FS/tree
cp "$from/usr/bin/busybox" "$tree/bin/busybox"
cp "$from/usr/sbin/dmsetup" "$tree/usr/sbin/"

# Libraries that a program names, and those these name.
libraries=$tree/usr/lib/aarch64-linux-gnu
mkdir -p "$libraries"
ln -s usr/lib "$tree/lib"
cp -L "$from/usr/lib/aarch64-linux-gnu/ld-linux-aarch64.so.1" "$libraries/"
ln -s aarch64-linux-gnu/ld-linux-aarch64.so.1 "$tree/usr/lib/ld-linux-aarch64.so.1"
needs() {
    aarch64-linux-gnu-objdump -p "$1" | sed -n 's/ *NEEDED *//p' | while read -r name; do
        [ -e "$libraries/$name" ] && continue
        cp -L "$from/usr/lib/aarch64-linux-gnu/$name" "$libraries/$name"
        needs "$libraries/$name"
    done
}
needs "$tree/usr/sbin/dmsetup"

release=$(cat "$PACKAGES/release")
for name in virtio_mmio virtio_blk virtio_net dm-mod dm-verity dm-crypt xts aes-ce-blk squashfs ext4 vfat nls_cp437 nls_ascii optee i6300esb nf_tables nft_ct; do
    modprobe -d "$PACKAGES/$(cat "$PACKAGES/modules_root")" -S "$release" --show-depends "$name"
done | sed -n 's/^insmod //p' | awk '!seen[$1]++ { print $1 }' | while read -r file; do
    plain=$(basename "$file" .xz)
    case $file in
    *.xz) xz -dc "$file" >"$tree/modules/$plain" ;;
    *) cp "$file" "$tree/modules/$plain" ;;
    esac
    printf '%s\n' "$plain" >>"$tree/modules/order"
done
for name in virtio_blk dm-verity dm-crypt aes-ce-blk squashfs ext4 optee i6300esb nft_ct; do grep -qx "$name.ko" "$tree/modules/order"; done
cp "$ROOT_FS/table" "$tree/table"
install -m 0755 "$BOARD/initramfs/init" "$tree/init"
(cd "$tree" && find . -mindepth 1 | LC_ALL=C sort | cpio -o -H newc -R 0:0 --reproducible --quiet) | zstd -q -10 -o "$OUT/initramfs.zst"
