#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck source-path=SCRIPTDIR source=../integration/lib.sh
# shellcheck disable=SC2317,SC2016  # cases call what is defined before them; texts hold what looks like commands
# lab: --nfs --ceph
# The gate before other daemons than libvirtd, and for others than root: libvirt's separate daemons with their
# sockets, a user whom polkit lets in, and a user's own session.
. "$(dirname "$(readlink -f "$0")")/../integration/lib.sh"

MOVE=(migrate --allow-cleartext)
MODULAR_DAEMONS=${LAB_MODULAR:-/usr/sbin}
SESSION_PORT=16510
as_games() { # HOST COMMAND…
    local host=$1
    shift
    on "$host" setpriv --reuid games --regid games --clear-groups env HOME=/run/games/home XDG_RUNTIME_DIR=/run/games/run \
        "PATH=$VIRT_FERRY_BUILD:/usr/sbin:/usr/bin" "$@"
}
games_come() { # HOST
    on "$1" sh -c 'mkdir -p /run/games/home/.config/libvirt /run/games/run && chown -R games:games /run/games &&
        chmod 700 /run/games/run'
    finally on "$1" rm -rf /run/games
}
monolithic() { LAB_MODULAR='' lab daemons "$1" monolithic; }
needs_no_guests() { stale_remove; }

