#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck source-path=SCRIPTDIR
# shellcheck disable=SC2317  # cases call what is defined before them
# Disks that rest on a backing file: what is copied of them, and what has to be the same there.
. "$(dirname "$0")/lib.sh"

IMAGES=/var/lib/libvirt/images
MIGRATE='migrate --allow-cleartext'

base_of() { # HOST IMAGE: what its own head names
    on "$1" qemu-img info -U --output=json "$2" | jq -r '."backing-filename" // "nothing"'
}
# What the running QEMU has below the disk, as its libvirt says.
chain_of() { # HOST GUEST
    on "$1" virsh -q domblklist "$2" >/dev/null
    on "$1" virsh dumpxml "$2" | xmllint --xpath 'string(//disk/backingStore/source/@file)' -
}
starts_again() { # HOST GUEST
    on "$1" virsh -q destroy "$2"
    on "$1" virsh -q start "$2"
    await 60 lab verify "$2"
}
image_gone() { # HOST GUEST: what was copied from there would stand in the way back
    on "$1" sh -c "rm -f $IMAGES/$2-vda.*; virsh -q pool-refresh default"
}

left_nothing() { # GUEST
    is hostA lab runners "$1"
    is_empty on hostB sh -c "ls $IMAGES; virsh -q list --all --name | grep ."
}

it "a disk on a base of its own host is copied with it, into one image that rests on nothing"
guest hostA flat --disk local:qcow2:base --write-log
# shellcheck disable=SC2086
exits 0 prints 'copied-flat' prints "$IMAGES/flat-vda-base.qcow2" ferry hostA plan --allow-cleartext flat hostB
# shellcheck disable=SC2086
ferry hostA $MIGRATE flat hostB
lives_on hostB flat
is nothing base_of hostB "$IMAGES/flat-vda.qcow2"
is '' chain_of hostB flat
is_empty on hostB find "$IMAGES" -name '*-base*'
starts_again hostB flat
lab rm flat

it "of a disk on a base that both hosts share only its own image is copied"
guest hostA over --disk local:qcow2:shared-base --write-log
# shellcheck disable=SC2086
ferry hostA $MIGRATE over hostB
lives_on hostB over
is /srv/shared/over-vda-base.qcow2 base_of hostB "$IMAGES/over-vda.qcow2"
is /srv/shared/over-vda-base.qcow2 chain_of hostB over
starts_again hostB over
image_gone hostA over
# And back, whole, since the user says so.
# shellcheck disable=SC2086
ferry hostB $MIGRATE --flatten over hostA
lives_on hostA over
is nothing base_of hostA "$IMAGES/over-vda.qcow2"
lab rm over

it "what a disk rests on goes with it where that is kept, and it rests on that there"
guest hostA kept --disk local:qcow2:base --write-log
sum=$(on hostA sha256sum "$IMAGES/kept-vda-base.qcow2")
exits 0 prints 'chain-kept' lacks 'copied-flat' ferry hostA plan --allow-cleartext --keep-chain kept hostB
# shellcheck disable=SC2086
ferry hostA $MIGRATE --keep-chain kept hostB
lives_on hostB kept
is "$IMAGES/kept-vda-base.qcow2" base_of hostB "$IMAGES/kept-vda.qcow2"
is "$IMAGES/kept-vda-base.qcow2" chain_of hostB kept
is "$sum" on hostB sha256sum "$IMAGES/kept-vda-base.qcow2"
image_gone hostA kept
exits 3 prints 'chain-not-kept' prints "something stands at '$IMAGES/kept-vda-base.qcow2'" \
    ferry hostB plan --allow-cleartext --keep-chain kept hostA
lab rm kept

deep "what is kept below a disk is removed again when the move does not come to pass, and nobody writes it meanwhile"
needs_faults
guest hostA kept --disk local:qcow2:base --write-log
for point in create:1 create:2 image-copy:1 create:3 migrate:1; do
    # shellcheck disable=SC2086
    VIRT_FERRY_FAULT=kill:journal-$point exits 137 ferry hostA $MIGRATE --keep-chain kept hostB
    exits 0 ferry hostA recover kept
    left_nothing kept
done
# shellcheck disable=SC2086
exits 0 prints 'Failed to get' stopped journal-image-copy:1 'exits 1 on hostA virsh -q blockcommit kept vda --active --pivot --wait' \
    hostA $MIGRATE --keep-chain kept hostB
lives_on hostB kept
lab rm kept

deep "what is kept below a disk is read back where no program can be run there, and a file that two disks rest on goes once"
guest hostA kept --disk local:qcow2:base --write-log
on hostA qemu-img create -q -f qcow2 -F qcow2 -b "$IMAGES/kept-vda-base.qcow2" "$IMAGES/kept-vdb.qcow2"
on hostA virsh -q attach-disk kept "$IMAGES/kept-vdb.qcow2" vdb --subdriver qcow2 --targetbus virtio --cache none --live --config
# shellcheck disable=SC2086
ferry hostA $MIGRATE --keep-chain kept qemu+tcp://hostB/system >"$WORK/said" 2>&1
prints 'nothing can be run there' cat "$WORK/said"
lives_on hostB kept
is "$IMAGES/kept-vda-base.qcow2" base_of hostB "$IMAGES/kept-vdb.qcow2"
starts_again hostB kept
lab rm kept

