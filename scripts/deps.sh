#!/bin/sh
# Installs the Debian packages that are missing, and only those: scripts/deps.sh [build|demo|test|lint|trusted|board]...
# Works on Debian 12 and 13, as root or through sudo, with apt as the machine is configured.
set -eu

# "a|b": whichever of the two this release of Debian has.
build='build-essential cmake ninja-build pkg-config ccache python3 libssl-dev libtss2-dev
    libtss2-tcti-swtpm0t64|libtss2-tcti-swtpm0 libtomlplusplus-dev libcli11-dev libfmt-dev
    nlohmann-json3-dev libseccomp-dev libcurl4-openssl-dev libgtest-dev libgmock-dev
    libsimdjson-dev libboost-dev libsqlite3-dev libqpid-proton11-dev libhowardhinnant-date-dev tzdata'
demo='swtpm swtpm-tools tpm2-tools openssl iproute2 systemd python3-cryptography python3-cbor2 python3-hl7'
lint='clang-19 clang-tidy-19 clang-format-19 shellcheck git'
tests="libclang-rt-19-dev libbenchmark-dev mosquitto mosquitto-clients libmosquitto-dev valgrind python3-jsonschema
    python3-prometheus-client python3-qpid-proton binutils
    libfuse3-dev fuse3 libfaketime mandoc systemd systemd-container mmdebstrap ca-certificates tshark chromium
    python3-paho-mqtt curl device-tree-compiler u-boot-tools softhsm2 libengine-pkcs11-openssl gpg gpg-agent gpgv"
# For scripts/trusted-app.sh.
trusted='gcc-aarch64-linux-gnu libc6-dev-arm64-cross make python3-pyelftools python3-cryptography'

# For the image of the board (make board): cross-build, images, and the machine it runs on.
board="$trusted qemu-system-arm qemu-system-data mmdebstrap arch-test device-tree-compiler u-boot-tools bc bison flex swig
    libssl-dev libgnutls28-dev python3-setuptools python3-libfdt uuid-dev dpkg-dev xz-utils bzip2 zstd cpio kmod openssl
    squashfs-tools cryptsetup-bin e2fsprogs dosfstools mtools fdisk binutils gpgv softhsm2 opensc libengine-pkcs11-openssl
    systemd socat"

say() { printf 'deps: %s\n' "$*"; }
die() {
    printf 'deps: %s\n' "$*" >&2
    exit 1
}

installed() {
    [ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

# Prints what has to be installed for one entry of a list: nothing, or a package name.
missing() {
    alternatives=$(printf '%s' "$1" | tr '|' ' ')
    for package in $alternatives; do
        if installed "$package"; then return; fi
    done
    for package in $alternatives; do
        if apt-cache show "$package" >/dev/null 2>&1; then
            printf '%s\n' "$package"
            return
        fi
    done
    # Unknown so far: perhaps the lists were never fetched. The oldest name is the last one.
    printf '%s\n' "${package}"
}

wanted() {
    for group in "$@"; do
        case $group in
        build) printf '%s\n' "$build" ;;
        demo) printf '%s\n' "$build $demo" ;;
        lint) printf '%s\n' "$build $lint" ;;
        trusted) printf '%s\n' "$trusted" ;;
        board) printf '%s\n' "$board" ;;
        test)
            printf '%s\n' "$build $demo $lint $tests"
            # Any Node.js that brings npm will do, also one that no package brought: where it is older than
            # Microsoft's SDKs take, the conformance tests get a newer one from npm.
            command -v node >/dev/null 2>&1 || printf 'nodejs\n'
            command -v npm >/dev/null 2>&1 || printf 'npm\n'
            ;;
        esac
    done
}

collect() {
    for entry in $(wanted "$@"); do
        missing "$entry"
    done | sort -u
}

as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    else
        sudo "$@"
    fi
}

# The broker is wanted as a program for tests; the service that its package brings must not start by itself.
mask_services() {
    if [ -d /run/systemd/system ] && ! installed mosquitto; then
        as_root systemctl mask --runtime --quiet mosquitto.service
        masked=yes
    fi
}
unmask_services() {
    if [ "${masked:-no}" = yes ]; then
        masked=no
        as_root systemctl unmask --runtime --quiet mosquitto.service || :
        as_root systemctl disable --quiet mosquitto.service 2>/dev/null || :
    fi
}

command -v dpkg-query >/dev/null 2>&1 || die "this is not a Debian system; see README.md for what a build needs"
[ $# -gt 0 ] || set -- build
for group in "$@"; do
    case $group in
    build | demo | lint | test | trusted | board) ;;
    *) die "unknown group '$group'; groups are build, demo, lint, test, trusted and board" ;;
    esac
done
packages=$(collect "$@")
if [ -z "$packages" ]; then
    say "everything is there"
    exit 0
fi
if [ "$(id -u)" -ne 0 ] && ! command -v sudo >/dev/null 2>&1; then
    die "missing packages need root: run as root, or install sudo. Missing: $(printf '%s' "$packages" | tr '\n' ' ')"
fi

say "fetching the package lists"
as_root apt-get update -qq || die "apt-get update failed: check the network and /etc/apt"
packages=$(collect "$@")
say "installing $(printf '%s\n' "$packages" | wc -l) packages: $(printf '%s' "$packages" | tr '\n' ' ')"
trap unmask_services EXIT
mask_services
# RUNLEVEL=1 keeps packages from starting services where no systemd runs.
# shellcheck disable=SC2086 # the list is meant to be split
as_root env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 \
    apt-get install -y -qq --no-install-recommends $packages </dev/null ||
    die "apt-get install failed; the lines above name the package"
say "done"
