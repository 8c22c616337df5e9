#!/bin/sh
set -eu
# The device tree of the machine. QEMU must see a flash for it, or it plays the firmware itself.
truncate -s 64M flash
# shellcheck disable=SC2086 # words are meant
qemu-system-aarch64 -machine "$MACHINE,dumpdtb=$OUT/qemu.dtb" $PROCESSOR -display none -nodefaults \
    -drive if=pflash,unit=0,format=raw,readonly=on,file=flash
{
    dtc -q -I dtb -O dts qemu.dtb
    cat "$BOARD/machine.dtsi"
} >machine.dts
dtc -q -I dts -O dtb -o machine.dtb machine.dts
rm flash qemu.dtb
