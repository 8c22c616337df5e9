#!/bin/sh
# Example adapter: the ASCII lines of a pulse oximeter on standard input, one a second, to a gateway program that
# takes mitral.lines/1 on its standard input and answers on its standard output:
#
#     nonin_adapter.sh SOURCE mitral-intake-lines --stdin --config FILE < /dev/ttyUSB0
#
# "SPO2=097 HR=072" are values, "SPO2=--- HR=---" means that there are none. Other lines (the device's greeting) are
# passed over. One line is on the way at a time; `later` makes it wait and try again.
set -eu

[ $# -ge 2 ] || { echo "usage: nonin_adapter.sh SOURCE PROGRAM [ARGUMENT…]" >&2; exit 2; }
source=$1
shift

pipes=$(mktemp -d)
trap 'rm -rf "$pipes"' EXIT
mkfifo "$pipes/lines" "$pipes/answers"
"$@" <"$pipes/lines" >"$pipes/answers" &
gateway=$!
exec 3>"$pipes/lines" 4<"$pipes/answers"

number=0                          # of the lines of this connection: what the answers count
id=$(date +%s)-$$                 # new for every start, so that no id comes twice
reading=0

# observation CODE UNIT DIGITS
observation() {
    case $3 in
        ---) printf '{"code":"%s","unit":"%s","absent":"not-measured"}' "$1" "$2" ;;
        *) printf '{"code":"%s","unit":"%s","value":%d}' "$1" "$2" "$(strip_zeros "$3")" ;;
    esac
}

# The device writes 097; in JSON, and for printf, a leading zero is something else.
strip_zeros() {
    digits=$1
    while [ "${digits#0}" != "$digits" ] && [ "$digits" != 0 ]; do
        digits=${digits#0}
    done
    printf '%s' "$digits"
}

# send LINE: until it is on disk or refused for good.
send() {
    while :; do
        printf '%s\n' "$1" >&3
        number=$((number + 1))
        decided=
        postponed=
        while IFS=' ' read -r word answered reason <&4; do
            case $word in
                ok) [ "$answered" -lt "$number" ] || { decided=yes; break; } ;;
                no) [ "$answered" -ne 0 ] || { echo "the gateway refused the connection: $reason" >&2; exit 1; }
                    echo "refused for good: $reason: $1" >&2 ;;
                later) postponed=yes ;;
            esac
        done
        [ -n "$decided" ] || { echo "the gateway has ended" >&2; exit 1; }
        [ -n "$postponed" ] || return 0
        sleep 1
    done
}

printf '{"schema":"mitral.lines/1","source":"%s"}\n' "$source" >&3
while read -r spo2 rate rest; do
    case "$spo2 $rate" in
        SPO2=[0-9-][0-9-][0-9-]' 'HR=[0-9-][0-9-][0-9-]) ;;
        *) continue ;;
    esac
    reading=$((reading + 1))
    send "{\"id\":\"$id-$reading\",\"obs\":[$(observation MDC_PULS_OXIM_SAT_O2 % "${spo2#SPO2=}"),$(
        observation MDC_PULS_OXIM_PULS_RATE /min "${rate#HR=}")]}"
done
exec 3>&-
wait "$gateway"
