#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck source-path=SCRIPTDIR source=../integration/lib.sh
# Where AppArmor confines QEMU, by libvirt's own profile and a kernel that enforces it (user-mode Linux): the sockets for RAM
# and disks inside ssh are let through by their names; and a guest with a copied disk is moved between two hosts whose
# libvirt confines it itself, by ssh, TCP and TLS. In a lab of its own, beside the one of this run.
# shellcheck disable=SC2317,SC2016  # what sources lib.sh is run by it; what is run on hosts is quoted
. "$(dirname "$(readlink -f "$0")")/../integration/lib.sh"
# shellcheck source=../integration/slow-hosts.sh
. "$HERE/slow-hosts.sh"

UUID=5f0c1a52-6c2e-4a35-9b7d-000000000002
IMAGE=/var/lib/libvirt/images/web.img
need_apparmor() {
    command -v linux.uml >/dev/null || skip 'user-mode-linux is not installed'
    if ! command -v apparmor_parser || ! command -v aa-exec; then skip 'apparmor is not installed'; fi
    [ -x /usr/lib/libvirt/virt-aa-helper ] || skip "libvirt's helper for AppArmor is not here"
}
confined_hosts_up() {
    local host
    own up --nfs --tls
    for host in hostA hostB; do
        own on "$host" sed -i 's/^security_driver = .*/security_driver = "apparmor"/' /etc/libvirt/qemu.conf
        LAB_UML_WORDS='security=apparmor apparmor=1' own uml "$host" &
    done
    wait
}
confinement() { within_host "$1" 'cat /proc/$(cat /run/libvirt/qemu/web.pid)/attr/current'; } # HOST
arrives() { # FROM TO URI CHANNEL ARGUMENT…
    within_host "$2" "rm -f $IMAGE; virsh -q pool-refresh default" || true
    exits 0 prints "$4" within_host "$1" "PATH=$VIRT_FERRY_BUILD:\$PATH VIRT_FERRY_PLUGIN_PATH=$VIRT_FERRY_BUILD/plugins virt-ferry" \
        migrate --no-postcopy "${@:5}" web "$3"
    is_empty within_host "$1" virsh -q list --name
    is running within_host "$2" virsh -q domstate web
    is "libvirt-$UUID (enforce)" confinement "$2"
}

it "libvirt's AppArmor profile lets a guest have the sockets that ssh brings for it, and no others there"
need_apparmor
: >"$WORK/apparmor"
TMPDIR=/dev/shm timeout 240 linux.uml mem=512M rootfstype=hostfs rootflags=/ rw \
    "init=$REPO/tests/matrix/apparmor-guests" con=null con0=null,fd:1 security=apparmor apparmor=1 quiet \
    "out=$WORK/apparmor" >"$WORK/uml" 2>&1 </dev/null || true
cat "$WORK/apparmor"
is end tail -n 1 "$WORK/apparmor"
prints '(enforce)' prints 'ram.tunnelmigrate.dest.web: through' prints 'nbd.tunnelmigrate.dest.web: through' \
    prints 'ram: refused' prints 'ram.tunnelmigrate.dest.other: refused' prints 'Permission denied' cat "$WORK/apparmor"

it "a guest that libvirt's own AppArmor driver confines on both hosts is moved with its disk, by ssh, by TCP and by TLS"
need_apparmor
finally own down
confined_hosts_up
is apparmor within_host hostA 'virsh capabilities | grep -o apparmor'
within_host hostA "truncate -s 16M $IMAGE; cat >/run/web.xml; virsh -q define /run/web.xml; virsh -q start web" <<END
<domain type='qemu'><name>web</name><uuid>$UUID</uuid><memory unit='MiB'>32</memory><vcpu>1</vcpu>
  <os><type arch='x86_64' machine='q35'>hvm</type></os><features><acpi/><apic/></features>
  <cpu mode='custom' match='exact' check='none'><model fallback='forbid'>qemu64</model></cpu>
  <devices><emulator>/usr/bin/qemu-system-x86_64</emulator>
    <disk type='file' device='disk'><driver name='qemu' type='raw'/><source file='$IMAGE'/><target dev='vda' bus='virtio'/></disk>
  </devices></domain>
END
is "libvirt-$UUID (enforce)" confinement hostA
# Under a name that is too long for libvirt's rule of sockets that channel is refused before anything is done.
within_host hostA "sed 's/<name>web/<name>a-name-that-is-too-long-for-it/; s/$UUID/${UUID%2}3/; /<disk/d' /run/web.xml >/run/long.xml
    virsh -q create /run/long.xml"
exits 3 prints 'unix-apparmor' within_host hostA "PATH=$VIRT_FERRY_BUILD:\$PATH VIRT_FERRY_PLUGIN_PATH=$VIRT_FERRY_BUILD/plugins virt-ferry" \
    plan a-name-that-is-too-long-for-it qemu+ssh://hostB/system
within_host hostA virsh -q destroy a-name-that-is-too-long-for-it
arrives hostA hostB qemu+ssh://hostB/system ssh-gated
arrives hostB hostA qemu+tcp://hostA/system tcp-gated --allow-cleartext
arrives hostA hostB qemu+tls://hostB/system tls-gated
