#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2317,SC2016  # cases call and read what is defined before them; what is run on hosts is quoted
# lab: --nfs --ceph
# Servers and images that are too old, or too new: an NFS server, or one export of it, without version 3, which QEMU's
# driver speaks; images of Ceph with features that QEMU's librbd does not open, or does not write to. The guests are shut
# off meanwhile, and start again afterwards.
# shellcheck source-path=SCRIPTDIR source=../integration/lib.sh
. "$(dirname "$(readlink -f "$0")")/../integration/lib.sh"
# shellcheck source=../integration/ceph.sh
. "$HERE/ceph.sh"

SERVER=10.$((100 + LAB_ID)).0.1

rests() { # GUEST KIND
    guest hostA "$1" --disk "$2" --write-log
    await 60 lab verify "$1"
    on hostA virsh -q destroy "$1"
}
starts() { # GUEST
    on hostA virsh -q start "$1"
    await 60 lab verify "$1"
    lives_on hostA "$1"
}
nfs_again() { lab nfs kill; lab nfs start; }
# Eight bytes of the image's header, the lowest first, by their octal digits.
header_is() { # IMAGE KEY BYTES
    lab ceph run sh -euc 'printf "$2" >value && rados -p ferry setomapval "rbd_header.$0" "$1" --input-file value && rm value' \
        "$(image_id "$1")" "$2" "$3"
}

it "an export without NFS version 3 is said to be one, and so is a server that has none"
rests old nfs:raw
finally lab nfs only4 off
lab nfs only4 on /export
exits 3 prints "NFS server '$SERVER'" prints '/export' ferry hostA plan old hostB --allow-cleartext
lab nfs only4 on
finally nfs_again
nfs_again
exits 3 prints "NFS server '$SERVER' does not offer NFS version 3 over TCP" ferry hostA plan old hostB --allow-cleartext
lab nfs only4 off
nfs_again
starts old
lab rm old

it "an image of Ceph with an operation under way that this librbd does not know is refused, and QEMU cannot start on it"
rests new rbd
id=$(image_id new-vda)
features=$(ceph rbd info ferry/new-vda --format json | jq -r '.features | join(" ")')
# features: layering, exclusive-lock, object-map, fast-diff, deep-flatten, and "operations", which are those of bit 40.
header_is new-vda op_features '\000\000\000\000\000\001\000\000'
header_is new-vda features '\075\001\000\000\000\000\000\000'
exits 3 prints "image 'ferry/new-vda' could not be opened to read" plan_of hostA new hostB
exits 1 on hostA virsh -q start new
lab ceph run sh -euc 'rados -p ferry rmomapkey "rbd_header.$0" op_features' "$id"
header_is new-vda features '\075\000\000\000\000\000\000\000'
is "$features" sh -c "$REPO/tests/lab/lab ceph run rbd info ferry/new-vda --format json | jq -r '.features | join(\" \")'"
starts new
lab rm new

it "an image of Ceph that follows another cluster's takes no writes and is refused; one with a journal is not"
rests follower rbd
finally ceph rbd mirror pool disable ferry
ceph rbd mirror pool enable ferry image
ceph rbd mirror image enable ferry/follower-vda snapshot
exits 0 lacks 'ceph-image-feature' plan_of hostA follower hostB
ceph rbd mirror image demote ferry/follower-vda
exits 3 prints "image 'ferry/follower-vda' has the feature 'non-primary'" prints 'rbd mirror image promote' plan_of hostA follower hostB
ceph rbd mirror image promote ferry/follower-vda
ceph rbd mirror image disable ferry/follower-vda
ceph rbd feature enable ferry/follower-vda journaling
exits 0 lacks 'ceph-image-feature' plan_of hostA follower hostB
starts follower
lab rm follower
