#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2317,SC2016  # what sources lib.sh is run by it; what is run on hosts is quoted
# Hosts with a kernel of their own (user-mode Linux), whose NFS client has the image's folder mounted: the file system
# that libvirt itself knows as shared. In a lab of its own, beside the one of this run. All is slow there: a guest that
# is emulated in an emulated host moves in about a minute.
# shellcheck source-path=SCRIPTDIR source=../integration/lib.sh
. "$(dirname "$(readlink -f "$0")")/../integration/lib.sh"
# shellcheck source=../integration/slow-hosts.sh
. "$HERE/slow-hosts.sh"

# The one that can be given more time for hosts that are this slow, which make matrix builds too.
grep -qs VIRT_FERRY_FAULT "$VIRT_FERRY_BUILD/virt-ferry" || VIRT_FERRY_BUILD=${BUILD:-$REPO/build}/debug
export VIRT_FERRY_PATIENCE=6

GUEST=walker
IMAGE=/srv/shared/$GUEST-vda.img
CONSOLE=log/libvirt/qemu/$GUEST-console.log # in the machine's folder
OWN=/tmp/virt-ferry-lab.$id
SERVER=10.$((100 + id)).0.1
# Nobody waits longer than some seconds for a login, and two hosts that are emulated on a busy machine may need more.
ferry_on() { # HOST ARGUMENT…
    local code
    for _ in 1 2 3 4 5 6 7 8; do
        code=0
        within_host "$1" "PATH=$VIRT_FERRY_BUILD:\$PATH VIRT_FERRY_PLUGIN_PATH=$VIRT_FERRY_BUILD/plugins \
            VIRT_FERRY_PATIENCE=$VIRT_FERRY_PATIENCE virt-ferry" "${@:2}" >"$WORK/ferry-said" 2>"$WORK/ferry-told" || code=$?
        grep -q 'did not answer by ssh' "$WORK/ferry-said" "$WORK/ferry-told" || break
    done
    cat "$WORK/ferry-told" >&2
    cat "$WORK/ferry-said"
    return "$code"
}

hosts_up() {
    own up --nfs
    own uml hostA & own uml hostB & wait
    for host in hostA hostB; do
        is nfs within_host "$host" stat -f -c %T /srv/shared
    done
}

guest_xml() {
    cat <<END
<domain type='qemu'><name>$GUEST</name><memory unit='MiB'>128</memory><vcpu>1</vcpu>
  <os><type arch='x86_64' machine='q35'>hvm</type><kernel>$OWN/boot/vmlinuz</kernel><initrd>$OWN/boot/initramfs</initrd>
    <cmdline>console=ttyS0 quiet loglevel=1 mitigations=off no_timer_check lab.ip=10.$((100 + id)).1.1/16 lab.gateway=$SERVER lab.gateway_mac=02:fe:00:00:00:01 lab.log=1</cmdline></os>
  <features><acpi/><apic/></features><cpu mode='custom' match='exact' check='none'><model fallback='forbid'>qemu64</model></cpu>
  <devices><emulator>/usr/bin/qemu-system-x86_64</emulator>
    <disk type='file' device='disk'><driver name='qemu' type='raw' cache='none'/><source file='$IMAGE'/><target dev='vda' bus='virtio'/></disk>
    <interface type='bridge'><source bridge='br0'/><model type='virtio'/></interface>
    <serial type='file'><source path='/var/log/libvirt/qemu/$GUEST-console.log' append='on'/><target port='0'/></serial>
  </devices></domain>
END
}

acknowledged() { grep -c '^ack ' "$OWN/machines/$1/$CONSOLE" 2>/dev/null; } # HOST
writes_on() {                                                              # HOST: some more than before
    local before
    before=$(acknowledged "$1")
    await "$BOOT_SECONDS" has_more "$1" "$((before + 20))"
}
has_more() { [ "$(acknowledged "$1")" -gt "$2" ]; }
# The consoles first: the guest goes on, so that what is on the server may only be newer.
loses_no_write() {
    local host
    for host in hostA hostB; do
        cat "$OWN/machines/$host/$CONSOLE" >"$WORK/console-$host" 2>/dev/null
    done
    own nfs run dd if="one/${IMAGE##*/}" of="$WORK/ring" bs=2M count=1 status=none
    "$OWN/bin/stamp-check" "$GUEST" "$WORK"/console-host? -- 0="$WORK/ring"
}

