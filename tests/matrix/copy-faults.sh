#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2317,SC2016  # cases call what is defined before them; what is run on hosts is quoted
# lab: --nfs --ceph
# What can go wrong while an image is copied, on real storages: a place that cannot be read, power that is cut after
# "done", servers that go away for a while and for good, room that ends in the middle, images that change, and shapes
# that are odd. Whatever happens nothing is called done that is not there.
# shellcheck source-path=SCRIPTDIR source=../integration/lib.sh
. "$(dirname "$(readlink -f "$0")")/../integration/lib.sh"
# shellcheck source=../integration/images.sh
. "$HERE/images.sh"

SERVER=10.$((100 + LAB_ID)).0.1
NFS=nfs://$SERVER/export
IMAGES=/var/lib/libvirt/images
HALF=$IMAGES/half.raw
# Where nbdkit and what it serves are.
FLAWED=/var/lib/libvirt/flawed
FERRY_SECONDS=170

# LENGTH bytes, every other 2 MiB random, and the last byte.
image_of() { # PATH LENGTH
    finally on hostA rm -f "$1"
    on hostA python3 -c '
import os, sys
path, length = sys.argv[1], int(sys.argv[2])
with open(path, "xb") as f:
    for at in range(0, length, 4 << 20):
        f.seek(at)
        f.write(os.urandom(min(2 << 20, length - at)))
    f.truncate(length)
    f.seek(length - 1)
    f.write(b"x")
' "$1" "$2"
}
slow() { # RATE
    lab link hostA rate "$1"
    finally lab link hostA rate none
}

# FILE of which the 4 KiB from OFFSET on cannot be read, at $FLAWED/seen/image.
serve_worn() { # FILE OFFSET
    serve eval get_size="stat -c %s $1" thread_model='echo parallel' pread="
        [ \$(( \$4 + \$3 )) -le $2 ] || [ \$4 -ge $(($2 + 4096)) ] || { echo EIO worn out >&2; exit 1; }
        dd if=$1 iflag=skip_bytes,count_bytes skip=\$4 count=\$3 status=none"
}

# A file whose bytes nbdkit serves, below $FLAWED/seen: each word of nbdkit's eval plugin is a script.
serve() { # EVAL-WORD…
    finally serve_end
    on hostA mkdir -p "$FLAWED/seen"
    on hostA nbdkit -U "$FLAWED/socket" -P "$FLAWED/nbdkit.pid" "$@"
    on hostA setsid nbdfuse -P "$FLAWED/nbdfuse.pid" "$FLAWED/seen/image" --unix "$FLAWED/socket" </dev/null >/dev/null 2>&1 &
    await 10 on hostA test -s "$FLAWED/nbdfuse.pid"
}
serve_end() {
    on hostA sh -c 'umount -l "$0/seen"; for f in nbdfuse nbdkit; do kill -9 "$(cat "$0/$f.pid")" || true; done; rm -rf "$0"' \
        "$FLAWED" >/dev/null 2>&1 || true
}

it "a source that cannot be read at one place is told by its offset, and nothing of it is left"
image_of "$HALF" $((16 << 20))
# The 4 KiB at 4 MiB + 8 KiB, which are not zero.
serve_worn "$HALF" $(((4 << 20) + 8192))
exits 1 prints 'at offset 4202496 (4096 bytes)' prints 'Input/output error' \
    copy "$FLAWED/seen/image" --to "$IMAGES/worn.raw"
exits 1 prints 'at offset 4202496' copy "$FLAWED/seen/image" --to "$NFS/worn.raw"
is_empty on hostA find "$IMAGES" -name 'worn*'
is_empty lab nfs run find one -name 'worn*'

it "and so is one in the file of a qcow2 source, by its offset in the image"
image_of "$HALF" $((16 << 20))
finally on hostA rm -f "$HALF.qcow2"
on hostA qemu-img convert -f raw -O qcow2 "$HALF" "$HALF.qcow2"
serve_worn "$HALF.qcow2" "$(on hostA qemu-img map --output=json "$HALF.qcow2" |
    jq '.[] | select(.start <= 4202496 and .start + .length > 4202496) | .offset + 4202496 - .start')"
exits 1 prints 'at offset 4202496 (4096 bytes)' prints 'Input/output error' \
    copy "$FLAWED/seen/image" --image-format qcow2 --format raw --to "$IMAGES/worn.raw"
