#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2317,SC2016  # cases call what is defined before them; what is run on hosts is quoted
# lab: --nfs --ceph
# Images that no domain has open, copied by the engine between real storages: files, devices, NFS and RBD; and what is
# left, and taken up again, when something dies in between.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$(readlink -f "$0")")/lib.sh"
# shellcheck source=images.sh
. "$HERE/images.sh"

SERVER=10.$((100 + LAB_ID)).0.1
IMAGES=/var/lib/libvirt/images
HALF=$IMAGES/half.raw

# MIB of image, every other 2 MiB of it random, and a last byte that ends no sector.
half_image() { # PATH MIB
    finally on hostA rm -f "$1"
    on hostA python3 -c '
import os, sys
path, mib = sys.argv[1], int(sys.argv[2])
with open(path, "xb") as f:
    for at in range(0, mib, 4):
        f.seek(at << 20)
        f.write(os.urandom(2 << 20))
    f.truncate((mib << 20) + 512)
' "$1" "$2"
}
mib_used() { lab nfs run du -m "$1" | cut -f1; }

# Marks are a second apart: slow enough that there are some, whatever the machine.
killed_at_a_mark() { # COMMAND…
    lab link hostA rate 400mbit
    finally lab link hostA rate none
    VIRT_FERRY_FAULT=kill:journal-copied:2 exits 137 "$@"
    lab link hostA rate none
}

deep "drivers pass the conformance run at real places, block I/O too"
needs_all
ceph_user
exits 0 lacks 'not ok' ferry hostA -c qemu:///system plugin check "$VIRT_FERRY_BUILD/plugins/local-block.so" \
    --location "$IMAGES"
exits 0 lacks 'not ok' ferry hostA plugin check "$VIRT_FERRY_BUILD/plugins/nfs.so" --location "nfs://$SERVER/export"
exits 0 lacks 'not ok' ferry hostA -c qemu:///system plugin check "$VIRT_FERRY_BUILD/plugins/ceph.so" \
    --location rbd:ferry

it "a file with any name goes into a folder, stays sparse, and is the same"
NAME=$IMAGES/$'a b\'c"d\xc3\xa9.raw'
half_image "$NAME" 64
on hostA mkdir /var/lib/libvirt/elsewhere
finally on hostA rm -rf /var/lib/libvirt/elsewhere
exits 0 prints '32 MiB were written' copy "$NAME" --to /var/lib/libvirt/elsewhere/ --verify full
is "$(sum_of "$NAME")" sum_of "/var/lib/libvirt/elsewhere/${NAME##*/}"
is 33 on hostA sh -c 'du -m /var/lib/libvirt/elsewhere/* | cut -f1'
ODD=$IMAGES/$'-rf\nline.raw'
half_image "$ODD" 16
exits 1 prints 'has control characters in it' copy "$ODD" --to /var/lib/libvirt/elsewhere/
exits 0 copy "$ODD" --to /var/lib/libvirt/elsewhere/plain.raw --verify full
is "$(sum_of "$ODD")" sum_of /var/lib/libvirt/elsewhere/plain.raw

it "onto an NFS server, zeroes left out"
needs_all
half_image "$HALF" 256
finally nfs_gone half.raw
exits 0 prints "to 'nfs://$SERVER/export/half.raw'" copy "$HALF" --to "nfs://$SERVER/export" --verify full
is "$(sum_of "$HALF")" sum_on_nfs one/half.raw
is 129 mib_used one/half.raw

it "into an RBD pool, zeroes left out"
needs_all
ceph_user
half_image "$HALF" 128
finally rbd_gone half
exits 0 prints "to 'rbd:ferry/half'" copy "$HALF" --to rbd:ferry --verify full
is "$(sum_of "$HALF")" sum_in_rbd half

it "what stands at the place is not touched"
needs_all
ceph_user
half_image "$HALF" 16
finally nfs_gone there.raw
finally rbd_gone there
on hostA sh -c "echo mine >$IMAGES/there.raw"
finally on hostA rm -f "$IMAGES/there.raw"
exits 0 copy "$HALF" --to "nfs://$SERVER/export/there.raw"
exits 0 copy "$HALF" --to rbd:ferry/there
exits 1 prints 'something stands at' copy "$HALF" --to "$IMAGES/there.raw"
exits 1 prints 'something stands at' copy "$HALF" --to "nfs://$SERVER/export/there.raw"
exits 1 prints 'stands in pool' copy "$HALF" --to rbd:ferry/there
is mine on hostA cat "$IMAGES/there.raw"

it "a destination that fills up is told by its offset, and nothing is left"
needs_all
half_image "$HALF" 256
lab nfs run fallocate -l 1900M two/.filler.half
finally lab nfs full off /export2
exits 1 prints 'No space left on device' prints 'at offset' copy "$HALF" --to "nfs://$SERVER/export2/full.raw"
is_empty lab nfs run find two -name 'full*'

