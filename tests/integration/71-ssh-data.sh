#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck source-path=SCRIPTDIR
# shellcheck disable=SC2317  # cases call what is defined before them
# RAM and disks inside ssh: nothing of the guest is seen on the wire, nothing stays on either host, and whatever
# ends in the middle leaves the guest where it was.
. "$(dirname "$0")/lib.sh"

SLOWLY='--bandwidth 8MiB/s'

# Folders for sockets of data, on any machine of this lab.
folders_left() { # [MACHINE…]
    local machine
    # shellcheck disable=SC2046
    [ $# -gt 0 ] || set -- client $(hosts)
    for machine; do
        find "$STATE/machines/$machine/run/libvirt/qemu/virt-ferry" -mindepth 1 2>/dev/null || true
    done
}
# shellcheck disable=SC2120  # await passes its arguments
nothing_left() { [ -z "$(folders_left "$@")" ]; }

# The ssh that a source started, and the shell that holds it.
carriers() {
    local host
    for host in $(hosts); do
        pids_on "$host" -f '[q]emu/virt-ferry/way-'
    done
}
no_carriers() { [ -z "$(carriers)" ]; }

# Until the case ends. The console's file is made by QEMU itself.
qemu_as() { # HOST USER
    finally qemu_as_before "$1"
    on "$1" sed -i.before "s/^user = .*/user = \"$2\"/; s/^group = .*/group = \"+$(id -g "$2")\"/" /etc/libvirt/qemu.conf
    on "$1" chmod 1777 /var/log/libvirt/qemu
    lab libvirtd "$1" kill
    lab libvirtd "$1" start
}
qemu_as_before() { # HOST
    on "$1" mv /etc/libvirt/qemu.conf.before /etc/libvirt/qemu.conf
    on "$1" chmod 755 /var/log/libvirt/qemu
    lab libvirtd "$1" kill
    lab libvirtd "$1" start
}
qemu_user() { # HOST GUEST
    # shellcheck disable=SC2046
    stat -c %U /proc/$(on "$1" cat "/run/libvirt/qemu/$2.pid")
}

# Processes of one machine alone.
pids_on() { # HOST PGREP-ARGUMENT…
    local pid here
    here=$(readlink "/proc/$(<"$STATE/machines/$1/pid")/ns/net")
    for pid in $(pgrep "${@:2}" || true); do
        [ "$(readlink "/proc/$pid/ns/net")" != "$here" ] || echo "$pid"
    done
}
processor_without_aes() { # HOST, until the case ends
    finally on "$1" sh -c 'umount /proc/cpuinfo; rm -f /run/cpuinfo'
    on "$1" sh -c 'sed "s/ aes / /" /proc/cpuinfo >/run/cpuinfo && mount --bind /run/cpuinfo /proc/cpuinfo'
}
# Those that carry data from a host, each as it was called.
connections_for_data() { # HOST FILE
    # shellcheck disable=SC2046
    for pid in $(pids_on "$1" -f '^ssh .* -M -S /run/virt-ferry/.*/ctl\.'); do
        tr '\0' ' ' <"/proc/$pid/cmdline"
        echo
    done >"$2"
}
# How many of a host's connections to sshd have carried a megabyte; no more than its control takes do the others.
busy_ssh() { # HOST
    on "$1" ss -HtniO state established 'dport = :22' | grep -cE 'bytes_sent:[0-9]{7,}' || true
}
carried_by_ssh() { # N HOST
    await 8 is "$1" busy_ssh "$2"
}
# shellcheck disable=SC2046
kill_on() { kill -KILL $(pids_on "$@"); }
# Not before it carries: a connection that finds one ssh gone is given to the other, and the move goes on.
kill_second_carrier() { # HOST
    await 20 is 2 busy_ssh "$1"
    kill_on "$1" -f '^ssh .* -M -S /run/virt-ferry/.*/ctl\.2'
}

it "nobody allows cleartext: memory and disks go through ssh, by its port alone, and nothing of them is seen on the wire"
guest hostA sealed --disk shared:raw,local:raw --dirty 32,10 --write-log
on hostB nft 'table inet only { chain in { type filter hook input priority -10
    tcp dport != 22 tcp flags & (syn | ack) == syn counter drop; }; }'