is_empty on hostA find "$IMAGES" -name 'worn*'

it "a source that fails now and then is copied whole, or not at all"
image_of "$HALF" $((64 << 20))
serve --filter=error file "$HALF" error-pread=EIO error-pread-rate=2%
done=0 failed=0
for i in 1 2 3 4 5 6; do
    code=0
    copy "$FLAWED/seen/image" --to "$IMAGES/lucky.raw" --verify none || code=$?
    if [ "$code" = 0 ]; then
        done=$((done + 1))
        is "$(sum_of "$HALF")" sum_of "$IMAGES/lucky.raw"
        on hostA rm "$IMAGES/lucky.raw"
    else
        failed=$((failed + 1))
        is 1 echo "$code"
        is_empty on hostA find "$IMAGES" -name 'lucky*'
    fi
done
echo "$done were copied, $failed were not"
[ "$failed" -gt 0 ]

it "when power is cut after 'done', all is there"
image_of "$HALF" $((16 << 20))
on hostA mkdir -p "$FLAWED"
on hostA sh -c 'head -c 16M /dev/zero | tr "\0" "\252" >"$0/disk" && cp "$0/disk" "$0/memory"' "$FLAWED"
# What is written is in `memory`, and in `disk` once it was flushed.
serve eval get_size="stat -c %s $FLAWED/disk" thread_model='echo serialize_all_requests' can_write='exit 0' can_flush='exit 0' \
    pread="dd if=$FLAWED/memory iflag=skip_bytes,count_bytes skip=\$4 count=\$3 status=none" \
    pwrite="dd of=$FLAWED/memory conv=notrunc oflag=seek_bytes seek=\$4 status=none" \
    flush="cp $FLAWED/memory $FLAWED/disk"
DEVICE=$(on hostA losetup --find --show "$FLAWED/seen/image")
finally on hostA losetup --detach "$DEVICE"
# Somebody has it open, so that the kernel does not flush it as its last user leaves.
on hostA setsid sh -c 'exec sleep 100 <"$0"' "$DEVICE" >/dev/null 2>&1 &
finally kill $!
exits 0 copy "$HALF" --to "$DEVICE" --overwrite image --verify none
on hostA sh -c 'kill -9 "$(cat "$0/nbdkit.pid")"' "$FLAWED"
on hostA cmp -n $((16 << 20)) "$HALF" "$FLAWED/disk"

it "an NFS server that is silent for a while is waited for"
image_of "$HALF" $((256 << 20))
finally nfs_gone while.raw
slow 200mbit
silent() { sleep 3; lab nfs stop; sleep 20; lab nfs cont; }
silent &
exits 0 copy "$HALF" --to "$NFS/while.raw" --verify full
wait $!
is "$(sum_of "$HALF")" sum_on_nfs one/while.raw

it "an NFS server that is gone for good ends the copy in bounded time, and the copy goes on when it is back"
image_of "$HALF" $((512 << 20))
finally nfs_gone gone.raw
finally lab nfs start
slow 200mbit
gone() { sleep 8; lab nfs kill; }
gone &
SECONDS=0
exits 4 prints 'Run the same command again: it goes on at' copy "$HALF" --to "$NFS/gone.raw"
[ "$SECONDS" -lt 120 ]
wait $!
lab link hostA rate none
lab nfs start
exits 0 prints 'was interrupted; it goes on at' copy "$HALF" --to "$NFS/gone.raw" --verify full
is "$(sum_of "$HALF")" sum_on_nfs one/gone.raw

it "an OSD that is silent for good ends the copy in bounded time, and the copy goes on when it is back"
ceph_user
image_of "$HALF" $((512 << 20))
finally rbd_gone gone
finally lab ceph osd cont
slow 200mbit
osd_gone() { sleep 8; lab ceph osd stop; }
osd_gone &
SECONDS=0
exits 4 copy "$HALF" --to rbd:ferry/gone
[ "$SECONDS" -lt 150 ]
wait $!
lab link hostA rate none
lab ceph osd cont
await 60 lab ceph run rbd info ferry/gone
exits 0 copy "$HALF" --to rbd:ferry/gone --verify full
is "$(sum_of "$HALF")" sum_in_rbd gone