chosen() { # JQ-TEXT HOST DEST
    ferry_on "$2" --json plan "$GUEST" "$3" --allow-cleartext 2>/dev/null |
        jq -r ".chosen as \$id | .strategies[] | select(.id == \$id) | $1"
}
locked_from_third() { # FROM TO
    timeout -k 10 "$MOVE_SECONDS" env LAB_ID="$id" "$REPO/tests/lab/lab" on client virt-ferry -c "qemu+tcp://$1/system" \
        migrate --allow-cleartext --strategy precopy-tcp-locked "$GUEST" "qemu+tcp://$2/system"
}
# The same export by the protocol whose locks are another one's, and those left out.
without_locks() {
    local host
    for host in hostA hostB; do
        within_host "$host" "mkdir -p /srv/shared/lockless && modprobe -d $OWN/uml nfsv3 &&
            mount -i -t nfs -o vers=3,nolock,tcp,addr=$SERVER,mountaddr=$SERVER $SERVER:/export /srv/shared/lockless"
        is nfs within_host "$host" stat -f -c %T /srv/shared/lockless
    done
}
guest_begins() {
    guest_xml >"$OWN/guest.xml"
    within_host hostA "virsh -q define $OWN/guest.xml && virsh -q start $GUEST"
}

moves() { # FROM TO DEST PROOF
    prints "disk vda shared" prints "$4" ferry_on "$1" plan "$GUEST" "$3" --allow-cleartext
    is 'vda=shared false' chosen '"\(.disks[] | "\(.target)=\(.treatment)") \(.needs_unsafe)"' "$1" "$3"
    ferry_on "$1" migrate "$GUEST" "$3" --allow-cleartext
    is_empty within_host "$1" virsh -q list --all --name
    is running within_host "$2" virsh -q domstate "$GUEST"
    writes_on "$2"
    loses_no_write
}

it "a guest whose image lies on an NFS mount of both hosts' kernels is moved there and back, and libvirt's check stays"
command -v linux.uml >/dev/null || skip "there is no 'linux.uml': contrib/install-deps matrix"
finally own down
hosts_up
within_host hostA truncate -s 64M "$IMAGE"
guest_begins
await "$BOOT_SECONDS" has_more hostA 20
# Over ssh the mounts are read on both hosts, and the server tells the file; by TCP each host sees what the other makes.
moves hostA hostB qemu+ssh://root@hostB/system "nfs: 'nfs://$SERVER/fsid="
moves hostB hostA qemu+tcp://hostA/system "each host saw what the other wrote in '/srv/shared'"
# A firewall that lets version 4 through alone keeps the portmapper from us; the mount is well, and so is QEMU.
own nfs run nft 'table inet walled { chain in { type filter hook input priority -10; tcp dport 111 drop; }; }'
prints 'disk vda shared' prints "each host saw what the other wrote in '/srv/shared'" prints 'connecting to its portmapper' \
    ferry_on hostA plan "$GUEST" qemu+ssh://root@hostB/system --allow-cleartext
own nfs run nft delete table inet walled
# Without its mount the other host has a folder of that name all the same.
within_host hostB umount /srv/shared
exits 3 prints "'/srv/shared' on host 'hostB' is not the NFS mount that it is at the source" prints 'but the bare folder beneath it' \
    ferry_on hostA check "$GUEST" qemu+ssh://root@hostB/system --allow-cleartext
is running within_host hostA virsh -q domstate "$GUEST"
is_empty within_host hostB ls /srv/shared

it "where a host's kernel has the folder mounted by NFS 4.2 the holes of a file on the server are not read"
command -v linux.uml >/dev/null || skip "there is no 'linux.uml': contrib/install-deps matrix"
finally own down
own up --nfs
own uml hostA
own nfs run sh -c 'truncate -s 256M one/holes.raw && head -c 1M /dev/urandom | dd of=one/holes.raw conv=notrunc bs=1M seek=100 status=none'
read_of() { # NAME: how much was read of it, and is it the same?
    ferry_on hostA --json relocate --image "nfs://$SERVER/export/holes.raw" --to "/var/lib/libvirt/$1" | jq -r .read_bytes
    is "$(own nfs run sha256sum one/holes.raw | cut -d' ' -f1)" within_host hostA "sha256sum /var/lib/libvirt/$1 | cut -d' ' -f1"
}
[ "$(read_of mounted.raw)" -le $((4 << 20)) ]
within_host hostA umount /srv/shared
is $((256 << 20)) read_of plain.raw

it "locked, from a third machine: proved and taken by NFS 4.2, and refused where the mounts have no locks between hosts"
command -v linux.uml >/dev/null || skip "there is no 'linux.uml': contrib/install-deps matrix"
finally own down
hosts_up
within_host hostA truncate -s 64M "$IMAGE"
guest_begins
await "$BOOT_SECONDS" has_more hostA 20
exits 0 prints 'by precopy-tcp-locked' locked_from_third hostA hostB
is running within_host hostB virsh -q domstate "$GUEST"
writes_on hostB
loses_no_write
within_host hostB "virsh -q destroy $GUEST && virsh -q undefine $GUEST"
without_locks
IMAGE=/srv/shared/lockless/${IMAGE##*/}
guest_begins
exits 3 prints lock-not-proved prints 'could open a file there that a domain' locked_from_third hostA hostB
is running within_host hostA virsh -q domstate "$GUEST"
