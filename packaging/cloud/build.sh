#!/bin/sh
# Makes mitral-cloud_VERSION_ARCH.deb: build.sh PROGRAM UNIT VERSION FOLDER
# SOURCE_DATE_EPOCH, when set, makes two builds of one tree equal.
set -eu

program=$1 unit=$2 version=$3 folder=$4
here=$(cd "$(dirname "$0")" && pwd)
tree=$(cd "$here/../.." && pwd)
architecture=$(dpkg --print-architecture)
stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT
root=$stage/root

umask 022
mkdir -p "$root/DEBIAN" "$stage/debian"
chmod 0755 "$root"
install -D -m 0755 "$program" "$root/usr/bin/mitral-cloud"
strip --strip-unneeded "$root/usr/bin/mitral-cloud"
install -D -m 0644 "$unit" "$root/usr/lib/systemd/system/mitral-cloud.service"
install -D -m 0644 "$here/mitral-cloud.sysusers" "$root/usr/lib/sysusers.d/mitral-cloud.conf"
install -D -m 0644 "$here/mitral-cloud.tmpfiles" "$root/usr/lib/tmpfiles.d/mitral-cloud.conf"
install -D -m 0644 "$here/cloud.toml" "$root/etc/mitral/cloud.toml"
install -D -m 0644 "$tree/docs/local-azure.md" "$root/usr/share/doc/mitral-cloud/local-azure.md"
install -D -m 0644 "$tree/src/cloud/mitral-cloud.1" "$root/usr/share/man/man1/mitral-cloud.1"
gzip -9n "$root/usr/share/man/man1/mitral-cloud.1"

# What the program is linked with, in the words of this release of Debian.
printf 'Source: mitral\n\nPackage: mitral-cloud\nArchitecture: any\n' >"$stage/debian/control"
libraries=$(cd "$stage" && dpkg-shlibdeps --ignore-missing-info -O root/usr/bin/mitral-cloud 2>"$stage/notes" |
    sed -n 's/^shlibs:Depends=//p')
[ -n "$libraries" ] || {
    cat "$stage/notes" >&2
    exit 1
}

sed -e "s/@VERSION@/$version/" -e "s/@ARCHITECTURE@/$architecture/" -e "s/@LIBRARIES@/$libraries/" \
    -e "s/@SIZE@/$(du -sk --exclude=DEBIAN "$root" | cut -f1)/" "$here/control.in" >"$root/DEBIAN/control"
printf '/etc/mitral/cloud.toml\n' >"$root/DEBIAN/conffiles"
for script in postinst prerm postrm; do
    install -m 0755 "$here/$script" "$root/DEBIAN/$script"
done
(cd "$root" && find . -path ./DEBIAN -prune -o -type f -printf '%P\n' | LC_ALL=C sort | xargs md5sum) \
    >"$root/DEBIAN/md5sums"

mkdir -p "$folder"
package=$folder/mitral-cloud_${version}_$architecture.deb
dpkg-deb --root-owner-group --build -Zxz "$root" "$package" >/dev/null
printf '%s\n' "$package"
