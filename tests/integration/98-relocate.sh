#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2317,SC2034,SC2016  # cases call and read what is defined before them; texts hold what looks like commands
# lab: --nfs --ceph
# Disks of a running guest to other places on its host: to each kind of storage and back, and each way in
# which it can fail. Whatever happens the guest runs on and has lost no write, and what was made goes.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$(readlink -f "$0")")/lib.sh"
# shellcheck source=relocate.sh
. "$HERE/relocate.sh"

# What becomes of the disk by the cheapest strategy.
treatment() { ferry hostA --json plan r hostB --allow-cleartext "$@" 2>/dev/null | jq -r '.strategies[0].disks[0].treatment'; }

# Whatever could be undone by then: the guest is where it was, the next run finds it so, and ends well.
gone_meanwhile() { # PLACE, GONE and BACK: for the shell
    local code=0
    fresh local:qcow2 --fill 40
    leaves_traces
    finally eval "$3"
    gone() { sleep 1; eval "$1"; }
    during prepare gone "$2"
    SECONDS=0
    FERRY_SECONDS=200 prints "stands still" ferry hostA relocate r --disk vda --to "$1" --bandwidth 4MiB/s || code=$?
    [[ $code = 1 || $code = 7 ]] || complain "exit code $code"
    [ "$SECONDS" -lt 150 ]
    is "$IMAGES/r-vda.qcow2 qcow2" disk_at r vda
    is "$IMAGES/r-vda.qcow2 qcow2" disk_at r vda --inactive
    is running on hostA virsh domstate r
    eval "$3"
}

it "a local disk goes to an NFS export, sparse, and the old image is left"
fresh local:qcow2 --fill 24
prints "nfs://$SERVER/export/r-vda.qcow2" relocate r --disk vda --to "$NFS"
is_at r vda '/export/r-vda.qcow2 qcow2'
is "$IMAGES/r-vda.qcow2" on hostA ls "$IMAGES/r-vda.qcow2"
[ "$(lab nfs run du -m one/r-vda.qcow2 | cut -f1)" -lt 40 ]

it "a local disk goes to a Ceph pool, as raw"
fresh local:qcow2 --fill 24
relocate r --disk vda --to rbd:ferry
is_at r vda 'ferry/r-vda raw'

deep "from NFS to Ceph, and from there back to a folder"
fresh nfs:raw --fill 16
relocate r --disk all --to rbd:ferry/r-second
is_at r vda 'ferry/r-second raw'
relocate r --disk all --to /srv/other --format qcow2
is_at r vda '/srv/other/r-vda.qcow2 qcow2'

deep "a shared disk goes to a pool of libvirt, and to a file that is named"
fresh shared:qcow2 --fill 16
relocate r --disk vda --to pool:default
is_at r vda "$IMAGES/r-vda.qcow2 qcow2"
relocate r --disk vda --to /srv/other/r-named.raw --format raw
is_at r vda '/srv/other/r-named.raw raw'

deep "several disks go at once, each to an image of its own"
fresh local:qcow2,local:raw --fill 16
prints '"outcome": "relocated"' relocate r --json --disk vda,vdb --to "$NFS/"
is_at r vda '/export/r-vda.qcow2 qcow2'
is_at r vdb '/export/r-vdb.qcow2 qcow2'

it "a dry run shows what would be done, and does nothing"
fresh local:raw --fill 16
prints "nfs://$SERVER/export/r-vda.qcow2" prints 'relocate-format-changes' relocate r --disk all --to "$NFS" --dry-run
is_at r vda "$IMAGES/r-vda.img raw"
is_empty on_nfs

it "what stands there is not overwritten, and no disk is copied onto itself"
fresh local:qcow2 --fill 16
on hostA sh -c 'echo precious >/srv/other/r-vda.qcow2'
exits 3 prints "something stands at '/srv/other/r-vda.qcow2' already" relocate r --disk vda --to /srv/other
is precious on hostA cat /srv/other/r-vda.qcow2
exits 3 prints "is at '$IMAGES/r-vda.qcow2' already" relocate r --disk vda --to pool:default/r-vda.qcow2
is_at r vda "$IMAGES/r-vda.qcow2 qcow2"

it "cancelled in the copy, the guest stays in its old image and nothing is left"
fresh local:qcow2 --fill 40
stop_it() { sleep 0.5; signal_on_a INT; }
during prepare stop_it
exits 5 prints 'all disks are where they were' relocate r --disk vda --to "$NFS" --bandwidth 2MiB/s
is_at r vda "$IMAGES/r-vda.qcow2 qcow2"
is_empty on_nfs

