#!/bin/sh
# Style and static analysis of the whole tree: scripts/lint.sh check|style|format
set -eu
cd "$(dirname "$0")/.."

sources() {
    git ls-files --cached --others --exclude-standard -- '*.c' '*.h' '*.cpp' '*.hpp'
}
scripts() {
    git ls-files --cached --others --exclude-standard -- '*.sh' '.ci/run'
}
step() { printf '== lint %s\n' "$*"; }

format() {
    sources | xargs -r clang-format-19 -i
}

check_style() {
    step "1/3 clang-format"
    sources | xargs -r clang-format-19 --dry-run -Werror
}

check_scripts() {
    step "2/3 shellcheck"
    scripts | xargs -r shellcheck
}

check_code() {
    step "3/3 clang-tidy"
    cmake --preset tidy --log-level=WARNING
    jobs=$(nproc)
    # Each file with all its headers in one go; the first finding ends the run. What needs OP-TEE's headers is left out.
    git ls-files --cached -- 'src/*.cpp' 'src/*.c' ':!src/trusted/optee' ':!src/vault/optee/tee_channel.cpp' |
        xargs -r -P "$jobs" -n 4 clang-tidy-19 -p build/tidy --quiet --warnings-as-errors='*' 2>build/tidy/noise
}

case ${1:-check} in
format) format ;;
style)
    check_style
    check_scripts
    ;;
check)
    check_style
    check_scripts
    check_code
    step "clean"
    ;;
*)
    printf 'usage: scripts/lint.sh check|style|format\n' >&2
    exit 2
    ;;
esac