it "an OSD that is silent from the beginning on is told as one, and the copy is made when it is back"
ceph_user
image_of "$HALF" $((16 << 20))
finally rbd_gone mute
finally lab ceph osd cont
lab ceph osd stop
SECONDS=0
exits 4 copy "$HALF" --to rbd:ferry/mute
[ "$SECONDS" -lt 60 ]
lab ceph osd cont
await 60 lab ceph run rbd ls ferry
exits 0 copy "$HALF" --to rbd:ferry/mute --verify full
is "$(sum_of "$HALF")" sum_in_rbd mute

it "an OSD that is silent when what was copied is compared is told as one too, and then nothing is copied twice"
needs_faults
ceph_user
image_of "$HALF" $((16 << 20))
finally rbd_gone seen
finally lab ceph osd cont
# The first mark of so small an image is its last: what is left to do is the comparison.
exits 4 stopped journal-copied:1 'lab ceph osd stop' hostA relocate --image "$HALF" --to rbd:ferry/seen
lab ceph osd cont
await 60 lab ceph run rbd info ferry/seen
exits 0 prints 'it goes on at 16 MiB' copy "$HALF" --to rbd:ferry/seen --verify full
is "$(sum_of "$HALF")" sum_in_rbd seen

it "a folder that fills up in the middle is told, and nothing is left"
image_of "$HALF" $((128 << 20))
truncate -s 400M "$STATE/machines/hostA/small.img"
finally rm -f "$STATE/machines/hostA/small.img"
mkfs.xfs -q "$STATE/machines/hostA/small.img"
on hostA mkdir /var/lib/libvirt/small
finally on hostA rmdir /var/lib/libvirt/small
on hostA mount -o loop "$STATE/machines/hostA/small.img" /var/lib/libvirt/small
finally on hostA umount /var/lib/libvirt/small
on hostA fallocate -l 280M /var/lib/libvirt/small/filler
exits 1 prints 'No space left on device' prints 'at offset' copy "$HALF" --to /var/lib/libvirt/small/full.raw
is filler on hostA ls /var/lib/libvirt/small

it "an image that is changed while it is copied is not called copied"
image_of "$HALF" $((256 << 20))
slow 200mbit
changed() { sleep 3; on hostA sh -c 'printf y | dd of="$0" conv=notrunc bs=1 seek=12345 status=none' "$HALF"; }
changed &
exits 10 prints 'was changed while it was copied' copy "$HALF" --to "$NFS/changed.raw"
wait $!
is_empty lab nfs run find one -name 'changed*'

it "a qcow2 image that was changed since its copy was killed does not go on, and one that was not does"
grep -qs VIRT_FERRY_FAULT "$VIRT_FERRY_BUILD/virt-ferry" || skip "this build has no fault points"
image_of "$HALF" $((256 << 20))
on hostA qemu-img convert -f raw -O qcow2 "$HALF" "$IMAGES/half.qcow2"
finally on hostA rm -f "$IMAGES/half.qcow2"
for change in no yes; do
    # A name of its own each time: what is removed on the server keeps its name there for a while.
    finally nfs_gone "plain-$change.raw"
    slow 200mbit
    VIRT_FERRY_FAULT=kill:journal-copied:2 exits 137 \
        copy "$IMAGES/half.qcow2" --image-format qcow2 --format raw --to "$NFS/plain-$change.raw"
    lab link hostA rate none
    if [ "$change" = yes ]; then
        on hostA qemu-io -f qcow2 -c 'write -P 7 0 4k' "$IMAGES/half.qcow2"
        exits 10 prints 'was changed since its copy was interrupted' \
            copy "$IMAGES/half.qcow2" --image-format qcow2 --format raw --to "$NFS/plain-$change.raw"
        is_empty lab nfs run find one -name 'plain-yes*'
    else
        exits 0 prints 'it goes on at' \
            copy "$IMAGES/half.qcow2" --image-format qcow2 --format raw --to "$NFS/plain-$change.raw" --verify full
        is "$(sum_of "$HALF")" sum_on_nfs one/plain-no.raw
    fi
done

it "8 TiB with 1 MiB of data in them take seconds, to each kind of storage"
ceph_user
finally on hostA rm -f "$IMAGES/vast.raw" "$IMAGES/vast-too.raw" "$IMAGES/vast.qcow2"
finally nfs_gone vast.raw
finally rbd_gone vast
on hostA sh -c 'truncate -s 8T "$0"; head -c 512K /dev/urandom | dd of="$0" conv=notrunc bs=1M oflag=seek_bytes seek=5T status=none
    head -c 512K /dev/urandom | dd of="$0" conv=notrunc bs=64K oflag=seek_bytes seek=$(((8 << 40) - (512 << 10))) status=none' "$IMAGES/vast.raw"
