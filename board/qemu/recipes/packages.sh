#!/bin/sh
set -eu
# Debian 13's kernel and the headers of libteec for arm64, by an apt of its own that knows one suite and one architecture.
# Nothing is installed on this machine.
mkdir -p apt/lists/partial apt/archives/partial debs kernel client
: >apt/status
printf 'deb [arch=arm64 signed-by=%s] %s trixie main\n' /usr/share/keyrings/debian-archive-keyring.gpg "$MIRROR" >apt/sources.list
set -- -q -o Dir::Etc::sourcelist="$OUT/apt/sources.list" -o Dir::Etc::sourceparts=- -o Dir::State::lists="$OUT/apt/lists" \
    -o Dir::State::status="$OUT/apt/status" -o Dir::Cache="$OUT/apt" -o APT::Architecture=arm64 \
    -o APT::Architectures=arm64 -o APT::Sandbox::User=root
apt-get "$@" update
kernel=$(apt-cache "$@" depends linux-image-arm64 | sed -n 's/.*Depends: \(linux-image-[0-9].*\)/\1/p' | head -n 1)
cd debs
apt-get "$@" download "$kernel" optee-client-dev libteec2
dpkg-deb -x "$kernel"_*.deb ../kernel
python3 "$ROOT/scripts/board/inventory.py" "$OUT/apt/lists" --debs . >../packages.tsv
for package in optee-client-dev_*.deb libteec2_*.deb; do dpkg-deb -x "$package" ../client; done
cd "$OUT"
basename kernel/boot/vmlinuz-* | sed 's/^vmlinuz-//' >release
[ -d kernel/usr/lib/modules ] && modules=kernel/usr || modules=kernel
depmod -b "$modules" "$(cat release)"
printf '%s\n' "$modules" >modules_root
rm -rf debs apt
