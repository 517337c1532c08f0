#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2317,SC2016  # cases call what is defined before them; what is run on hosts is quoted
# Disks that are block devices of the host: copied only onto a device that the user named, that is as large, not
# in use, and a device; and then all of it reads as the source, whatever it held. And disks that name volumes.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$(readlink -f "$0")")/lib.sh"

DEVICE=/var/lib/libvirt/devices/dev-vda
RING=2097152 # bytes at the beginning, to which the guest writes all the time

# The device there holds 0xff all over, for what the guest was not made on.
dev_guest() { guest hostA dev --disk block --fill 16 --write-log; }
spoil() { on "$1" sh -c "head -c 64M /dev/zero | tr '\\0' '\\377' >$DEVICE"; } # HOST
is_spoiled() { on "$1" sh -c "head -c 64M /dev/zero | tr '\\0' '\\377' | cmp - $DEVICE"; }
sum_of() { on "$1" sh -c "tail -c +$((RING + 1)) $DEVICE | sha256sum"; } # HOST
tail_is_zero() { on "$1" cmp -n 16M -i 33554432:0 "$DEVICE" /dev/zero; }  # HOST

# Another device stands at its place on hostB until the case ends.
stands_in() { # SIZE SECTOR-BYTES
    local file=$STATE/machines/hostB/devices/stand-in.img old device
    truncate -s "$1" "$file"
    old=$(on hostB readlink "$DEVICE")
    device=$(losetup --find --show --sector-size "$2" "$file")
    on hostB ln -sfn "$device" "$DEVICE"
    finally rm -f "$file"
    finally losetup --detach "$device"
    finally on hostB ln -sfn "$old" "$DEVICE"
}

odd() { # HOST PATH [DRIVER-ATTRIBUTES]: a domain that needs no guest
    cat >"$WORK/odd.xml" <<END
<domain type='qemu'><name>odd</name><memory unit='MiB'>32</memory>
  <os><type arch='x86_64' machine='q35'>hvm</type></os>
  <devices><emulator>/usr/bin/qemu-system-x86_64</emulator>
    <disk type='block'><driver name='qemu' type='raw' ${3:-}/><source dev='$2'/><target dev='vda' bus='virtio'/></disk>
  </devices></domain>
END
    on "$1" virsh -q define "$WORK/odd.xml"
}
base_of() { # HOST GUEST DEST
    ferry "$1" --json survey "$2" "$3" 2>/dev/null |
        jq -r '.domain.disks[0].chain[0] | "\(.source) \(.sharing)"'
}
capacity_of() { ferry "$1" --json survey "$2" "$3" 2>/dev/null | jq .domain.disks[0].at_source.capacity_bytes; }
# The guest's disk names its image by pool and volume.
names_volume() { # HOST GUEST VOLUME
    on "$1" virsh -q pool-refresh default
    # shellcheck disable=SC2016
    on "$1" sh -c 'virsh -q destroy "$0" && virsh dumpxml --inactive "$0" >/run/new.xml &&
        sed -i "s|<disk type=.file. device=.disk.>|<disk type=\"volume\" device=\"disk\">|
            s|<source file=.*$1.*/>|<source pool=\"default\" volume=\"$1\"/>|" /run/new.xml &&
        virsh -q define /run/new.xml && rm /run/new.xml && virsh -q start "$0"' "$2" "$3"
}
volume_of() { # HOST GUEST DEST
    ferry "$1" --json plan "$2" "$3" --allow-cleartext 2>/dev/null | jq -r '.strategies[0].disks[] | "\(.target)=\(.treatment)"' | tr '\n' ' '
    ferry "$1" --json survey "$2" "$3" 2>/dev/null | jq -r .domain.disks[0].volume_dest_path
}
odd_gone() { on "$1" sh -c 'virsh -q destroy odd 2>/dev/null; virsh -q undefine odd'; }

it "a device that is not named is not overwritten, and the fix is the very option"
dev_guest
is_spoiled hostB
exits 3 prints device-would-be-overwritten prints '--overwrite vda' prints "has no WWN" \
    ferry hostA check dev hostB --allow-cleartext
exits 3 prints "would overwrite '$DEVICE'" ferry hostA migrate dev hostB --allow-cleartext
exits 3 prints overwrite-not-used ferry hostA check dev hostB --allow-cleartext --overwrite vdb
exits 2 prints "'vdb' or 'vdb,vdc'" ferry hostA migrate dev hostB --overwrite /dev/vdb
is_spoiled hostB
lives_on hostA dev

it "a device of another size, or with other blocks, is refused"
dev_guest
stands_in 63M 512
exits 3 prints device-size-differs prints 'fewer than the 67108864' \
    ferry hostA check dev hostB --allow-cleartext --overwrite vda