it "a copy that was killed goes on where it was"
needs_all
half_image "$HALF" 512
finally nfs_gone on.raw
leaves_traces
killed_at_a_mark copy "$HALF" --to "nfs://$SERVER/export/on.raw"
exits 0 prints 'was interrupted; it goes on at' copy "$HALF" --to "nfs://$SERVER/export/on.raw" --verify full
is "$(sum_of "$HALF")" sum_on_nfs one/on.raw

it "a copy that was killed is undone by recover"
needs_all
half_image "$HALF" 512
finally nfs_gone undone.raw
killed_at_a_mark copy "$HALF" --to "nfs://$SERVER/export/undone.raw"
exits 0 on hostA virt-ferry recover --dry-run
is_nonempty() { [ -n "$("$@")" ]; }
is_nonempty lab nfs run find one -name 'undone*'
exits 0 on hostA virt-ferry recover
is_empty lab nfs run find one -name 'undone*'
exits 0 prints 'No run is open' on hostA virt-ferry recover

it "an image that changed meanwhile does not go on"
needs_all
half_image "$HALF" 512
finally nfs_gone stale.raw
killed_at_a_mark copy "$HALF" --to "nfs://$SERVER/export/stale.raw"
on hostA sh -c "printf x | dd of=$HALF conv=notrunc bs=1 seek=12345 status=none"
exits 10 prints 'was changed since its copy was interrupted' copy "$HALF" --to "nfs://$SERVER/export/stale.raw"
is_empty lab nfs run find one -name 'stale*'

it "Ctrl-C leaves nothing behind"
needs_all
half_image "$HALF" 512
lab link hostA rate 400mbit
finally lab link hostA rate none
during_copying() {
    sleep 2
    on_machine pkill hostA -INT -of 'relocate --image'
}
during_copying &
exits 5 prints 'was cancelled' copy "$HALF" --to "nfs://$SERVER/export/gone.raw"
wait $!
is_empty lab nfs run find one -name 'gone*'

it "one image is copied by one run at a time, wherever to"
needs_faults
half_image "$HALF" 16
finally on hostA rm -f "$IMAGES/one.raw"
exits 0 stopped journal-copying:1 'exits 8 prints "is copying" copy "$HALF" --to "$IMAGES/two.raw"' \
    hostA relocate --image "$HALF" --to "$IMAGES/one.raw"
is "$(sum_of "$HALF")" sum_of "$IMAGES/one.raw"
is_empty on hostA find "$IMAGES" -name 'two*'

deep "an NFS server that dies in the middle and comes back has it all in the end"
needs_all
half_image "$HALF" 512
finally nfs_gone back.raw
lab link hostA rate 400mbit
finally lab link hostA rate none
server_restarts() { sleep 2; lab nfs kill; sleep 1; lab nfs start; }
server_restarts &
exits 0 prints 'lost what was not flushed' copy "$HALF" --to "nfs://$SERVER/export/back.raw" --verify full
wait $!
is "$(sum_of "$HALF")" sum_on_nfs one/back.raw

it "a device is written over only when that is said, and old bytes do not show through"
half_image "$HALF" 32
truncate -s 33M "$STATE/machines/hostA/copy.img"
finally rm -f "$STATE/machines/hostA/copy.img"
head -c 33M /dev/zero | tr '\0' '\377' >"$STATE/machines/hostA/copy.img"
DEVICE=$(losetup --find --show "$STATE/machines/hostA/copy.img")
finally losetup --detach "$DEVICE"
exits 3 prints '--overwrite' copy "$HALF" --to "$DEVICE"
exits 0 copy "$HALF" --to "$DEVICE" --overwrite image --verify full
on hostA cmp -n $(((32 << 20) + 512)) "$HALF" "$DEVICE"
on hostA cmp -n $(((1 << 20) - 512)) -i $(((32 << 20) + 512)):0 "$DEVICE" /dev/zero

it "where the file system can share what two files hold, nothing is copied"
half_image "$HALF" 16
truncate -s 400M "$STATE/machines/hostA/xfs.img"
finally rm -f "$STATE/machines/hostA/xfs.img"
mkfs.xfs -q "$STATE/machines/hostA/xfs.img"
on hostA mkdir /var/lib/libvirt/xfs
finally on hostA rmdir /var/lib/libvirt/xfs
on hostA mount -o loop "$STATE/machines/hostA/xfs.img" /var/lib/libvirt/xfs
finally on hostA umount /var/lib/libvirt/xfs
exits 0 prints '8 MiB were written' copy "$HALF" --to /var/lib/libvirt/xfs/one.raw
exits 0 prints 'Both share' copy /var/lib/libvirt/xfs/one.raw --to /var/lib/libvirt/xfs/two.raw --verify full
is "$(sum_of "$HALF")" sum_of /var/lib/libvirt/xfs/two.raw