finally on hostB nft delete table inet only
is '0 0 much' seen hostB ferry hostA migrate sealed hostB
lives_on hostB sealed
await 5 nothing_left

it "in the clear both are seen, as who allows it must know"
guest hostB sealed --disk shared:raw,local:raw --dirty 32,10 --write-log
old_images_gone hostA sealed
exits 3 prints "'postcopy-ssh-clear-gated-mixed' is refused" ferry hostB migrate --strategy postcopy-ssh-clear-gated-mixed sealed hostA
counts=$(seen hostA ferry hostB migrate --allow-cleartext --strategy postcopy-ssh-clear-gated-mixed sealed hostA)
at_least 100 "$(cut -d' ' -f1 <<<"$counts")"
at_least 100 "$(cut -d' ' -f2 <<<"$counts")"
lives_on hostA sealed

it "the plan says that both are encrypted, and which channel is not"
guest hostA sealed --disk shared:raw,local:raw --dirty 32,10 --write-log
old_images_gone hostB sealed
exits 0 prints 'Channel ssh: encrypted' prints 'Channel ssh-clear: control encrypted, data in the clear' ferry hostA plan sealed hostB
await 5 nothing_left

deep "QEMU that runs as a user of its own comes to the sockets"
getent passwd libvirt-qemu >/dev/null || skip 'no user libvirt-qemu'
qemu_as hostA libvirt-qemu
qemu_as hostB libvirt-qemu
guest hostA apart --disk local:raw --fill 16 --write-log
exits 0 prints 'ssh-gated-copy:' ferry hostA migrate --no-postcopy apart hostB
lives_on hostB apart
is libvirt-qemu qemu_user hostB apart
lab rm apart

it "where the destination's processor has no AES, RAM and disks have a connection of their own, by a cipher of ssh's choice"
grep -qw aes /proc/cpuinfo || skip 'this processor has no AES either'
guest hostA sealed --disk shared:raw,local:raw --dirty 32,10 --write-log
old_images_gone hostB sealed
processor_without_aes hostB
during precopy connections_for_data hostA "$WORK/connections"
is '0 0 much' seen hostB ferry hostA migrate --no-postcopy sealed hostB
lives_on hostB sealed
is 1 grep -c . "$WORK/connections"
lacks 'Ciphers=' cat "$WORK/connections"
await 5 nothing_left

it "ssh that dies in the middle, on either host, leaves the guest at the source, and nothing else"
guest hostA sealed --disk shared:raw,local:raw --dirty 32,10 --write-log
old_images_gone hostB sealed
during precopy kill_on hostA -f '^ssh .* -M -N '
# shellcheck disable=SC2086
exits 1 prints "our ssh to 'hostB' (process " prints 'was ended by signal 9' prints 'See on this machine who ended it' \
    prints 'The guest is untouched' ferry hostA migrate $SLOWLY sealed hostB
lives_on hostA sealed
is_empty on hostB virsh -q list --all --name
await 20 nothing_left
# It says that it was closed, or, with bytes on their way, that it was reset: either leads to sshd.
during precopy kill_on hostB -f '^sshd: root'
# shellcheck disable=SC2086
exits 1 prints "our ssh to 'hostB' (process " prints "ended: '" prints "See on 'hostB' why sshd ended it" \
    ferry hostA migrate $SLOWLY sealed hostB
lives_on hostA sealed
is_empty on hostB virsh -q list --all --name
is_empty on hostB find /var/lib/libvirt/images -name 'sealed-*'
await 20 nothing_left

it "memory by two connections goes through two ssh processes; one that dies leaves the guest at the source, and nothing else"
guest hostA sealed --disk shared:raw,local:raw --dirty 32,10 --write-log
old_images_gone hostB sealed
exits 0 prints '"forwards": 2' ferry hostA --json plan --connections 2 sealed qemu+ssh://hostB/system
during precopy kill_second_carrier hostA
# shellcheck disable=SC2086
exits 1 prints "our ssh to 'hostB' (process " prints 'was ended by signal 9' prints 'The guest is untouched' \
    ferry hostA migrate --strategy precopy-ssh-gated-mixed-x2 $SLOWLY sealed hostB