stands_in 65M 512
exits 3 prints device-size-differs prints 'more than the 67108864' \
    ferry hostA check dev qemu+tcp://hostB/system --allow-cleartext --overwrite vda
stands_in 64M 4096
exits 3 prints device-block-size-differs prints '512 bytes on the source and of 4096' \
    ferry hostA check dev hostB --allow-cleartext --overwrite vda
lives_on hostA dev

it "a device that is mounted, open, or another domain's is refused, and so is the source's own"
dev_guest
on hostB mkfs.ext2 -q "$DEVICE"
on hostB mkdir -p /run/mounted
on hostB mount "$DEVICE" /run/mounted
finally on hostB sh -c 'umount /run/mounted 2>/dev/null; rmdir /run/mounted'
exits 3 prints device-in-use prints "mounted at '/run/mounted'" \
    ferry hostA check dev hostB --allow-cleartext --overwrite vda
on hostB umount /run/mounted
exec 7<"$(on hostB readlink "$DEVICE")"
exits 3 prints device-in-use prints 'a process has it open' \
    ferry hostA check dev hostB --allow-cleartext --overwrite vda
exec 7<&-
odd hostB "$DEVICE"
finally odd_gone hostB
exits 3 prints device-in-use prints "a disk of domain 'odd'" \
    ferry hostA check dev qemu+tcp://hostB/system --allow-cleartext --overwrite vda
exits 3 prints device-not-told-apart ferry hostA check dev hostA --allow-cleartext --overwrite vda
lives_on hostA dev

it "a file in the place of a device is told, on either host, and a device that is nowhere"
on hostA truncate -s 1M /run/odd.img
finally on hostA rm -f /run/odd.img /run/odd.device
odd hostA /run/odd.img
finally odd_gone hostA
exits 3 prints "'/run/odd.img' of disk 'vda' is no block device on the source" \
    ferry hostA check odd hostB --allow-cleartext
on hostA sh -c 'ln -s "$(losetup --find --show /run/odd.img)" /run/odd.device'
finally on hostA sh -c 'losetup --detach "$(readlink /run/odd.device)"'
odd_gone hostA
odd hostA /run/odd.device "cache='writeback'"
on hostA virsh -q start --paused odd
exits 3 prints device-missing prints cache-dropped ferry hostA plan odd hostB --allow-cleartext
on hostB truncate -s 1M /run/odd.device
finally on hostB rm -f /run/odd.device
exits 3 prints device-not-a-device prints 'on the destination' \
    ferry hostA check odd hostB --allow-cleartext --overwrite vda
odd_gone hostA
sed -i "s/type='raw'/type='vmdk'/" "$WORK/odd.xml"
on hostA virsh -q define "$WORK/odd.xml"
exits 3 prints device-format ferry hostA check odd hostB --allow-cleartext

deep "a qcow2 image in a device is copied into the device there, which held something else, by TCP and by ssh"
[ ! -d "$STATE/guests/dev" ] || lab rm dev
guest hostA dev --disk block:qcow2 --fill 16 --write-log
finally lab rm dev
exits 3 prints device-would-be-overwritten ferry hostA check dev hostB --allow-cleartext
for to in qemu+tcp://hostB/system hostA; do
    from=$([ "$to" = hostA ] && echo hostB || echo hostA)
    exits 0 prints device-overwritten lacks device-block ferry "$from" check dev "$to" --allow-cleartext --overwrite vda
    is 67108864 capacity_of "$from" dev "$to"
    ferry "$from" migrate dev "$to" --allow-cleartext --overwrite vda
    lives_on "$([ "$to" = hostA ] && echo hostA || echo hostB)" dev
    on "$([ "$to" = hostA ] && echo hostA || echo hostB)" qemu-img check -q -U -f qcow2 "$DEVICE"
done

deep "of one that rests on a file all that the guest reads is copied, and a device without room for that is refused"
guest hostA dev --disk block:qcow2:shared-base --fill 16 --write-log
finally lab rm dev
exits 0 prints copied-flat lacks device-too-small ferry hostA check dev hostB --allow-cleartext --overwrite vda
stands_in 64M 512
exits 3 prints device-too-small prints 'with what it rests on' \
    ferry hostA check dev hostB --allow-cleartext --overwrite vda
stands_in 72M 4096
ferry hostA migrate dev hostB --allow-cleartext --overwrite vda
lives_on hostB dev
lacks backing-filename on hostB qemu-img info -U --output json "$DEVICE"

deep "the head of one of a domain that is off tells what it rests on"
guest hostA dev --disk block:qcow2:shared-base
finally lab rm dev
on hostA virsh -q destroy dev
is '/srv/shared/dev-vda-base.qcow2 proved' base_of hostA dev hostB

