#!/bin/sh
# The life of the package mitral-cloud on a machine that has nothing but what it asks for: installed, started by its
# unit, killed, removed, purged. Writes down what package_cloud.py judges, and powers off.
cd /opt || exit 1

# Everything on disk that could be a package's; caches and logs of the tools themselves are not.
files() {
    find / -xdev \( -path /opt -o -path /proc -o -path /sys -o -path /dev -o -path /run -o -path /tmp -o -path /var/tmp \
        -o -path /var/log -o -path /var/cache -o -path /var/lib/dpkg -o -path /var/lib/systemd \
        -o -path /etc/passwd- -o -path /etc/group- -o -path /etc/shadow- -o -path /etc/gshadow- -o -path /etc/.pwd.lock \
        \) -prune -o -printf '%p %y\n' | LC_ALL=C sort
    sed 's/^/passwd: /' /etc/passwd
    sed 's/^/group: /' /etc/group
}
# One GET to the admin port, without a client to install.
ask() {
    bash -c "exec 3<>/dev/tcp/127.0.0.1/8081 && printf 'GET $1 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n' >&3 && cat <&3"
}
start_and_time() {
    begin=$(date +%s%N)
    systemctl start mitral-cloud.service 2>>"start.errors"
    echo $((($(date +%s%N) - begin) / 1000000)) >"$1"
}
main_process() { systemctl show --property=MainPID --value mitral-cloud.service; }

files >files.before
dpkg --install mitral-cloud.deb >install.log 2>&1
echo $? >install.status
files >files.installed
systemctl is-active mitral-cloud.service >after-install
dpkg --verify mitral-cloud >verify.log 2>&1

start_and_time first-start.ms
ask /ready >ready
main=$(main_process)
grep -h -E '^(Uid|CapEff|NoNewPrivs|Seccomp):' "/proc/$main/status" >process.status
runuser -u mitral-cloud -- mitral-cloud device --id bench-1 >device.json 2>device.errors
ask /devices >devices
stat --format '%a %U %n' /var/lib/mitral/cloud /var/lib/mitral/cloud/* /var/lib/mitral/cloud/tls/* >modes
man_page=$(dpkg --listfiles mitral-cloud | grep '/man1/')
gzip --test "$man_page" && echo sound >man-page

kill -KILL "$main"
for _ in $(seq 300); do
    now=$(main_process)
    [ "$now" != 0 ] && [ "$now" != "$main" ] && systemctl --quiet is-active mitral-cloud.service && break
    sleep 0.1
done
ask /devices >devices.after-kill

systemctl stop mitral-cloud.service
systemctl show --property=Result,ExecMainStatus mitral-cloud.service >stopped
start_and_time second-start.ms
systemctl enable --quiet mitral-cloud.service
journalctl --no-pager --output=cat --unit=mitral-cloud.service >journal

dpkg --remove mitral-cloud >remove.log 2>&1
echo $? >remove.status
systemctl is-active mitral-cloud.service >after-remove
files >files.removed
dpkg --purge mitral-cloud >purge.log 2>&1
echo $? >purge.status
files >files.purged
echo whole >finished
systemctl --no-block poweroff