lives_on hostA sealed
is_empty on hostB virsh -q list --all --name
await 20 nothing_left
during precopy carried_by_ssh 2 hostA
is '0 0 much' seen hostB ferry hostA migrate --strategy precopy-ssh-gated-mixed-x2 --bandwidth 32MiB/s sealed hostB
lives_on hostB sealed
await 5 nothing_left

deep "virt-ferry that is killed leaves no folder on either host, and the next run moves the guest"
guest hostA sealed --disk shared:raw,local:raw --dirty 32,10 --write-log
old_images_gone hostB sealed
during precopy kill_on hostA -x virt-ferry
# shellcheck disable=SC2086
exits 137 ferry hostA migrate $SLOWLY sealed hostB
# Where it ran the next run tidies; the other host does so by itself.
await 20 nothing_left hostB
exits 0 ferry hostA migrate sealed hostB
lives_on hostB sealed
await 5 nothing_left

it "from a third machine the source starts its own ssh: nothing is seen, and nothing stays"
guest hostB sealed --disk shared:raw,local:raw --dirty 32,10 --write-log
plain_shell hostA hostB
old_images_gone hostA sealed
exits 0 prints 'connections-forward' prints 'one process of ssh carries all 2 connections' \
    ferry client -c qemu+ssh://hostB/system plan --connections 2 sealed hostA
is '0 0 much' seen hostA ferry client -c qemu+ssh://hostB/system migrate sealed hostA
lives_on hostA sealed
await 5 nothing_left
is_empty carriers

deep "the source's own ssh that dies in the middle, or our way to the source, is told from a third machine"
guest hostA sealed --disk shared:raw,local:raw --dirty 32,10 --write-log
plain_shell hostA hostB
old_images_gone hostB sealed
during precopy kill_on hostA -f '^ssh .* -M -N -S /run/libvirt/qemu/virt-ferry/'
# shellcheck disable=SC2086
exits 1 prints "the source's own ssh to 'hostB' (process " prints 'was ended by signal 9' prints 'See on the source' \
    ferry client -c qemu+ssh://hostA/system migrate $SLOWLY sealed hostB
lives_on hostA sealed
await 20 nothing_left
old_images_gone hostB sealed
during precopy kill_on hostA -f '^sshd: root'
# shellcheck disable=SC2086
exits 1 prints "our ssh to 'hostA' (process " prints "See on 'hostA' why sshd ended it" \
    ferry client -c qemu+ssh://hostA/system migrate $SLOWLY sealed hostB
lives_on hostA sealed
await 20 nothing_left

deep "killed on the third machine it leaves nothing on either host: the source's ssh ends with our connection"
guest hostA sealed --disk shared:raw,local:raw --dirty 32,10 --write-log
plain_shell hostA hostB
old_images_gone hostB sealed
during precopy kill_on client -x virt-ferry
# shellcheck disable=SC2086
exits 137 ferry client -c qemu+ssh://hostA/system migrate $SLOWLY sealed hostB
await 20 nothing_left hostA hostB
await 20 no_carriers
exits 0 ferry client -c qemu+ssh://hostA/system migrate sealed hostB
lives_on hostB sealed

it "from the destination the source is reached by ssh, and starts its own"
guest hostB sealed --disk shared:raw,local:raw --dirty 32,10 --write-log
plain_shell hostA hostB
old_images_gone hostA sealed
exits 0 prints 'ssh-gated-mixed' ferry hostA -c qemu+ssh://hostB/system migrate sealed hostA
lives_on hostA sealed
await 5 nothing_left

it "a source that cannot log in on the destination is told, with the way out"
guest hostA sealed --disk shared:raw,local:raw --dirty 32,10 --write-log
plain_shell hostA hostB
old_images_gone hostB sealed
on hostA mv /root/.ssh/known_hosts /root/.ssh/known_hosts.aside
finally on hostA mv /root/.ssh/known_hosts.aside /root/.ssh/known_hosts
exits 3 prints 'ssh-data-no-login' prints 'precopy-ssh-clear-gated' lacks 'precopy-ssh-gated-mixed ' \
    ferry client -c qemu+ssh://hostA/system plan sealed hostB
is hostA lab runners sealed
lab rm sealed
