#!/bin/sh
set -eu
# U-Boot's own device tree, with the public key of the images: one that asks for a signature on every configuration.
cp "$MACHINE_TREE/machine.dtb" "$OUT/control.dtb"
# mkimage puts the key into a device tree while it signs something.
cat >"$OUT/nothing.its" <<'ITS'
/dts-v1/;
/ {
    description = "carries the key over"; #address-cells = <1>;
    images {
        nothing { data = "nothing"; type = "kernel"; arch = "arm64"; os = "linux"; compression = "none"; load = <0>; entry = <0>;
            hash-1 { algo = "sha256"; }; };
    };
    configurations {
        default = "slot-a";
        slot-a { kernel = "nothing"; signature-1 { algo = "sha256,rsa3072"; key-name-hint = "boot"; sign-images = "kernel"; }; };
    };
};
ITS
mkimage -f "$OUT/nothing.its" -K "$OUT/control.dtb" ${BOOT_ENGINE:+-N "$BOOT_ENGINE"} -k "$BOOT_KEYS" -r "$OUT/nothing.itb"
fdtget "$OUT/control.dtb" /signature/key-boot required | grep -qx conf
cat "$U_BOOT/build/u-boot-nodtb.bin" "$OUT/control.dtb" >"$OUT/u-boot.bin"
