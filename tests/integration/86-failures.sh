#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2317,SC2016  # cases call what is defined before them; texts hold what looks like commands
# shellcheck source-path=SCRIPTDIR
# What the survey could not see because it came to be after it: the move fails in libvirt or QEMU, and its
# text is told in an operator's words, with the host, the likely cause, what to do, and the original below.
# The run is stopped behind its third record: the domain is surveyed then, and where it has no disks to
# prove all else too.
. "$(dirname "$0")/lib.sh"

define() { # HOST NAME [DEVICES]
    cat >"$WORK/odd.xml" <<END
<domain type='qemu'>
  <name>$2</name>
  <memory unit='MiB'>32</memory>
  <os><type arch='x86_64' machine='q35'>hvm</type></os>
  <devices><emulator>/usr/bin/qemu-system-x86_64</emulator>
  ${3:-}
  </devices>
</domain>
END
    on "$1" virsh -q define "$WORK/odd.xml"
}
gone() { # NAME
    local host
    for host in hostA hostB; do
        on "$host" virsh -q destroy "$1" 2>/dev/null || true
        on "$host" virsh -q undefine "$1" --snapshots-metadata 2>/dev/null || true
    done
}
started() { # DEVICES
    define hostA odd "$1"
    on hostA virsh -q start odd
}
twin() { define hostB odd; }

# Moves 'odd' from hostA to hostB; COMMAND… runs while the move is stopped behind that record.
fails_after() { # COMMAND…
    stopped journal:3 "$*" hostA migrate --allow-cleartext --strategy precopy-tcp-gated odd qemu+tcp://hostB/system
}

# What, where, the original, and the fix with what the facts say.
tells() { # WHAT WHERE ORIGINAL FIX: of the last move, which left the guest where it was
    file_has "$1" "$WORK/told"
    file_has "$2" "$WORK/told"
    file_has "$3" "$WORK/told"
    tr -s ' \n' '  ' <"$WORK/told" >"$WORK/told.flat"
    file_has "Fix:" "$WORK/told.flat"
    file_has "$4" "$WORK/told.flat"
    is running on hostA virsh -q domstate odd
}

it "a bridge that went away"
for host in hostA hostB; do
    on "$host" sh -c 'ip link add br7 type bridge; ip link set br7 up'
    finally on "$host" sh -c 'ip link delete br7 2>/dev/null || true'
done
started "<interface type='bridge'><source bridge='br7'/><model type='virtio'/></interface>"
finally gone odd
exits 1 fails_after on hostB ip link delete br7
tells 'a bridge of the domain is missing' hostB "MTU on 'br7'" "needs 'br7'"

it "a domain of the same name that came"
started ''
finally gone odd
exits 1 fails_after twin
tells 'another domain of that name stands on the destination' hostB 'already exists with uuid' 'virsh dominfo'

it "an image that went away"
for host in hostA hostB; do
    on "$host" sh -c 'truncate -s 1M /var/lib/libvirt/images/odd.iso; virsh -q pool-refresh default'
    finally on "$host" sh -c 'rm -f /var/lib/libvirt/images/odd.iso; virsh -q pool-refresh default'
done
started "<disk type='file' device='cdrom'><driver name='qemu' type='raw'/>
    <source file='/var/lib/libvirt/images/odd.iso'/><target dev='sda' bus='sata'/><readonly/></disk>"
finally gone odd
exits 1 fails_after on hostB rm /var/lib/libvirt/images/odd.iso
tells 'an image of the domain is not there on the destination' hostB "odd.iso" "image of disk 'sda'"

it "an address of a display that went away"
for host in hostA hostB; do
    on "$host" ip address add 192.0.2.7/32 dev lo
    finally on "$host" sh -c 'ip address delete 192.0.2.7/32 dev lo 2>/dev/null || true'
done
started "<graphics type='vnc' autoport='yes' listen='192.0.2.7'/>"
finally gone odd
exits 1 fails_after on hostB ip address delete 192.0.2.7/32 dev lo
tells 'QEMU cannot listen on an address that the destination lacks' hostB '192.0.2.7' "listens on 192.0.2.7"

it "a firewall that closed"
started ''
finally gone odd
close_ports() {
    echo "table inet walled { chain in { type filter hook input priority 0; tcp dport 49152-49215 reject; }; }" |
        timeout 20 "$REPO/tests/lab/lab" on hostB nft -f -
}
finally on hostB nft delete table inet walled
exits 1 fails_after close_ports
tells 'the destination refused the connection that RAM was to take' hostB 'Connection refused' 49152

it "a snapshot that was taken"
on hostA qemu-img create -q -f qcow2 /srv/shared/odd.qcow2 1M
finally on hostA rm -f /srv/shared/odd.qcow2
started "<disk type='file'><driver name='qemu' type='qcow2' cache='none'/><source file='/srv/shared/odd.qcow2'/>
    <target dev='vda' bus='virtio'/></disk>"
finally gone odd
exits 1 fails_after on hostA virsh -q snapshot-create-as odd s1
tells 'does not move a domain that has snapshots' hostA 'cannot migrate domain with 1 snapshots' 'virsh snapshot-list'

it "an image that came to its place when its creation was journalled: neither written nor removed"
guest hostA came --disk local:raw --write-log
finally on hostB sh -c 'rm -f /var/lib/libvirt/images/came-vda.img; virsh -q pool-refresh default'
exits 1 prints "something stands at '/var/lib/libvirt/images/came-vda.img' already" \
    stopped journal-create:1 "on hostB sh -c 'echo precious >/var/lib/libvirt/images/came-vda.img'" \
    hostA migrate came hostB --allow-cleartext
is precious on hostB cat /var/lib/libvirt/images/came-vda.img
lives_on hostA came
lab rm came

it "credentials that a destination does not accept are told before the move"
define hostA odd
finally gone odd
on hostB cp -a /etc/libvirt/libvirtd.conf /run/libvirtd.conf.odd
lenient() {
    on hostB mv /run/libvirtd.conf.odd /etc/libvirt/libvirtd.conf
    lab libvirtd hostB kill
    lab libvirtd hostB start
}
finally lenient
on hostB sed -i 's/^auth_tcp.*/auth_tcp = "sasl"/' /etc/libvirt/libvirtd.conf
lab libvirtd hostB kill
lab libvirtd hostB start || true
exits 4 prints 'asks for a user and a password' prints 'Fix:' \
    ferry hostA plan odd qemu+tcp://hostB/system