deep "an image that a running domain has open is refused, and a domain is while its image is copied"
needs_all
half_image "$HALF" 16
exits 2 prints 'is for disks of a domain' copy "$HALF" --to "$IMAGES/second.raw" --dry-run
guest hostA copied --disk local:raw --disk-size 512M --fill 256
DISK=$(on hostA virsh -q domblklist copied | awk '{print $2}')
exits 1 prints 'is in use' copy "$DISK" --to "$IMAGES/second.raw"
is_empty on hostA find "$IMAGES" -name 'second*'
on hostA virsh -q destroy copied
lab link hostA rate 400mbit
finally lab link hostA rate none
finally nfs_gone second.raw
copy "$DISK" --to "nfs://$SERVER/export/second.raw" &
sleep 2
exits 1 prints 'Failed to get "write" lock' on hostA virsh -q start copied
wait $!
is "$(sum_of "$DISK")" sum_on_nfs one/second.raw
on hostA virsh -q start copied

it "a qcow2 image becomes raw on a server, and raw becomes qcow2 here"
needs_all
ceph_user
half_image "$HALF" 64
on hostA qemu-img convert -f raw -O qcow2 "$HALF" "$IMAGES/half.qcow2"
finally on hostA rm -f "$IMAGES/half.qcow2" "$IMAGES/again.qcow2"
finally rbd_gone converted
exits 0 copy "$IMAGES/half.qcow2" --image-format qcow2 --format raw --to rbd:ferry/converted --verify full
is "$(sum_of "$HALF")" sum_in_rbd converted
exits 0 copy "$HALF" --format qcow2 --to "$IMAGES/again.qcow2" --verify full
on hostA qemu-img compare -f raw -F qcow2 "$HALF" "$IMAGES/again.qcow2"
exits 3 prints 'no images of format' copy "$HALF" --format qcow2 --to rbd:ferry/no
on hostA truncate -s 8M "$IMAGES/half.qcow2"
exits 1 prints 'is damaged or cut short' copy "$IMAGES/half.qcow2" --image-format qcow2 --format raw --to "$IMAGES/no.raw"
is_empty on hostA find "$IMAGES" -name 'no.*'

it "an image of an NFS server or in a Ceph pool goes back to a file, and from one to the other"
needs_all
ceph_user
half_image "$HALF" 32
finally nfs_gone half.raw
finally nfs_gone returned.raw
finally rbd_gone half
finally on hostA rm -f "$IMAGES/back.raw" "$IMAGES/again.raw"
exits 0 copy "$HALF" --to "nfs://$SERVER/export/half.raw"
exits 0 prints "Copied 'nfs://$SERVER/export/half.raw'" \
    copy "nfs://$SERVER/export/half.raw" --to "$IMAGES/back.raw" --verify full
is "$(sum_of "$HALF")" sum_of "$IMAGES/back.raw"
exits 0 copy "nfs://$SERVER/export/half.raw" --to rbd:ferry --verify full
is "$(sum_of "$HALF")" sum_in_rbd half
exits 0 copy rbd:ferry/half --to "$IMAGES/again.raw" --verify full
is "$(sum_of "$HALF")" sum_of "$IMAGES/again.raw"
exits 0 copy rbd:ferry/half --to "nfs://$SERVER/export/returned.raw" --verify full
is "$(sum_of "$HALF")" sum_on_nfs one/returned.raw
exits 1 prints 'could not open' copy "nfs://$SERVER/export/nothing.raw" --to "$IMAGES/no.raw"
exits 2 prints 'names no image' copy rbd:ferry --to "$IMAGES/no.raw"
is_empty on hostA find "$IMAGES" -name 'no.*'

it "qcow2 is made on a server and in a device, and read from there"
needs_all
half_image "$HALF" 32
finally nfs_gone made.qcow2
finally on hostA rm -f "$IMAGES/read.raw"
exits 0 copy "$HALF" --format qcow2 --to "nfs://$SERVER/export/made.qcow2" --verify full
on hostA qemu-img compare -f raw -F qcow2 "$HALF" "nfs://$SERVER/export/made.qcow2"
[ "$(mib_used one/made.qcow2)" -lt 20 ]
exits 0 copy "nfs://$SERVER/export/made.qcow2" --image-format qcow2 --format raw --to "$IMAGES/read.raw" --verify full
is "$(sum_of "$HALF")" sum_of "$IMAGES/read.raw"
truncate -s 33M "$STATE/machines/hostA/copy.img"
finally rm -f "$STATE/machines/hostA/copy.img"
head -c 33M /dev/zero | tr '\0' '\377' >"$STATE/machines/hostA/copy.img"
DEVICE=$(losetup --find --show "$STATE/machines/hostA/copy.img")
finally losetup --detach "$DEVICE"
exits 3 prints '--overwrite' copy "$HALF" --format qcow2 --to "$DEVICE"
exits 0 copy "$HALF" --format qcow2 --to "$DEVICE" --overwrite image --verify full
on hostA qemu-img compare -f raw -F qcow2 "$HALF" "$DEVICE"