it "killed in the copy, the next run ends the copy and removes the image, then does its own"
fresh local:qcow2 --fill 40
kill_it() { sleep 0.5; signal_on_a KILL; }
during prepare kill_it
exits 137 relocate r --disk vda --to "$NFS" --bandwidth 2MiB/s
[ -n "$(on_nfs)" ]
relocate r --disk vda --to rbd:ferry
is_at r vda 'ferry/r-vda raw'
is_empty on_nfs

it "what is put at the new place meanwhile, and another definition, are seen in the end"
needs_faults
fresh local:qcow2 --fill 16
swap() { # FILE
    on hostA sh -c 'cp "$0" "$0.else"; mv "$0.else" "$0"' "$1"
}
redefine() { # FROM TO
    on hostA sh -c 'virsh dumpxml --inactive --security-info r | sed "s#$0#$1#" >/run/r.xml; virsh -q define /run/r.xml' "$1" "$2"
}
exits 6 prints "is not what QEMU has open" stopped journal-pivoted:1 \
    'swap /srv/other/r-vda.qcow2; exits 8 prints "holds domain" relocate r --disk vda --to /srv/other/two.qcow2' \
    hostA relocate r --disk vda --to /srv/other
is_empty on hostA find /srv/other -name 'two*'
exits 6 prints "the persistent definition names '/srv/other/else.qcow2'" \
    stopped journal-pivoted:1 'redefine "$IMAGES/r-back.qcow2" /srv/other/else.qcow2' \
    hostA relocate r --disk vda --to "$IMAGES/r-back.qcow2"
is "$IMAGES/r-back.qcow2 qcow2" disk_at r vda
lives_on hostA r

deep "of a guest on another machine, reached by ssh, from one that has neither"
fresh local:qcow2 --fill 16
ferry client -c qemu+ssh://root@hostA/system relocate r --disk vda --to /srv/other --delete-source
is_at r vda '/srv/other/r-vda.qcow2 qcow2'
is_empty on hostA ls "$IMAGES"

deep "an image that was relocated to NFS moves between the hosts while the guest writes"
fresh local:qcow2 --fill 16
relocate r --disk vda --to "$NFS"
ferry hostA migrate r hostB --allow-cleartext
lives_on hostB r
lab rm r

it "where to relocate first is cheaper a move does it by itself, and else it copies"
fresh local:qcow2 --disk-size 512M --fill 320
# What earlier moves showed of the link is about smaller disks.
on hostA sh -c 'rm -f /var/lib/virt-ferry/history*'
is copy treatment
is relocate treatment --relocate-to "$NFS"
printf '[migrate]\nrelocate_to = %s\n' "$NFS" | settings hostA
finally no_settings hostA
prints 'the disks are at their new place' ferry hostA migrate r hostB --allow-cleartext
is '/export/r-vda.qcow2' on hostB sh -c "virsh dumpxml r | sed -n \"s/.*protocol='nfs' name='\([^']*\)'.*/\1/p\""
lives_on hostB r
lab rm r
fresh local:qcow2
is copy treatment
lacks 'at their new place' prints '-copy' ferry hostA migrate r hostB --allow-cleartext
lives_on hostB r
lab rm r

deep "a pool that both hosts have is a place to relocate to first, without being told"
fresh local:qcow2
for host in hostA hostB; do
    on "$host" sh -c 'mkdir -p /srv/shared/ours && virsh -q pool-create-as ours dir --target /srv/shared/ours'
    finally on "$host" virsh -q pool-destroy ours
done
finally on hostA rm -rf /srv/shared/ours
strategy=$(ferry hostA --json plan r hostB --allow-cleartext 2>/dev/null |
    jq -r '[.strategies[] | select(.valid) | .id | select(endswith("-relocate"))][0] // "none"')
prints 'the disks are at their new place' ferry hostA migrate r hostB --allow-cleartext --strategy "$strategy"
prints '/srv/shared/ours/r-vda.qcow2' on hostB virsh -q domblklist r
lives_on hostB r
lab rm r

deep "a move that fails after its disk was relocated leaves the guest at the source, with the disk at its new place"
fresh local:qcow2 --fill 24
strategy=$(ferry hostA --json plan r hostB --allow-cleartext --relocate-to "$NFS" 2>/dev/null |
    jq -r '[.strategies[].id | select(endswith("-relocate"))][0]')