for to in "$IMAGES/vast-too.raw" "$NFS/vast.raw" rbd:ferry/vast; do
    exits 0 within 15 copy "$IMAGES/vast.raw" --to "$to"
done
exits 0 within 15 copy "$IMAGES/vast.raw" --format qcow2 --to "$IMAGES/vast.qcow2"
exits 0 on hostA qemu-img compare -f raw -F qcow2 "$IMAGES/vast.raw" "$IMAGES/vast.qcow2"
is 1 on hostA sh -c 'du -m "$0" | cut -f1' "$IMAGES/vast-too.raw"

it "images of odd lengths and names arrive everywhere"
ceph_user
finally on hostA sh -c 'rm -f "$0"/odd*' "$IMAGES"
for length in 1 511 4097 $(((3 << 20) + 1)) $(((4 << 20) + 65535)); do
    on hostA rm -f "$HALF" "$IMAGES/odd.raw" "$IMAGES/odd.qcow2"
    image_of "$HALF" "$length"
    exits 0 copy "$HALF" --to "$IMAGES/odd.raw" --verify full
    is "$(sum_of "$HALF")" sum_of "$IMAGES/odd.raw"
    exits 0 copy "$HALF" --to "$NFS/odd-$length.raw" --verify full
    finally nfs_gone "odd-$length.raw"
    is "$(sum_of "$HALF")" sum_on_nfs "one/odd-$length.raw"
    exits 0 copy "$HALF" --to rbd:ferry/odd --verify full
    is "$(sum_of "$HALF")" sum_in_rbd odd
    rbd_gone odd
    # QEMU's formats are in sectors: what is left of the last one is zero.
    exits 0 copy "$HALF" --format qcow2 --to "$IMAGES/odd.qcow2" --verify full
    on hostA qemu-img convert -f qcow2 -O raw "$IMAGES/odd.qcow2" "$IMAGES/odd.back"
    on hostA cmp -n "$length" "$HALF" "$IMAGES/odd.back"
    is_empty on hostA sh -c 'tail -c +$(($1 + 1)) "$0" | tr -d "\0"' "$IMAGES/odd.back" "$length"
done
NAME=$'a b\'c"d%41\xc3\xa9.raw'
image_of "$IMAGES/$NAME" $((5 << 20))
finally nfs_gone "$NAME"
exits 0 copy "$IMAGES/$NAME" --to "$NFS/" --verify full
is "$(sum_of "$IMAGES/$NAME")" sum_on_nfs "one/$NAME"
exits 0 copy "$IMAGES/$NAME" --to 'rbd:ferry/a plain one' --verify full
finally rbd_gone 'a plain one'
is "$(sum_of "$IMAGES/$NAME")" sum_in_rbd 'a plain one'

it "QEMU's own zero detection and a disk that ends in a part of a cluster lose nothing when it is relocated"
finally lab rm zeroes
guest hostA zeroes --disk local:raw,local:qcow2 --disk-size 67110400 --write-log
on hostA virsh -q destroy zeroes
on hostA sh -c 'virsh dumpxml --inactive zeroes | sed "s/<driver name=.qemu. type=/<driver detect_zeroes=\"unmap\" discard=\"unmap\" name=\"qemu\" type=/" >/run/z.xml && virsh -q define /run/z.xml && rm /run/z.xml'
on hostA virsh -q start zeroes
await 60 lab verify zeroes
on hostA mkdir /var/lib/libvirt/elsewhere
finally on hostA rm -rf /var/lib/libvirt/elsewhere
exits 0 ferry hostA relocate zeroes --disk all --to /var/lib/libvirt/elsewhere --format qcow2
lives_on hostA zeroes
# QEMU 7.2 copies into no raw file whose length is no multiple of 4 KiB: refused before anything is made.
on hostA mkdir /var/lib/libvirt/elsewhere/raw
exits 3 prints 'no multiple of 4096' prints 'Say --format qcow2' \
    ferry hostA relocate zeroes --disk all --to /var/lib/libvirt/elsewhere/raw --format raw
is_empty on hostA ls /var/lib/libvirt/elsewhere/raw
lives_on hostA zeroes
