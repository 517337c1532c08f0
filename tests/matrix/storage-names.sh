#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2317,SC2034,SC2016  # cases call and read what is defined before them
# lab: --nfs --ceph
# Places that are not what they seem: an image that comes while its creation is under way, and the disk's own image
# under another name. Nothing is overwritten, copied onto itself or removed, and the guest runs on. And images of
# Ceph that are made as the settings say. tests/integration/86-failures.sh has the first for a file.
# shellcheck source-path=SCRIPTDIR source=../integration/lib.sh
. "$(dirname "$(readlink -f "$0")")/../integration/lib.sh"
# shellcheck source=../integration/ceph.sh
. "$HERE/ceph.sh"

# The one with fault points, which make matrix builds too.
grep -qs VIRT_FERRY_FAULT "$VIRT_FERRY_BUILD/virt-ferry" || VIRT_FERRY_BUILD=${BUILD:-$REPO/build}/debug

SERVER=10.$((100 + LAB_ID)).0.1
NFS=nfs://$SERVER/export
IMAGES=/var/lib/libvirt/images

relocate() { ferry hostA relocate "$@"; }
treatment() { ferry "$1" --json plan "${@:2}" --allow-cleartext 2>/dev/null | jq -r '.strategies[0].disks[0].treatment'; }
source_of() { on "$1" virsh dumpxml "${@:2}" | sed -n "s/.*<source .*\(file\|name\)='\([^']*\)'.*/\2/p" | head -n 1; }
# The file that a name leads to on a host.
file_at() { on "$1" stat -L -c %d:%i "$2"; }
info_of() { # IMAGE
    ceph rbd info "ferry/$1" --format json | jq -r '"\(.size) \(.object_size) \(.data_pool) \(.features | sort | join(" "))"'
}
owned() { on_nfs_server stat -c %i "$1"; }
on_nfs_server() { lab nfs run "$@"; }
nobody_watches() { [ "$(watchers "$1")" = 0 ]; }
folder() { # HOST PATH
    on "$1" mkdir -p "$2"
    finally on "$1" rm -rf "$2"
}
bound() { # HOST WHAT PATH
    on "$1" mount --bind "$2" "$3"
    finally on "$1" umount "$3"
}

it "an image that came to an NFS server when its creation was journalled stays as it is"
guest hostA r --disk local:raw --fill 16 --write-log
finally on_nfs_server sh -c 'rm -f one/r-new.img'
exits 1 prints "something stands at '/export/r-new.img' on NFS server '$SERVER' already" \
    stopped journal-create:1 "on_nfs_server sh -c 'echo precious >one/r-new.img'" \
    hostA relocate r --disk vda --to "$NFS/r-new.img"
is precious on_nfs_server cat one/r-new.img
is "$IMAGES/r-vda.img" source_of hostA r
lives_on hostA r

it "an image that came to a Ceph pool under the name of a new one stays as it is, and the new one goes"
guest hostA r --disk local:raw --fill 16 --write-log
finally lab ceph run rbd rm --no-progress ferry/r-new
# The second record is that of its name.
exits 1 prints "an image 'r-new' stands in pool 'ferry' already" \
    stopped journal-create:2 'lab ceph run rbd create --size 3M ferry/r-new' \
    hostA relocate r --disk vda --to rbd:ferry/r-new
is 'r-new 3145728' sh -c "$REPO/tests/lab/lab ceph run rbd ls -l ferry --format json | jq -r '.[] | \"\(.image) \(.size)\"'"
is "$IMAGES/r-vda.img" source_of hostA r
lives_on hostA r

it "a relocation onto the image's own file is refused, by whatever name: bound, linked, exported twice"
guest hostA own --disk shared:raw,nfs:raw --write-log
before=$(file_at hostA /srv/shared/own-vda.img)
folder hostA /srv/bound
bound hostA /srv/shared /srv/bound
on hostA ln -sfn /srv/shared /srv/linked
finally on hostA rm -f /srv/linked
folder hostA /srv/other
on hostA ln -s /srv/shared/own-vda.img /srv/other/linked.img
on hostA sh -c ': >/srv/other/bound.img'
bound hostA /srv/shared/own-vda.img /srv/other/bound.img
for name in /srv/bound/own-vda.img /srv/linked/own-vda.img /srv/other/linked.img /srv/other/bound.img; do
    exits 3 prints "something stands at '$name' already" relocate own --disk vda --to "$name" --delete-source
done
exits 3 prints "disk 'vdb' is at 'nfs://$SERVER/alias/own-vdb.img' already" \
    relocate own --disk vdb --to "nfs://$SERVER/alias/own-vdb.img" --delete-source
is "$before" file_at hostA /srv/shared/own-vda.img
lives_on hostA own

it "a move to another name of the image's own file leaves it where it is: bound and linked folders, a second export"
guest hostA own --disk shared:raw --write-log
before=$(file_at hostA /srv/shared/own-vda.img)
folder hostB /srv/bound
bound hostB /srv/shared /srv/bound
on hostB ln -sfn /srv/shared /srv/linked
finally on hostB rm -f /srv/linked
for name in /srv/bound /srv/linked; do
    is shared treatment hostA own hostB --map-storage "/srv/shared=$name"