during precopy on hostA virsh -q domjobabort r
exits 1 prints 'are at their new place all the same' \
    ferry hostA migrate r hostB --allow-cleartext --relocate-to "$NFS" --strategy "$strategy" --bandwidth 20MiB/s
is_at r vda '/export/r-vda.qcow2 qcow2'

it "what is in the way is found before anything is done"
fresh local:raw,local:qcow2:base --cdrom --disk-size 67110400
is 'relocate-format-changes ' found --disk vda --to /srv/other --format qcow2
finds relocate-length --disk vda --to /srv/other
exits 3 prints 'Say --format qcow2' relocate r --disk vda --to /srv/other
# Nor does it go to another host by a copy: the destination's QEMU refuses such a file too.
exits 3 prints 'copy-length' prints 'virsh blockresize r vda 67112960B' ferry hostA plan r hostB --allow-cleartext
finds relocate-format-changes --disk vda --to "$NFS"
finds relocate-zeroes --disk vda --to "$NFS" --format raw
finds relocate-flat --disk vdb --to /srv/other
finds relocate-drive --disk sda --to /srv/other
finds relocate-same-place --disk vda --to "$IMAGES/r-vda.img"
finds relocate-same-place --disk vda,vdb --to /srv/other/r-one.raw
finds relocate-format --disk vda --to rbd:ferry --format qcow2
on hostA touch /srv/other/r-there.raw
finds relocate-image-exists --disk vda --to /srv/other/r-there.raw
finds relocate-image-not-known --disk vda --to "nfs://$SERVER/nowhere"
lab nfs full on /export2
finds relocate-space --disk vda --to "nfs://$SERVER/export2" --format raw
lab nfs full off /export2
exits 2 prints 'no disk' relocate r --disk vdz --to /srv/other
exits 2 prints 'is none of rbd:POOL' relocate r --disk vda --to rbd:
exits 2 prints 'which disks' relocate r --to /srv/other
exits 3 prints "pool 'nowhere' is not there" relocate r --disk vda --to pool:nowhere
lives_on hostA r

it "a place that fills up ends the copy, and the guest goes on in its old image"
fresh local:qcow2 --fill 40
lab nfs full on /export2
lab nfs run sh -c 'rm two/.filler*; fallocate -l "$(($(df --output=avail -B1 two | tail -n 1) - 52428800))" two/.filler.most'
finally lab nfs full off /export2
finds relocate-overcommit --disk vda --to "nfs://$SERVER/export2"
fill_it() { sleep 1; lab nfs full on /export2; }
during prepare fill_it
exits 1 prints 'fills up' relocate r --disk vda --to "nfs://$SERVER/export2" --bandwidth 8MiB/s
is_at r vda "$IMAGES/r-vda.qcow2 qcow2"
is_empty on_nfs

deep "an NFS server that goes away in the middle leaves the guest in its old image, and the next run ends well"
gone_meanwhile "$NFS" 'lab nfs kill' 'lab nfs start'
await 90 on hostA timeout 5 virsh -q domblkstat r vda
exits 0 relocate r --disk vda --to "$NFS"
is_at r vda '/export/r-vda.qcow2 qcow2'

deep "a guest that writes faster than the copy is given up on with figures, and waits where that is wanted"
fresh local:qcow2 --fill 16
exits 1 prints 'written by the guest' prints 'synchronous-writes' \
    relocate r --disk vda --to /srv/other --bandwidth 16KiB/s
is_at r vda "$IMAGES/r-vda.qcow2 qcow2"
is_empty on hostA ls /srv/other
relocate r --disk vda --to /srv/other --synchronous-writes
is_at r vda '/srv/other/r-vda.qcow2 qcow2'

it "the old image goes where that is wanted, and stays where a domain names it"
fresh local:qcow2,nfs:raw,rbd --fill 16
old_ones() { on hostA ls "$IMAGES"; on_nfs; rbd_images; }
finds relocate-deleted --disk vda --to /srv/other --delete-source
prints 'is removed' relocate r --disk all --to /srv/other --delete-source
is_at r vda '/srv/other/r-vda.qcow2 qcow2'
is_at r vdc '/srv/other/r-vdc.raw raw'
is_empty old_ones
on hostA sh -c "virsh dumpxml --inactive r | sed -e 's|<name>.*|<name>twin</name>|' -e /uuid/d >/run/twin.xml && virsh -q define /run/twin.xml"
finally on hostA virsh -q undefine twin
exits 6 prints 'a domain names it' relocate r --disk vda --to pool:default --delete-source
is_at r vda "$IMAGES/r-vda.qcow2 qcow2"
is /srv/other/r-vda.qcow2 on hostA ls /srv/other/r-vda.qcow2

