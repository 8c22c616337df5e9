# shellcheck shell=sh disable=SC2154 # part of recipes/root.sh
# Of the production image: no console, nothing that asks who is there, and the station's cable until the unit has an identity.
sed -i -e '/^TTYPath=/d' -e 's/^\(Standard[A-Za-z]*\)=tty$/\1=journal/' "$units"/board-*.service
install -m 0755 "$COMMON/production/unprovisioned" tree/usr/sbin/board-unprovisioned
install -D -m 0644 "$COMMON/production/station.conf" "$units/board-station.service.d/production.conf"
# Of the programs in the search path those that a unit calls.
for program in tree/usr/bin/* tree/usr/sbin/*; do
    grep -qx "${program##*/}" "$COMMON/production/programs" || rm "$program"
done
# Nothing becomes a unit by a word of the command line, a file of old, or a console that is there.
rm -r tree/usr/lib/systemd/system-generators tree/usr/lib/systemd/user-generators
find "$units" tree/etc/systemd/system \( -name '*getty*' -o -name 'debug-shell*' -o -name 'console-shell*' -o -name 'rescue.service' \
    -o -name '*ask-password*' -o -name 'systemd-bsod*' -o -name 'systemd-firstboot*' -o -name 'systemd-storagetm*' \) -prune -exec rm -r {} +
rm -rf tree/etc/ssh tree/etc/apt tree/etc/dpkg tree/etc/pam.d tree/etc/security tree/usr/lib/systemd/ssh_config.d \
    tree/usr/lib/systemd/systemd-sulogin-shell tree/usr/lib/systemd/systemd-bsod tree/usr/lib/systemd/systemd-ssh-proxy
# Accounts: those that something runs as.
for file in passwd shadow; do
    sed -i -e '/^\(root\|nobody\|systemd-network\|mitral-[a-z0-9-]*\):/!d' -e '/^mitral-cloud:/d' "tree/etc/$file"
done
rm -f tree/etc/passwd- tree/etc/group- tree/etc/shadow-
