# shellcheck shell=sh disable=SC2154,SC2086 # part of recipes/root.sh
# Of the development image: what says on the console how a start went, and what tests do on a unit.
for program in probe abuse as; do
    aarch64-linux-gnu-gcc -O2 -Wall -Wextra -Werror -I"$PACKAGES/client/usr/include" -I"$ROOT/src" \
        "$COMMON/development/$program.c" "$PACKAGES"/client/usr/lib/aarch64-linux-gnu/libteec.so.2 \
        -Wl,--allow-shlib-undefined -o "tree/usr/sbin/mitral-board-$program"
done
for script in report fault egress; do install -m 0755 "$COMMON/development/$script" "tree/usr/sbin/board-$script"; done
install -m 0644 "$COMMON"/development/units/*.service $units/
install -D -m 0644 "$COMMON/development/journald.conf" tree/usr/lib/systemd/journald.conf.d/development.conf
systemctl --root="$OUT/tree" --quiet enable board-report board-fault board-egress
