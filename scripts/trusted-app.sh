#!/bin/sh
# Builds the Trusted Application with Debian's kit for it (arm64): scripts/trusted-app.sh [OUTPUT]
# The kit comes from the archive this machine's apt is set up for; nothing is installed.
# Development only: Debian's kit signs with a key that everybody has.
set -eu
# Another python3 first in the PATH lacks what the kit's signing script needs.
PATH=/usr/sbin:/usr/bin:/sbin:/bin
export PATH
cd "$(dirname "$0")/.."
out=${1:-build/trusted}
suite=trixie
kit=$out/kit/usr/lib/optee-os-dev/vexpress-qemu_armv8a

# The mirror that serves this machine's own suite.
mirror() {
    cat /etc/apt/sources.list.d/*.sources 2>/dev/null |
        sed -n 's/^URIs: *\([^ ]*\).*/\1/p' | grep -v security | head -n 1
}

# An apt of its own, which knows one suite and one architecture.
fetch_kit() {
    mkdir -p "$out/apt/lists/partial" "$out/apt/archives/partial" "$out/kit"
    out=$(realpath "$out")
    : >"$out/apt/status"
    printf 'deb [arch=arm64 signed-by=%s] %s %s main\n' \
        /usr/share/keyrings/debian-archive-keyring.gpg "$(mirror)" "$suite" >"$out/apt/sources.list"
    set -- -q -o Dir::Etc::sourcelist="$out/apt/sources.list" -o Dir::Etc::sourceparts=- \
        -o Dir::State::lists="$out/apt/lists" -o Dir::State::status="$out/apt/status" \
        -o Dir::Cache="$out/apt" -o APT::Architecture=arm64 -o APT::Architectures=arm64 \
        -o APT::Sandbox::User=root
    apt-get "$@" update
    (cd "$out/kit" && apt-get "$@" download optee-os-dev optee-client-dev && for package in ./*.deb; do
        dpkg-deb -x "$package" .
    done)
}

[ -d "$kit" ] || fetch_kit
kit=$(realpath "$kit")
# Sources of other folders go to the same places from here.
app=$(realpath -m "$out/app/trusted/optee")
mkdir -p "$app"
make -C src/trusted/optee TA_DEV_KIT_DIR="$kit" O="$app"
