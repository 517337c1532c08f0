#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2317,SC2034,SC2016  # cases call and read what is defined before them; texts hold what looks like commands
# lab: --nfs --ceph
# Disks of a guest that is shut off to other places: by the tool itself on this machine, and on another by the guest's QEMU.
# Whatever happens its definition leads to an image that is whole, and what was made goes.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$(readlink -f "$0")")/lib.sh"
# shellcheck source=relocate.sh
. "$HERE/relocate.sh"

# From a machine that has neither the guest nor its images.
far() { ferry client -c qemu+tcp://hostA/system relocate r "$@"; } # OPTION…
signal_far() { on_machine pkill client "-$1" -x virt-ferry; }

# Of a guest that is shut off: where its definition leads its disk, and that it comes up there.
shut_off() { # DISKS OPTION…
    fresh "$@"
    await 60 lab verify r
    on hostA virsh -q destroy r
}
starts_at() { # TARGET "PLACE FORMAT" …
    while [ $# -gt 0 ]; do
        is "$2" disk_at r "$1" --inactive
        shift 2
    done
    lab verify r
    on hostA virsh -q start r
    await 60 lab verify r
    lives_on hostA r
}
# Both disks of a guest that is shut off: whatever record of its journal a relocation dies behind, they are in one place, old
# or new, and no other image is there. `settled N` is how a case settles the Nth.
killed_off_at_each_step() { # MACHINE OPTION…
    local n=0 code=137 forward=0 at other in_use
    while [ "$code" = 137 ]; do
        n=$((n + 1)) code=0 in_use=0
        on hostA mkdir "/srv/other/$n"
        VIRT_FERRY_FAULT=kill:journal:$n ferry "$1" -q "${@:2}" relocate r --disk all --to "/srv/other/$n" || code=$?
        settled "$n" || complain "after record $n" || return
        is 'shut off' on hostA virsh domstate r
        at=$(disk_at r vda --inactive) other=$(disk_at r vdb --inactive)
        is "$(dirname "${at% *}")" dirname "${other% *}"
        [[ $at != "/srv/other/$n/"* ]] || in_use=2
        forward=$((forward + in_use))
        is "$in_use" on hostA sh -c "ls /srv/other/$n | wc -l"
    done
    [ "$code" = 0 ] && [ "$n" -gt 12 ] && [ "$forward" -ge 4 ]
    nothing_left
    lab verify r
    on hostA virsh -q start r
    await 60 lab verify r
    lives_on hostA r
    lab rm r
    on hostA rm -r /srv/other
}
is_off_at() { # TARGET "PLACE FORMAT"
    is 'shut off' on hostA virsh domstate r
    is "$2" disk_at r "$1" --inactive
    nothing_left
}
# Its definition without what a relocation changes.
definition() {
    on hostA virsh dumpxml --inactive --security-info r | python3 -c '
import sys, xml.etree.ElementTree as tree
root = tree.parse(sys.stdin).getroot()
for disk in root.findall("devices/disk"):
    disk.attrib.pop("type")
    disk.find("driver").attrib.pop("type")
    for part in disk.findall("source") + disk.findall("backingStore"):
        disk.remove(part)
# Where libvirt had a mark, an empty element is left.
for part in root.findall("metadata"):
    if len(part) == 0:
        root.remove(part)
print(tree.tostring(root, "unicode"))'
}

it "of a guest that is shut off a disk goes to an NFS export, with the same bytes, and it starts there"
shut_off local:raw --fill 24
sum=$(on hostA sha256sum "$IMAGES/r-vda.img" | cut -d' ' -f1)
before=$(definition)
prints "nfs://$SERVER/export/r-vda.raw" relocate r --disk vda --to "$NFS" --dry-run
is_empty on_nfs
prints "is at nfs://$SERVER/export/r-vda.raw; the old image" relocate r --disk vda --to "$NFS" --verify full
diff <(echo "$before") <(definition)
[ "$(lab nfs run sha256sum one/r-vda.raw | cut -d' ' -f1)" = "$sum" ]
[ "$(on hostA sha256sum "$IMAGES/r-vda.img" | cut -d' ' -f1)" = "$sum" ]
nothing_left
starts_at vda '/export/r-vda.raw raw'

deep "of a guest that is shut off a disk goes to a Ceph pool, as raw"
shut_off local:qcow2,rbd --fill 24
prints '"outcome": "relocated"' relocate r --json --disk vda --to rbd:ferry/r-off
starts_at vda 'ferry/r-off raw'

deep "of a guest that is shut off two disks go to a folder, each as it is, and the old images go where that is wanted"
shut_off local:qcow2,local:raw --fill 16
prints 'is removed' relocate r --disk all --to /srv/other --delete-source
is_empty on hostA ls "$IMAGES"
starts_at vda '/srv/other/r-vda.qcow2 qcow2' vdb '/srv/other/r-vdb.raw raw'

deep "of a guest that is shut off what rests on a base is copied flat where that is said, and refused else"
shut_off local:qcow2:base --fill 16
exits 3 prints 'format raw' relocate r --disk vda --to /srv/other
finds relocate-not-running --disk vda --to /srv/other
is_empty on hostA ls /srv/other
relocate r --disk vda --to /srv/other --format raw
starts_at vda '/srv/other/r-vda.raw raw'

deep "of a guest that is shut off a disk goes onto a block device, where that is named twice"
shut_off local:raw --fill 16
on hostA sh -c 'truncate -s 64M /run/device && losetup -f --show /run/device >/run/device.name'
finally on hostA sh -c 'virsh -q destroy r; losetup -d "$(cat /run/device.name)"; rm /run/device /run/device.name'
device=$(on hostA cat /run/device.name)
exits 3 prints 'would overwrite' relocate r --disk vda --to "$device"
relocate r --disk vda --to "$device" --overwrite vda --verify full
on hostA cmp "$IMAGES/r-vda.img" "$device"
is "$device raw" disk_at r vda --inactive
relocate r --disk vda --to /srv/other
starts_at vda '/srv/other/r-vda.raw raw'

it "of a guest that is shut off disks on a server or in Ceph come back, go from one to the other, and become qcow2"
shut_off nfs:raw,rbd --fill 16
relocate r --disk vda --to rbd:ferry/r-off --delete-source
relocate r --disk vdb --to "$NFS" --format qcow2
is 'ferry/r-off raw' disk_at r vda --inactive
is '/export/r-vdb.qcow2 qcow2' disk_at r vdb --inactive
relocate r --disk all --to /srv/other --verify full
starts_at vda '/srv/other/r-vda.raw raw' vdb '/srv/other/r-vdb.qcow2 qcow2'

it "the old images of a guest that is shut off are locked until its definition leads to the new ones"
grep -qs VIRT_FERRY_FAULT "$VIRT_FERRY_BUILD/virt-ferry" || skip "this build has no fault points"
shut_off local:raw
VIRT_FERRY_FAULT=stop:journal-definition:1 ferry hostA relocate r --disk vda --to /srv/other >"$WORK/said" 2>&1 &
first=$!
stopped_on_a() { on_machine pgrep hostA -r T -x virt-ferry; }
await 20 stopped_on_a
exits 1 prints 'Failed to get "write" lock' on hostA virsh -q start r
signal_on_a CONT
wait "$first"
starts_at vda '/srv/other/r-vda.raw raw'

deep "of a guest that is shut off what only its QEMU could do is refused, and what to do is said"
shut_off local:raw
finds relocate-format --disk vda --to rbd:ferry --format qcow2
finds relocate-not-running --disk vda --to /srv/other --bandwidth 1MiB/s
exits 3 prints 'Leave --bandwidth' relocate r --disk vda --to /srv/other --bandwidth 1MiB/s
is_off_at vda "$IMAGES/r-vda.img raw"
on hostA virsh -q start r
exits 2 prints 'not in use' relocate r --disk vda --to /srv/other --verify full
is_empty on hostA ls /srv/other

it "a guest whose disk is being copied does not start, and a definition that is changed meanwhile is not written"
shut_off local:raw --disk-size 512M --fill 256
lab link hostA rate 400mbit
finally lab link hostA rate none
meddle() {
    sleep 1
    exits 1 prints 'Failed to get "write" lock' on hostA virsh -q start r || touch "$WORK/started"
    on hostA virsh -q desc r --config changed
}
during prepare meddle
exits 1 prints 'definition was changed meanwhile' relocate r --disk vda --to "$NFS"
lab link hostA rate none
[ ! -e "$WORK/started" ]
is_empty on_nfs
is_off_at vda "$IMAGES/r-vda.img raw"
is changed on hostA virsh desc r
starts_at vda "$IMAGES/r-vda.img raw"

deep "killed at each step of the disks of a guest that is shut off, both are in one place and no image is left"
grep -qs VIRT_FERRY_FAULT "$VIRT_FERRY_BUILD/virt-ferry" || skip "this build has no fault points"
shut_off local:qcow2,local:raw
settled() { # N
    if [ $(($1 % 2)) = 0 ]; then
        ferry hostA recover r
    else
        exits 2 relocate r --disk sdz --to /srv/other
    fi
}
killed_off_at_each_step hostA

it "a guest that is shut off on another machine goes through its QEMU, which is started paused and ended"
shut_off local:qcow2 --fill 24
definition >"$WORK/before"
prints relocate-starts-paused far --disk vda --to "$NFS" --dry-run
exits 2 prints 'where its QEMU copies' far --disk vda --to "$NFS" --verify full
is_off_at vda "$IMAGES/r-vda.qcow2 qcow2"
is_empty on_nfs
prints 'the guest itself does not run' far --disk vda --to "$NFS"
is_off_at vda '/export/r-vda.qcow2 qcow2'
definition | diff "$WORK/before" -
starts_at vda '/export/r-vda.qcow2 qcow2'

deep "who resumes it meanwhile has the guest, in its new image"
shut_off local:raw --disk-size 256M --fill 128
lab link hostA rate 200mbit
finally lab link hostA rate none
meddle() { sleep 1; on hostA virsh -q resume r; }
during prepare meddle
prints 'left as it is' far --disk vda --to "$NFS" --format raw
lab link hostA rate none
is_at r vda '/export/r-vda.raw raw'

deep "who resumes it and pauses it again has it too, also when the run died"
shut_off local:raw --fill 24
far --disk vda --to "$NFS" --bandwidth 2MiB/s >"$WORK/said" 2>&1 &
first=$!
await 20 sh -c "'$REPO/tests/lab/lab' on hostA virsh domblklist r --details | grep -q vda && '$REPO/tests/lab/lab' on hostA virsh domstate r | grep -q paused"
on hostA virsh -q resume r
await 60 sh -c "'$REPO/tests/lab/lab' on hostA virsh domblkstat r | grep -q 'wr_req [1-9]'"
on hostA virsh -q suspend r
signal_far KILL
exits 137 wait "$first"
ferry client -c qemu+tcp://hostA/system recover r
is paused on hostA virsh domstate r
on hostA virsh -q resume r
is_at r vda "$IMAGES/r-vda.img raw"
is_empty on_nfs

deep "a QEMU that ends as soon as it was started leaves the disk where it was, and nothing is copied from here"
shut_off local:raw --fill 24
(while on hostA sh -c 'virsh -q domstate r | grep -q "shut off"'; do :; done; on hostA virsh -q destroy r) >/dev/null 2>&1 &
first=$!
code=0
far --disk vda --to "$NFS" || code=$?
wait "$first" || true
[ "$code" = 1 ] || [ "$code" = 3 ] || complain "exit code $code"
is_off_at vda "$IMAGES/r-vda.img raw"
is_empty on_nfs
starts_at vda "$IMAGES/r-vda.img raw"

it "who starts it first keeps it; and when it is cancelled, the QEMU that was started for it goes"
grep -qs VIRT_FERRY_FAULT "$VIRT_FERRY_BUILD/virt-ferry" || skip "this build has no fault points"
shut_off local:raw --fill 24
stopped_far() { on_machine pgrep client -r T -x virt-ferry; }
VIRT_FERRY_FAULT=stop:journal-start-paused:1 far --disk vda --to "$NFS" >"$WORK/said" 2>&1 &
first=$!
await 20 stopped_far
on hostA virsh -q start r
signal_far CONT
exits 10 wait "$first"
grep -q 'no longer shut off' "$WORK/said" || complain "$(<"$WORK/said")"
is_at r vda "$IMAGES/r-vda.img raw"
is_empty on_nfs
on hostA virsh -q destroy r
stop_it() { sleep 0.5; signal_far INT; }
during prepare stop_it
exits 5 prints 'all disks are where they were' far --disk vda --to "$NFS" --bandwidth 2MiB/s
is_off_at vda "$IMAGES/r-vda.img raw"
is_empty on_nfs

deep "killed while libvirt starts that QEMU, it goes all the same"
shut_off local:qcow2 --fill 16
far --disk vda --to "$NFS" >"$WORK/said" 2>&1 &
first=$!
on hostA timeout 20 sh -c 'while virsh -q domstate r | grep -q "shut off"; do :; done'
signal_far KILL
exits 137 wait "$first"
ferry client -c qemu+tcp://hostA/system recover r
is_off_at vda "$IMAGES/r-vda.qcow2 qcow2"
is_empty on_nfs

deep "it goes to a Ceph pool too, and from there into a pool of libvirt"
shut_off local:qcow2 --fill 16
ferry client -c qemu+ssh://root@hostA/system relocate r --disk vda --to rbd:ferry
is_off_at vda 'ferry/r-vda raw'
on hostA sh -c "rm $IMAGES/r-vda.qcow2; virsh -q pool-refresh default"
far --disk vda --to pool:default --format qcow2
is_off_at vda "$IMAGES/r-vda.qcow2 qcow2"
starts_at vda "$IMAGES/r-vda.qcow2 qcow2"

deep "killed at each step of that, both disks are in one place, no image is left, and no QEMU"
grep -qs VIRT_FERRY_FAULT "$VIRT_FERRY_BUILD/virt-ferry" || skip "this build has no fault points"
shut_off local:qcow2,local:raw
settled() { ferry client -c qemu+ssh://root@hostA/system recover r; }
killed_off_at_each_step client -c qemu+ssh://root@hostA/system
