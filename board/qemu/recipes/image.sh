#!/bin/sh
set -eu
# The signed image: kernel, initramfs, and one device tree per slot, which also says which slot it is.
for slot in a b; do
    {
        dtc -q -I dtb -O dts "$MACHINE_TREE/machine.dtb"
        printf '/ { chosen { bootargs = "%s mitral.slot=%s"; }; };\n' "$BOOT_ARGUMENTS" "$slot"
    } >"slot-$slot.dts"
    dtc -q -I dts -O dtb -o "slot-$slot.dtb" "slot-$slot.dts"
done
ln -s "$PACKAGES/kernel/boot/vmlinuz-$(cat "$PACKAGES/release")" kernel
ln -s "$INITRAMFS/initramfs.zst" initramfs
cp "$BOARD/image.its" .
mkimage -f image.its ${BOOT_ENGINE:+-N "$BOOT_ENGINE"} -k "$BOOT_KEYS" -r image.itb