deep "onto a block device it goes only where that is named twice"
fresh local:raw
on hostA sh -c 'truncate -s 64M /run/device && losetup -f --show /run/device >/run/device.name'
finally on hostA sh -c 'losetup -d "$(cat /run/device.name)"; rm /run/device /run/device.name'
device=$(on hostA cat /run/device.name)
finds relocate-device --disk vda --to "$device"
finds relocate-device-overwritten --disk vda --to "$device" --overwrite vda
exits 3 prints 'would overwrite' relocate r --disk vda --to "$device"
relocate r --disk vda --to "$device" --overwrite vda
is_at r vda "$device raw"
relocate r --disk vda --to /srv/other
is_at r vda '/srv/other/r-vda.raw raw'

it "snapshots, a transient domain, a disk of several domains and a place of one host alone are seen"
fresh local:qcow2
on hostA virsh -q checkpoint-create-as r one >/dev/null
finally on hostA virsh -q checkpoint-delete r one
finds relocate-snapshots --disk vda --to /srv/other
exits 3 prints 'checkpoints' relocate r --disk vda --to /srv/other
on hostA sh -c "virsh dumpxml --inactive r | sed -e 's|<name>.*|<name>twin</name>|' -e /uuid/d -e s/qcow2/raw/ -e 's|<target |<shareable/><target |' >/run/twin.xml && virsh -q define /run/twin.xml"
finally on hostA virsh -q undefine twin
exits 3 prints 'relocate-kind' ferry hostA --json relocate twin --dry-run --disk vda --to /srv/other
# Each host has that folder for itself.
on hostA mkdir /var/lib/libvirt/apart
finally on hostA rm -rf /var/lib/libvirt/apart
prints 'relocate-not-shared' ferry hostA --json plan r hostB --allow-cleartext --relocate-to /var/lib/libvirt/apart

it "a transient domain goes too, and has no definition to follow"
fresh local:raw --transient
finds relocate-transient --disk vda --to /srv/other
relocate r --disk vda --to /srv/other
is '/srv/other/r-vda.raw raw' disk_at r vda
lives_on hostA r
lab rm r

deep "a guest that ends when the switch was asked for keeps both images, since nobody can say which has its newest writes"
fresh local:raw --fill 16
leaves_traces
VIRT_FERRY_FAULT=kill:journal-pivot:1 exits 137 ferry hostA relocate r --disk vda --to "$NFS/r-vda.qcow2"
on hostA virsh -q destroy r
exits 6 prints 'both are left' ferry hostA recover
is_there() { [ -n "$("$@")" ]; }
is_there on_nfs
is_there on hostA ls "$IMAGES/r-vda.img"
is "$IMAGES/r-vda.img raw" disk_at r vda --inactive
prints 'No run is open' ferry hostA recover
on hostA virsh -q start r
await 60 lab verify r
lives_on hostA r

it "killed at each step, the next run leaves both disks in one place and no image that is not in use"
grep -qs VIRT_FERRY_FAULT "$VIRT_FERRY_BUILD/virt-ferry" || skip "this build has no fault points"
fresh local:qcow2,local:raw
n=0 code=137 forward=0
while [ "$code" = 137 ]; do
    n=$((n + 1)) code=0
    on hostA mkdir "/srv/other/$n"
    VIRT_FERRY_FAULT=kill:journal:$n ferry hostA -q relocate r --disk all --to "/srv/other/$n" || code=$?
    # Either settles what the dead run left: recover, or any run for the domain.
    if [ "$n" -gt 3 ] && [ $((n % 2)) = 0 ]; then
        ferry hostA recover r
    else
        exits 2 relocate r --disk sdz --to /srv/other
    fi
    at=$(disk_at r vda) other=$(disk_at r vdb)
    is "$at" disk_at r vda --inactive
    is "$other" disk_at r vdb --inactive
    # Each costs a second, and what is left behind or lost once stays so.
    [ $((n % 5)) != 0 ] || { nothing_left && lives_on hostA r; }
    is "$(dirname "${at% *}")" dirname "${other% *}"
    in_use=0
    [[ $at != "/srv/other/$n/"* ]] || in_use=2
    forward=$((forward + in_use))
    is "$in_use" on hostA sh -c "ls /srv/other/$n | wc -l"
done
[ "$code" = 0 ] && [ "$n" -gt 12 ] && [ "$forward" -ge 4 ]
lives_on hostA r
on hostA rm -r /srv/other