deep "a base that was copied to the other host by hand is compared when that is asked for, and then not copied"
guest hostA twin --disk local:qcow2:base --write-log
on hostA cat "$IMAGES/twin-vda-base.qcow2" | lab on hostB sh -c "cat >$IMAGES/twin-vda-base.qcow2"
finally on hostB rm -f "$IMAGES/twin-vda-base.qcow2"
on hostB virsh -q pool-refresh default
exits 0 prints 'copied-flat' ferry hostA plan --allow-cleartext twin hostB
exits 0 prints 'its content could not' prints 'copied-flat' \
    ferry hostA plan --compare-bases --allow-cleartext twin qemu+tcp://hostB/system
# shellcheck disable=SC2086
ferry hostA $MIGRATE --compare-bases twin hostB
lives_on hostB twin
is "$IMAGES/twin-vda-base.qcow2" base_of hostB "$IMAGES/twin-vda.qcow2"
starts_again hostB twin
image_gone hostA twin
# One byte is enough.
on hostA sh -c "printf x | dd of=$IMAGES/twin-vda-base.qcow2 bs=1 seek=70000 conv=notrunc status=none"
exits 0 prints 'its content differs on the two hosts' ferry hostB plan --compare-bases --allow-cleartext twin hostA
lab rm twin

deep "a shared disk on a base that only the source has is refused, and so is one on another base of that name"
guest hostA loose --disk shared:qcow2:base --write-log
on hostA virsh -q destroy loose
on hostA sh -c "mv /srv/shared/loose-vda-base.qcow2 $IMAGES &&
    qemu-img rebase -u -b $IMAGES/loose-vda-base.qcow2 -F qcow2 /srv/shared/loose-vda.qcow2"
finally on hostB rm -f "$IMAGES/loose-vda-base.qcow2"
# Of one that is off libvirt does not say what its image rests on: its head does, here and from a third machine.
exits 3 prints 'backing-file-not-proved' prints "rests on '$IMAGES/loose-vda-base.qcow2'" \
    ferry hostA check loose hostB --allow-cleartext
exits 3 prints 'backing-file-not-proved' prints "rests on '$IMAGES/loose-vda-base.qcow2'" \
    ferry client -c qemu+ssh://hostA/system check loose hostB --allow-cleartext
on hostA virsh -q start loose
exits 3 prints 'backing-file-not-proved' prints 'does not stand at the destination' \
    ferry hostA check loose hostB --allow-cleartext
on hostB qemu-img create -q -f qcow2 "$IMAGES/loose-vda-base.qcow2" 64M
on hostB virsh -q pool-refresh default
exits 3 prints 'backing-file-not-proved' prints 'is not proved to be the same' \
    ferry hostA check loose hostB --allow-cleartext
# shellcheck disable=SC2086
exits 3 ferry hostA $MIGRATE loose hostB
is hostA lab runners loose
lab rm loose

deep "an image whose data lies in a file apart stays where it is, and one with snapshots in it says what a copy lacks"
guest hostA inner --disk local:qcow2 --write-log
on hostA virsh -q destroy inner
on hostA qemu-img snapshot -c before "$IMAGES/inner-vda.qcow2"
on hostA virsh -q start inner
exits 0 prints 'snapshots-in-image' prints 'holds 1 snapshot of its own' \
    ferry hostA check inner hostB --allow-cleartext
lab rm inner
guest hostA apart --disk local:qcow2 --write-log
on hostA virsh -q destroy apart
on hostA sh -c "cd $IMAGES && mv apart-vda.qcow2 was && qemu-img convert -O qcow2 -o data_file=$IMAGES/apart.data was apart-vda.qcow2 && rm was"
on hostA virsh -q start apart
await 60 lab verify apart
# shellcheck disable=SC2086
ferry hostA $MIGRATE apart hostB
lives_on hostB apart
is_empty on hostB find "$IMAGES" -name '*.data'
lab rm apart
guest hostA apart --disk shared:qcow2
on hostA virsh -q destroy apart
on hostA sh -c "cd /srv/shared && mv apart-vda.qcow2 was && qemu-img convert -O qcow2 -o data_file=$IMAGES/apart.data was \
    apart-vda.qcow2 && rm was"
finally on hostA rm -f "$IMAGES/apart.data"
exits 3 prints 'data-file-not-proved' prints "keeps its data in '$IMAGES/apart.data'" \
    ferry hostA check apart hostB --allow-cleartext
# What rests on no file cannot be looked at.
on hostA qemu-img create -q -f qcow2 -u -b nbd://127.0.0.1/base -F raw /srv/shared/apart-vda.qcow2 64M
exits 3 prints 'base-no-file' prints "rests on 'nbd://127.0.0.1/base', which is no file" \
    ferry hostA check apart hostB --allow-cleartext
on hostA qemu-img create -q -f qcow2 -u -b 'json:{"driver":"raw","file":{"driver":"null-co","size":67108864}}' -F raw \
    /srv/shared/apart-vda.qcow2 64M
exits 3 prints 'base-no-file' prints 'json:' ferry hostA check apart hostB --allow-cleartext
on hostA truncate -s 0 /srv/shared/apart-vda.qcow2
exits 0 prints 'chain-not-known' prints "what image '/srv/shared/apart-vda.qcow2' of disk 'vda' rests on" \
    ferry hostA check apart hostB --allow-cleartext
lab rm apart
