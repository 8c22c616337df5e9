#!/bin/sh
set -eu
COMMON=$ROOT/board/common
# The read-only root file system, with its tree of hashes behind it: packages extracted, not installed, and our files.
mmdebstrap --arch=arm64 --variant=extract --skip=check/qemu,cleanup/apt --include="$IN_ROOT" trixie tree \
    "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $MIRROR trixie main"
python3 "$ROOT/scripts/board/inventory.py" tree/var/lib/apt/lists --debs tree/var/cache/apt/archives >packages.tsv
# Nothing was installed, so nothing has made these.
for name in bin sbin lib; do [ -e tree/$name ] || ln -s usr/$name tree/$name; done
mkdir -p tree/data tree/proc tree/sys tree/dev tree/run tree/tmp tree/etc tree/var tree/home tree/srv tree/root
ln -sf ../proc/self/mounts tree/etc/mtab
rm -f tree/usr/lib/udev/rules.d/60-tpm-udev.rules
ldconfig -r tree

# Users: the gateway's by our numbers, the others as the packages say.
printf 'root:x:0:0:root:/:/usr/sbin/nologin\n' >tree/etc/passwd
printf 'root:x:0:\n' >tree/etc/group
grep -v '^#' "$COMMON/users" | while read -r name number; do
    [ "$name" = mitral-sensors ] || printf '%s:x:%s:%s::/:/usr/sbin/nologin\n' "$name" "$number" "$number" >>tree/etc/passwd
    printf '%s:x:%s:\n' "$name" "$number" >>tree/etc/group
done
grep -q "^mitral-vault:x:$VAULT_UID:" tree/etc/passwd
install -D -m 0644 "$ROOT/src/base/mitral.sysusers" tree/usr/lib/sysusers.d/mitral.conf
install -D -m 0644 "$ROOT/src/base/mitral.tmpfiles" tree/usr/lib/tmpfiles.d/mitral.conf
install -m 0644 "$COMMON/tmpfiles.conf" tree/usr/lib/tmpfiles.d/board.conf
# Nothing is made where nothing can be written.
sed -i -E '/^[A-Za-z][^[:space:]]*[[:space:]]+\/(etc|root|home|srv|usr)(\/|[[:space:]])/d' tree/usr/lib/tmpfiles.d/*.conf
# This machine's systemd-sysusers may be older than the packages: it does not know "u!", an account that is locked.
sed -i 's/^u!/u/' tree/usr/lib/sysusers.d/*.conf
systemd-sysusers --root="$OUT/tree"
grep -q '^systemd-network:' tree/etc/passwd
sed -i 's#:/bin/sync$#:/usr/sbin/nologin#' tree/etc/passwd

# Programs, and that each finds its libraries.
install -D -m 0644 "$COMMON/sysctl.conf" tree/etc/sysctl.d/90-mitral.conf
aarch64-linux-gnu-gcc -O2 -Wall -Wextra -Werror "$COMMON/station_link.c" -o tree/usr/sbin/board-station-link
for script in confirm starts state; do install -m 0755 "$COMMON/$script" "tree/usr/sbin/board-$script"; done
install -m 0600 "$COMMON/firewall.nft" tree/etc/nftables.conf
install -m 0755 "$PROGRAMS"/bin/mitral* tree/usr/bin/
for program in tree/usr/bin/mitral*; do
    aarch64-linux-gnu-objdump -p "$program" | sed -n 's/ *NEEDED *//p' | while read -r library; do
        [ -e "tree/usr/lib/aarch64-linux-gnu/$library" ] || { echo "$program needs $library" && exit 1; }
    done
done

# Units. What is site's own stands on the data partition.
units=tree/usr/lib/systemd/system
install -m 0644 "$PROGRAMS"/units/* "$COMMON"/units/*.service "$COMMON"/units/*.mount $units/
install -D -m 0644 "$COMMON/units/gateway.conf" $units/mitral-.service.d/board.conf
install -D -m 0644 "$COMMON/units/enrol-path.conf" $units/mitral-enrol.path.d/board.conf
install -D -m 0644 "$COMMON/units/vault.conf" $units/mitral-vault.service.d/vault.conf
install -D -m 0644 "$COMMON/units/tmp.conf" $units/tmp.mount.d/board.conf
install -D -m 0644 "$COMMON/units/networkd.conf" $units/systemd-networkd.service.d/board.conf
install -D -m 0644 "$COMMON/system.conf" tree/usr/lib/systemd/system.conf.d/board.conf
install -D -m 0644 "$COMMON/journald.conf" tree/usr/lib/systemd/journald.conf.d/board.conf
install -m 0644 "$COMMON/udev.rules" tree/usr/lib/udev/rules.d/80-mitral-board.rules
install -D -m 0644 -t tree/usr/lib/systemd/network "$BOARD"/network/*
printf '%s 0x0000 0x4000\n' /run/board-environment/uboot.env /run/board-environment/uboot-redund.env >tree/etc/fw_env.config
printf '%s: files\n' passwd group shadow hosts services >tree/etc/nsswitch.conf
: >tree/etc/machine-id
ln -s /data/etc/mitral tree/etc/mitral
ln -sf /data/etc/hosts tree/etc/hosts
for name in local-fs:data.mount local-fs:var.mount multi-user:systemd-networkd.service; do
    mkdir -p "$units/${name%%:*}.target.wants"
    ln -s "../${name#*:}" "$units/${name%%:*}.target.wants/"
done
systemctl --root="$OUT/tree" --quiet enable mitral-vault mitral-intake-lines mitral-intake-hl7 mitral-enrol mitral-enrol.path \
    mitral-uplink mitral-timed board-supplicant board-state board-confirm board-starts board-firewall
ln -sf multi-user.target $units/default.target
# Nobody logs in, and nothing here is set up at the first start.
for name in getty.target getty-static.service getty@.service serial-getty@.service console-getty.service container-getty@.service rescue.service \
    debug-shell.service tee-supplicant.service proc-sys-fs-binfmt_misc.automount systemd-firstboot.service systemd-update-done.service \
    systemd-hwdb-update.service systemd-journal-catalog-update.service systemd-machine-id-commit.service ldconfig.service systemd-logind.service \
    systemd-sysusers.service systemd-ask-password-wall.path systemd-ask-password-console.path; do
    ln -sf /dev/null "tree/etc/systemd/system/$name"
done
# shellcheck source=/dev/null # that of the flavour
. "$COMMON/$FLAVOUR/root.sh"
rm -rf tree/usr/share/doc tree/usr/share/man tree/usr/share/locale tree/usr/share/info tree/usr/share/bash-completion \
    tree/usr/lib/udev/hwdb.d tree/usr/lib/systemd/catalog tree/var/*

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