deep "a volume of a pool of files is the file that it is: copied into the pool of that name there, and back"
guest hostA pooled --disk local:raw --fill 16 --write-log
finally lab rm pooled
names_volume hostA pooled pooled-vda.img
await 30 lives_on hostA pooled
for to in hostB qemu+tcp://hostA/system; do
    from=$([ "$to" = hostB ] && echo hostA || echo hostB) there=$([ "$to" = hostB ] && echo hostB || echo hostA)
    on "$there" sh -c 'rm -f /var/lib/libvirt/images/pooled-*; virsh -q pool-refresh default'
    is 'vda=copy /var/lib/libvirt/images/pooled-vda.img' volume_of "$from" pooled "$to"
    ferry "$from" migrate pooled "$to" --allow-cleartext
    lives_on "$there" pooled
    is "default pooled-vda.img" sh -c "$REPO/tests/lab/lab on $there virsh dumpxml pooled |
        xmllint --xpath 'concat(//disk/source/@pool, \" \", //disk/source/@volume)' -"
done

deep "a pool of another kind there is no place for it, nor one that has such a volume"
guest hostA pooled --disk local:raw
finally lab rm pooled
names_volume hostA pooled pooled-vda.img
on hostB truncate -s 64M /var/lib/libvirt/images/pooled-vda.img
finally on hostB sh -c 'rm -f /var/lib/libvirt/images/pooled-*; virsh -q pool-refresh default'
on hostB virsh -q pool-refresh default
exits 3 prints "an image stands at '/var/lib/libvirt/images/pooled-vda.img'" \
    ferry hostA migrate pooled hostB --allow-cleartext
on hostB virsh -q pool-define-as lvm logical --source-name none --target /dev/none
finally on hostB virsh -q pool-undefine lvm
exits 3 prints pool-of-another-kind prints "pool 'lvm' on the destination, of type 'logical', keeps devices" \
    ferry hostA check pooled hostB --allow-cleartext --map-storage pool:default=pool:lvm
exits 3 prints pool-missing ferry hostA check pooled hostB --allow-cleartext --map-storage pool:default=pool:none
is hostA lab runners pooled

deep "a copy that is stopped half-way leaves the guest where it was, and says what is gone"
dev_guest
during copy on hostA virsh -q domjobabort dev
exits 1 prints "what '$DEVICE' on 'hostB' held is gone, in part or in whole: disk 'vda'" \
    ferry hostA migrate dev hostB --allow-cleartext --overwrite vda --bandwidth 5MiB/s
lives_on hostA dev
on hostB test -b "$DEVICE"

it "a device is copied by TCP, all of it reads as the source, and what it held is gone"
dev_guest
spoil hostB
exits 0 prints device-use-not-known prints device-block-size-not-known prints device-overwritten \
    ferry hostA check dev qemu+tcp://hostB/system --allow-cleartext --overwrite vda
# A saved plan has it in it, and takes no more.
ferry hostA plan dev qemu+tcp://hostB/system --allow-cleartext --overwrite vda -o "$WORK/saved.json"
exits 2 prints 'takes no more' ferry hostA migrate --plan "$WORK/saved.json" --overwrite vda
is 'copy' sh -c "jq -r '.rests_on[\"disk '\\''vda'\\'': treatment\"]' '$WORK/saved.json'"
ferry hostA migrate --plan "$WORK/saved.json"
lives_on hostB dev
is "$(sum_of hostA)" sum_of hostB
tail_is_zero hostB

deep "a device is copied onto one of another name, where a map says so"
dev_guest
lives_on hostA dev
stood=$(on hostB readlink "$DEVICE")
on hostB mv "$DEVICE" "$DEVICE-there"
finally on hostB sh -c "[ ! -L $DEVICE-there ] || mv -f $DEVICE-there $DEVICE"
exits 3 prints device-missing ferry hostA check dev hostB --allow-cleartext --overwrite vda
exits 3 prints "would overwrite '$DEVICE-there'" \
    ferry hostA migrate dev hostB --allow-cleartext --map-storage "$DEVICE=$DEVICE-there"
exits 0 prints storage-mapped ferry hostA check dev hostB --allow-cleartext --overwrite vda \
    --map-storage "$DEVICE=$DEVICE-there"
ferry hostA migrate dev hostB --allow-cleartext --overwrite vda --map-storage "$DEVICE=$DEVICE-there"
is "$stood" on hostB readlink "$DEVICE-there"
is "$DEVICE-there" sh -c "$REPO/tests/lab/lab on hostB virsh dumpxml --inactive dev | xmllint --xpath 'string(//disk/source/@dev)' -"
is "$DEVICE-there" sh -c "$REPO/tests/lab/lab on hostB virsh dumpxml dev | xmllint --xpath 'string(//disk/source/@dev)' -"
# The lab looks at the disk where it made it.
on hostB ln -s "$stood" "$DEVICE"
lives_on hostB dev
on hostB rm "$DEVICE-there"
lab rm dev
