#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2317,SC2034  # cases call and read what is defined before them
# lab: --nfs --ceph
# One domain with disks of all kinds: each is treated as its storage wants, in one move.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$(readlink -f "$0")")/lib.sh"

DISKS=(--disk 'nfs:raw,rbd,local:qcow2:base,local:raw,shared:qcow2' --cdrom --fill 16 --write-log)

treatments() { # HOST GUEST DEST
    ferry "$1" --json plan "${@:2}" --allow-cleartext 2>/dev/null |
        jq -r '.strategies[0].disks | map("\(.target)=\(.treatment)") | join(" ")'
}

it "an NFS disk, an RBD disk, two local ones, a shared file and a CD-ROM drive move in one go; the local ones are copied"
needs_all
guest hostA all "${DISKS[@]}"
is 'vda=shared vdb=shared vdc=copy vdd=copy vde=shared sda=nothing' treatments hostA all hostB
prints 'mixed' ferry hostA migrate all hostB --allow-cleartext
lives_on hostB all

it "and back by TCP"
needs_all
guest hostB all "${DISKS[@]}"
old_images_gone hostA all
prints 'tcp' ferry hostB migrate all qemu+tcp://hostA/system --allow-cleartext
lives_on hostA all

it "one of them that cannot move keeps all at the source, and nothing is left at the destination"
needs_all
guest hostA all "${DISKS[@]}"
old_images_gone hostB all
on hostB sh -c 'echo precious >/var/lib/libvirt/images/all-vdd.img; virsh -q pool-refresh default'
exits 3 prints "an image stands at '/var/lib/libvirt/images/all-vdd.img' on the destination already" \
    ferry hostA migrate all hostB --allow-cleartext
is precious on hostB cat /var/lib/libvirt/images/all-vdd.img
on hostB rm /var/lib/libvirt/images/all-vdd.img
lives_on hostA all
is_empty on hostB find /var/lib/libvirt/images -name 'all-*'
is_empty on hostB virsh -q list --all --name