# A user's own libvirtd, which takes connections from the network too.
session_up() { # HOST
    games_come "$1"
    printf '%s\n' 'listen_tls = 0' 'listen_tcp = 1' "tcp_port = \"$SESSION_PORT\"" 'auth_tcp = "none"' \
        "host_uuid = \"$(</proc/sys/kernel/random/uuid)\"" |
        as_games "$1" tee /run/games/home/.config/libvirt/libvirtd.conf >/dev/null
    printf '%s\n' 'security_driver = "none"' 'stdio_handler = "file"' |
        as_games "$1" tee /run/games/home/.config/libvirt/qemu.conf >/dev/null
    as_games "$1" setsid "$STATE/bin/reaper" /usr/sbin/libvirtd -l >"$WORK/session-$1" 2>&1 &
    finally session_down "$1"
    await 30 as_games "$1" virsh -q -c qemu:///session version
}
session_down() { pkill -KILL --ns "$(<"$STATE/machines/$1/pid")" --nslist net -u games || true; }
session_domains() { as_games "$1" virsh -q -c qemu:///session list --all --name | grep .; }
# DISKS: as they stand in a domain's XML.
session_domain() { # HOST NAME DISKS
    cat >"$WORK/$2.xml" <<END
<domain type='qemu'><name>$2</name><memory unit='MiB'>$GUEST_MIB</memory>
<os><type arch='x86_64' machine='q35'>hvm</type><kernel>$STATE/boot/vmlinuz</kernel><initrd>$STATE/boot/initramfs</initrd>
<cmdline>console=ttyS0 quiet</cmdline></os><features><acpi/><apic/></features>
<cpu mode='custom' match='exact' check='none'><model fallback='forbid'>qemu64</model></cpu>
<devices>$3</devices></domain>
END
    as_games "$1" virsh -q -c qemu:///session define /dev/stdin <"$WORK/$2.xml"
    as_games "$1" virsh -q -c qemu:///session start "$2"
}
session_guest() { # HOST
    on "$1" sh -c 'mkdir /srv/shared/own && qemu-img create -q -f raw /srv/shared/own/own.img 16M && chown -R games:games /srv/shared/own'
    finally on "$1" rm -rf /srv/shared/own
    session_domain "$1" own "<disk type='file' device='disk'><driver name='qemu' type='raw' cache='none'/>
        <source file='/srv/shared/own/own.img'/><target dev='vda' bus='virtio'/></disk>"
}
own_is() { as_games "$1" virsh -q -c qemu:///session domstate own; }
# The key of Ceph, where it is a file: for the user who moves what is in it.
games_have_the_key() { # HOST
    finally on "$1" sh -c 'chown root:root /etc/ceph/*keyring*'
    on "$1" sh -c 'chown games:games /etc/ceph/*keyring*'
}
net_disks() { # GUEST
    sed -n '/<disk type=.network/,/<\/disk>/p' "$STATE/guests/$1/domain.xml"
}
# His own libvirtd has secrets of its own.
session_secret() { # HOST
    local uuid
    uuid=$(sed -nE "s/.*<secret type='ceph' uuid='([^']+)'.*/\1/p" "$STATE/guests/net/domain.xml" | head -n1)
    printf "<secret ephemeral='no' private='yes'><uuid>%s</uuid><usage type='ceph'><name>own</name></usage></secret>\n" \
        "$uuid" >"$WORK/secret.xml"
    as_games "$1" virsh -q -c qemu:///session secret-define /dev/stdin <"$WORK/secret.xml"
    "$REPO/tests/lab/lab" ceph run ceph auth get-key client.libvirt >"$WORK/key"
    as_games "$1" virsh -q -c qemu:///session secret-set-value "$uuid" --file /dev/stdin <"$WORK/key"
}
as_virtqemud() {
    local host
    for host in hostA hostB; do
        finally on "$host" mv /run/libvirt/virtqemud-sock /run/libvirt/libvirt-sock
        on "$host" mv /run/libvirt/libvirt-sock /run/libvirt/virtqemud-sock
    done
}

it "where libvirt listens as virtqemud the gate stands before that socket, and the guest goes there and back"
guest hostA web --write-log
as_virtqemud
exits 0 prints '-gated' ferry hostA "${MOVE[@]}" web hostB
is hostB lab runners web
exits 0 prints '-gated' ferry hostB "${MOVE[@]}" web hostA
is hostA lab runners web
lab verify web

it "there disks on an NFS server and in Ceph go there and back too, and a mixed domain goes there"
guest hostA net --disk nfs:raw,rbd --write-log
lab guest hostA mixed --mem "$GUEST_MIB" --disk-size 64M --disk shared,nfs:raw,rbd,local:qcow2 --write-log
finally lab rm mixed
as_virtqemud
exits 0 prints '-gated' ferry hostA "${MOVE[@]}" net hostB
is hostB lab runners net
exits 0 prints '-gated' ferry hostB "${MOVE[@]}" net hostA
is hostA lab runners net
lab verify net
exits 0 prints '-gated-mixed' ferry hostA "${MOVE[@]}" mixed hostB
is hostB lab runners mixed
lab verify mixed

it "virtqemud, virtstoraged and virtproxyd: gated there and back; a virtqemud that dies when its guest resumes makes no two"
[ -x "$MODULAR_DAEMONS/virtqemud" ] || skip "there is no virtqemud: LAB_MODULAR names a folder that has it"
export LAB_MODULAR=$MODULAR_DAEMONS
needs_no_guests
for host in hostA hostB; do
    finally monolithic "$host"
    lab daemons "$host" modular
    is_empty on "$host" pgrep -x --ns "$(<"$STATE/machines/$host/pid")" --nslist net libvirtd
done
lab guest hostA mod --mem "$GUEST_MIB" --disk-size 64M --write-log
finally lab rm mod
exits 0 prints '-gated' ferry hostA "${MOVE[@]}" mod hostB
lives_on hostB mod
exits 0 prints '-gated' ferry hostB "${MOVE[@]}" mod hostA
lives_on hostA mod
at_event hostB Resumed 'kill -9 "$(cat /run/virtqemud.pid)"'
ferry hostA "${MOVE[@]}" mod hostB || true
at_event_ends hostB
on hostB test -e /run/faulted
is 1 sh -c "'$REPO/tests/lab/lab' runners mod | wc -l"
lab libvirtd hostB start
exits 0 ferry hostA "${MOVE[@]}" mod hostB
lives_on hostB mod

it "a user whom polkit lets in moves a guest through the gate; one whom it does not let in is told so"
command -v dbus-daemon >/dev/null || skip 'there is no system bus'
[ -x /usr/lib/polkit-1/polkitd ] || skip 'there is no polkit'
needs_no_guests
guest hostA web --write-log
games_come hostA
finally monolithic hostA
lab daemons hostA polkit
exits 0 prints '-gated' as_games hostA virt-ferry "${MOVE[@]}" web hostB
lives_on hostB web
guest hostA web --write-log
exits 4 on hostA setpriv --reuid news --regid news --clear-groups env HOME=/nonexistent XDG_RUNTIME_DIR=/run/games/none \
    VIRT_FERRY_STATE_DIR=/tmp/.none virt-ferry plan web hostB
lives_on hostA web
lab rm web

it "such a user moves disks on an NFS server and in Ceph, whose key he may read; without it he is told so"
command -v dbus-daemon >/dev/null || skip 'there is no system bus'
[ -x /usr/lib/polkit-1/polkitd ] || skip 'there is no polkit'
needs_no_guests
guest hostA net --disk nfs:raw,rbd --write-log
games_come hostA
finally monolithic hostA
lab daemons hostA polkit
exits 3 prints "there is no key of user 'client.libvirt'" as_games hostA virt-ferry "${MOVE[@]}" net hostB
games_have_the_key hostA
exits 0 prints '-gated' as_games hostA virt-ferry "${MOVE[@]}" net hostB
lives_on hostB net
lab rm net

it "a guest of a user's own session moves through the gate to his session on the other host"
session_up hostA
session_up hostB
session_guest hostA
sleep 4
exits 0 prints '-gated' as_games hostA virt-ferry -c qemu:///session "${MOVE[@]}" own "qemu+tcp://hostB:$SESSION_PORT/session"
is running own_is hostB
is_empty sh -c "'$REPO/tests/lab/lab' on hostA pgrep --ns $(<"$STATE/machines/hostA/pid") --nslist net -u games qemu-system"
is_empty session_domains hostA

it "and so does one whose disks are on an NFS server and in Ceph"
needs_no_guests
# Its images and its words for them; itself it is not wanted.
lab guest hostA net --mem "$GUEST_MIB" --disk-size 64M --disk nfs:raw,rbd
finally lab rm net
on hostA virsh -q destroy net
for host in hostA hostB; do
    session_up "$host"
    session_secret "$host"
done
games_have_the_key hostA
session_domain hostA own "$(net_disks net)"
sleep 4
exits 0 prints '-gated' as_games hostA virt-ferry -c qemu:///session "${MOVE[@]}" own "qemu+tcp://hostB:$SESSION_PORT/session"
is running own_is hostB
is_empty session_domains hostA