done
ferry hostA migrate own hostB --allow-cleartext --map-storage /srv/shared=/srv/linked
lives_on hostB own
is /srv/linked/own-vda.img source_of hostB own
ferry hostB migrate own hostA --allow-cleartext --map-storage /srv/linked=/srv/shared
lives_on hostA own
is "$before" file_at hostA /srv/shared/own-vda.img
guest hostA twice --disk nfs:raw --write-log
before=$(owned one/twice-vda.img)
is shared treatment hostA twice hostB --map-storage "$NFS=nfs://$SERVER/alias"
ferry hostA migrate twice hostB --allow-cleartext --map-storage "$NFS=nfs://$SERVER/alias"
lives_on hostB twice
is /alias/twice-vda.img source_of hostB twice
is "$before" owned one/twice-vda.img

it "a move onto a name of the image's own file in a folder of the destination is refused, listed there or not"
guest hostA own --disk shared:raw --write-log
before=$(file_at hostA /srv/shared/own-vda.img)
finally on hostB virsh -q pool-refresh default
on hostB ln -s /srv/shared/own-vda.img "$IMAGES/linked.img"
finally on hostB rm -f "$IMAGES/linked.img"
on hostB sh -c ": >$IMAGES/bound.img"
finally on hostB rm -f "$IMAGES/bound.img"
bound hostB /srv/shared/own-vda.img "$IMAGES/bound.img"
for name in linked bound; do
    # What the pool has not seen yet is found by its creation.
    exits 1 prints "$name.img" prints already ferry hostA migrate own hostB --allow-cleartext \
        --map-storage "/srv/shared/own-vda.img=$IMAGES/$name.img"
    is "$before" file_at hostB "$IMAGES/$name.img"
    lives_on hostA own
done
on hostB virsh -q pool-refresh default
for name in linked bound; do
    exits 3 prints "an image stands at '$IMAGES/$name.img' on the destination already" \
        ferry hostA migrate own hostB --allow-cleartext --map-storage "/srv/shared/own-vda.img=$IMAGES/$name.img"
done
is "$before" file_at hostA /srv/shared/own-vda.img
lives_on hostA own

it "a copy to an NFS server that is full is refused before anything is made there"
guest hostA r --disk local:raw --fill 16 --write-log
lab nfs full on /export2
finally lab nfs full off /export2
exits 3 prints 'there is room for' prints 'with those before it needs' relocate r --disk vda --to "nfs://$SERVER/export2"
is_empty on_nfs_server find two -name 'r-*'
lives_on hostA r

it "a new image of Ceph has the features, the object size and the data pool of the settings"
guest hostA made --disk local:raw --fill 16 --write-log
ceph ceph osd pool create wide 8 >/dev/null
ceph ceph osd pool application enable wide rbd
finally ceph ceph osd pool delete wide wide --yes-i-really-really-mean-it
ceph ceph config set mon mon_allow_pool_delete true
ceph ceph auth caps client.libvirt mon 'profile rbd' osd 'profile rbd pool=ferry, profile rbd pool=wide'
finally ceph ceph auth caps client.libvirt mon 'profile rbd' osd 'profile rbd pool=ferry'
printf '%s\n' 'features = layering, exclusive-lock' 'object_size = 1MiB' 'data_pool = wide' | settings hostA
finally no_settings hostA
finally lab rm made
relocate made --disk vda --to rbd:ferry
is '67108864 1048576 wide data-pool exclusive-lock layering' info_of made-vda
lives_on hostA made
# Its user must be able to write there too.
ceph ceph auth caps client.libvirt mon 'profile rbd' osd 'profile rbd pool=ferry'
exits 3 prints 'may not write to the data pool of the image in pool' plan_of hostA made hostB
ceph ceph auth caps client.libvirt mon 'profile rbd' osd 'profile rbd pool=ferry, profile rbd pool=wide'
ferry hostA migrate made hostB --allow-cleartext
lives_on hostB made

it "what would keep a lost writer from being shut out is said"
rbd_guest hostA vault
exits 0 lacks ceph-no-blocklist plan_of hostA vault hostB
ceph ceph config set client rbd_blocklist_on_break_lock false
finally ceph ceph config rm client rbd_blocklist_on_break_lock
exits 0 prints 'rbd_blocklist_on_break_lock is off' plan_of hostA vault hostB
lives_on hostA vault

it "an image that a run had made in a Ceph pool is left as long as somebody has it open, and goes then"
guest hostA r --disk local:raw --fill 16 --write-log
VIRT_FERRY_FAULT=kill:journal-create:2 exits 137 relocate r --disk vda --to rbd:ferry/r-held
made=$(ceph rbd ls ferry | grep '^\.virt-ferry-')
watch_begin "ferry/$made" 1
code=0
prints 'is open and was left' ferry hostA recover || code=$?
[ "$code" != 99 ]
is "$made" sh -c "$REPO/tests/lab/lab ceph run rbd ls ferry | grep '^\.virt-ferry-'"
watch_end
await 60 nobody_watches "ferry/$made"
ferry hostA recover
is_empty sh -c "$REPO/tests/lab/lab ceph run rbd ls ferry | grep '^\.virt-ferry-'"
lives_on hostA r
