#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck source-path=SCRIPTDIR source=../integration/lib.sh
# shellcheck disable=SC2317,SC2016  # cases call what is defined before them; texts are for other shells
# contrib/host-setup where systemd is process 1 and starts libvirt: what `check --fix` prints, typed; sockets opened and
# closed while the daemon runs; --listen instead; a boot later; and all of it undone. Two hosts with a cable between them,
# beside the lab of this run.
. "$(dirname "$(readlink -f "$0")")/../integration/lib.sh"

HOSTS=$WORK/systemd
NET=192.0.2
SETUP=virt-ferry-host-setup

need_systemd() {
    [ -x /lib/systemd/systemd ] || skip 'there is no systemd here'
    [ -e /lib/systemd/system/libvirtd-tls.socket ] || skip 'there are no units of libvirt here'
    grep -q overlay /proc/filesystems || skip 'this kernel has no overlay file system'
}
within_system() { # HOST COMMAND…
    timeout -k 5 120 nsenter -t "$(<"$HOSTS/$1/pid")" -m -p -n -u -i -C \
        env -i PATH="$VIRT_FERRY_BUILD:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin" HOME=/root TERM=dumb LC_ALL=C \
        VIRT_FERRY_PLUGIN_PATH="$VIRT_FERRY_BUILD/plugins" "${@:2}"
}
boot() { # HOST [UNIT]: until it is up
    mkdir -p "$HOSTS/$1"
    "$REPO/tests/matrix/systemd-host" "$HOSTS/$1" "$1" "$REPO" "$VIRT_FERRY_BUILD" >"$HOSTS/$1.log" 2>&1 &
    echo $! >"$HOSTS/$1.boot"
    await 30 test -s "$HOSTS/$1/pid"
    # shellcheck disable=SC2086
    await 60 within_system "$1" systemctl is-active ${2:-ssh.service libvirtd.socket}
    within_system "$1" ip link set lo up
}
off() { # HOST
    local boot
    boot=$(<"$HOSTS/$1.boot")
    kill "$boot" 2>/dev/null || return 0
    await 20 sh -c "! kill -0 $boot"
}
# Its moves are without post-copy: QEMU is not root there, and this machine's kernel does not let others have it.
cable() { # hostA is .1, hostB is .2
    local host
    ip link add vfhostA netns "$(<"$HOSTS/hostA/pid")" type veth peer name vfhostB netns "$(<"$HOSTS/hostB/pid")"
    for host in hostA:1 hostB:2; do
        within_system "${host%:*}" ip address add "$NET.${host#*:}/24" dev "vf${host%:*}"
        within_system "${host%:*}" ip link set "vf${host%:*}" up
    done
}
# Before libvirt's first start: the machine's own uuid would be that of both, and names are known.
prepare() { # HOST
    local etc=$HOSTS/$1/upper/etc
    mkdir -p "$etc/libvirt" "$HOSTS/$1/upper/root/.ssh" "$HOSTS/$1/upper/usr/local/sbin"
    chmod 700 "$HOSTS/$1/upper/root" "$HOSTS/$1/upper/root/.ssh"
    # Whatever this machine's own libvirt was told.
    printf 'host_uuid = "%s"\n' "$(cat /proc/sys/kernel/random/uuid)" >"$etc/libvirt/libvirtd.conf"
    printf '%s\n' 'cgroup_controllers = [ ]' 'namespaces = [ ]' 'security_driver = "none"' >"$etc/libvirt/qemu.conf"
    printf '%s\n' '127.0.0.1 localhost' "$NET.1 hostA" "$NET.2 hostB" >"$etc/hosts"
    cp "$HOSTS/key" "$HOSTS/$1/upper/root/.ssh/id_ed25519"
    cp "$HOSTS/key.pub" "$HOSTS/$1/upper/root/.ssh/authorized_keys"
    for name in hostA hostB; do
        echo "$name $(cut -d' ' -f1,2 /etc/ssh/ssh_host_ed25519_key.pub)"
    done >"$HOSTS/$1/upper/root/.ssh/known_hosts"
    ln -s "$REPO/contrib/host-setup" "$HOSTS/$1/upper/usr/local/sbin/$SETUP"
}
hosts_up() { # HOST…
    local host
    need_systemd
    mkdir -p "$HOSTS"
    finally rm -rf "$HOSTS"
    ssh-keygen -q -t ed25519 -N '' -f "$HOSTS/key"
    for host; do
        prepare "$host"
        finally off "$host"
        boot "$host"
        # What libvirt makes when it first starts.
        local_libvirt "$host"
    done
}
# What is listened at, what systemd was told, and the files: all that host-setup may change.
state_of() { # HOST
    within_system "$1" sh -c '
        systemctl is-enabled libvirtd.service libvirtd.socket libvirtd-ro.socket libvirtd-admin.socket libvirtd-tls.socket libvirtd-tcp.socket
        systemctl is-active libvirtd.socket libvirtd-ro.socket libvirtd-admin.socket libvirtd-tls.socket libvirtd-tcp.socket
        ss -Hltn | awk "{ print \$4 }" | sort
        find /etc/libvirt /etc/pki /etc/sasl2 /etc/default /etc/fstab /root/.ssh /var/lib/virt-ferry/host-setup \
            -not -path "/etc/libvirt/qemu/*" -not -path "/etc/libvirt/storage*" -not -name known_hosts -printf "%p %y %m %U:%G\n" -type f -exec sha256sum {} + 2>/dev/null | sort'
}
listens() { [ -n "$(within_system "$1" ss -Hltn "sport = :$2")" ]; }   # HOST PORT
is_closed() { [ -z "$(within_system "$1" ss -Hltn "sport = :$2")" ]; } # HOST PORT
setup() { within_system "$1" "$SETUP" --apply --yes "${@:2}"; }      # HOST ARGUMENT…
local_libvirt() { within_system "$1" virsh -q -c qemu:///system list; }
typed() { # the JSON of check, each line where it belongs, with yes; the kernel's settings are not these hosts' own
    local host line
    jq -r '.commands[] | "\(.host) \(.command)"' "$1" | grep -v userfaultfd | while read -r host line; do
        echo "$host\$ $line"
        within_system "$host" sh -c "${line/ --apply / --apply --yes }" </dev/null
    done
}
started() { # HOST NAME: a guest without disks
    within_system "$1" sh -c "cat >/run/$2.xml" <<END
<domain type='qemu'><name>$2</name><memory unit='MiB'>64</memory><vcpu>1</vcpu>
  <os><type arch='x86_64' machine='q35'>hvm</type></os><features><acpi/><apic/></features>
  <cpu mode='custom' match='exact' check='none'><model fallback='forbid'>qemu64</model></cpu>
  <devices><emulator>/usr/bin/qemu-system-x86_64</emulator></devices></domain>
END
    within_system "$1" virsh -q define "/run/$2.xml"
    within_system "$1" virsh -q start "$2"
}
runs_on() { # HOST NAME OTHER-HOST
    is running within_system "$1" virsh domstate "$2"
    ! grep -qx "$2" <<<"$(within_system "$3" virsh -q list --name)"
}

it "by systemd's sockets: what 'check --fix' prints makes two hosts move a guest by TLS, and so they do after a boot"
hosts_up hostA hostB
cable
state_of hostA >"$WORK/hostA.before"
state_of hostB >"$WORK/hostB.before"
within_system hostA virt-ferry --json check hostB >"$WORK/check.json" || true
typed "$WORK/check.json"
listens hostB 16514
exits 0 lacks tls- prints 'over 2 of 3 channels' within_system hostA virt-ferry check hostB
started hostA web
exits 0 prints 'tls' within_system hostA virt-ferry migrate --no-postcopy web qemu+tls://hostB/system
runs_on hostB web hostA
typed "$WORK/check.json" >"$WORK/again"
is 5 grep -c 'Nothing is to be changed' "$WORK/again"
within_system hostB virsh -q destroy web
off hostA
off hostB
boot hostA
boot hostB
cable
listens hostB 16514
within_system hostB virsh -q start web
exits 0 prints 'tls' within_system hostB virt-ferry migrate --no-postcopy web qemu+tls://hostA/system
runs_on hostA web hostB
within_system hostA virsh -q destroy web
within_system hostA virsh -q undefine web
for host in hostA hostB; do
    within_system "$host" rm -f /root/hostB.tar
    exits 0 setup "$host" undo all
    local_libvirt "$host"
    state_of "$host" | diff "$WORK/$host.before" -
done

it "a socket that is taken from a daemon that runs is closed, and the guest runs on; undone, it is opened"
hosts_up hostA
state_of hostA >"$WORK/hostA.before"
started hostA web
exits 0 setup hostA tcp
listens hostA 16509
exits 0 prints 'disable --now libvirtd-tcp.socket' setup hostA tcp-off
is_closed hostA 16509
is running within_system hostA virsh domstate web
exits 0 prints 'Nothing is to be changed' setup hostA tcp-off
exits 0 setup hostA undo
listens hostA 16509
exits 0 setup hostA undo
is_closed hostA 16509
is running within_system hostA virsh domstate web
within_system hostA virsh -q destroy web
within_system hostA virsh -q undefine web
local_libvirt hostA
state_of hostA | diff "$WORK/hostA.before" -

it "libvirtd --listen instead of sockets, also where it has ended by itself, and after a boot; undone, sockets are there"
hosts_up hostA
state_of hostA >"$WORK/hostA.before"
exits 0 setup hostA ca
exits 0 setup hostA certificate hostA "$NET.1" 127.0.0.1
within_system hostA systemctl stop libvirtd.service
exits 0 setup hostA --daemon listen tls /etc/pki/virt-ferry-ca/hosts/hostA.tar
listens hostA 16514
local_libvirt hostA
exits 0 prints 'QEMU' within_system hostA virsh -c qemu+tls://127.0.0.1/system version
exits 0 prints 'Nothing is to be changed' setup hostA --daemon listen tls /etc/pki/virt-ferry-ca/hosts/hostA.tar
exits 0 prints 'Nothing is to be changed' setup hostA tls
off hostA
boot hostA ssh.service
# multi-user.target has it, of which this boot has little.
within_system hostA systemctl start libvirtd.service
listens hostA 16514
local_libvirt hostA
exits 0 setup hostA undo all
local_libvirt hostA
within_system hostA systemctl stop libvirtd.service
local_libvirt hostA
state_of hostA | diff "$WORK/hostA.before" -

it "what could not be done is undone: a mount that failed, and a command that cannot be taken back"
hosts_up hostA
state_of hostA >"$WORK/hostA.before"
exits 1 prints "'mount /srv/images' failed" prints 'undo' setup hostA nfs-mount 127.0.0.1:/nowhere /srv/images
exits 0 setup hostA undo
exits 1 prints 'failed' setup hostA userfaultfd
exits 1 prints 'with --force it goes on without that' setup hostA undo
exits 0 prints 'is left out' setup hostA --force undo
exits 1 prints 'nothing to take back' setup hostA undo
state_of hostA | diff "$WORK/hostA.before" -
