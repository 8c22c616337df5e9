#!/bin/sh
set -eu
# The disk of a unit as it leaves the line: the same image in both slots, slot 0 in the environment, an empty data partition; the unit makes its volume.
# MiB:      1 environment   2, 3 images of the slots   4, 5 their roots   6 data   7 state (under dm-crypt)
cat >layout <<'LAYOUT'
label: gpt
label-id: 6d697472-616c-4000-8000-000000000000
size=8MiB, name=environment
size=96MiB, name=boot-a
size=96MiB, name=boot-b
size=256MiB, name=root-a
size=256MiB, name=root-b
size=64MiB, name=data
size=64MiB, name=state
LAYOUT
truncate -s 844M disk.image
sfdisk -q disk.image <layout
place() { # FILE PARTITION
    start=$(sfdisk -q --json disk.image | python3 -c "import json, sys
print(json.load(sys.stdin)['partitiontable']['partitions'][$2 - 1]['start'])")
    dd if="$1" of=disk.image bs=1M seek=$((start / 2048)) conv=notrunc,sparse status=none
}
truncate -s 8M environment
mkfs.vfat -n ENV environment >mkfs.log
# Both copies from the first day: what writes them in Linux replaces one that is there.
printf 'bootcount=0\nslot=0\n' | mkenvimage -r -s 0x4000 -o uboot.env -
mcopy -i environment uboot.env ::uboot.env
mcopy -i environment uboot.env ::uboot-redund.env
rm uboot.env
mkdir boot
cp "$IMAGE/image.itb" boot/
mke2fs -q -t ext4 -O ^metadata_csum,^64bit,^has_journal -d boot boot.ext4 96M
mke2fs -q -t ext4 data.ext4 64M
place environment 1
place boot.ext4 2
place boot.ext4 3
place "$ROOT_FS/root.image" 4
place "$ROOT_FS/root.image" 5
place data.ext4 6
rm -rf boot boot.ext4 data.ext4 environment
