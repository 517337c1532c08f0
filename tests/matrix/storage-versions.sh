#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2317,SC2016  # cases call and read what is defined before them; what is run on hosts is quoted
# lab: --nfs --ceph
# Servers and images that are too old, or too new: an NFS server, or one export of it, without version 3, which QEMU's
# driver speaks; images of Ceph with features that QEMU's librbd does not know, or does not write to. The guests are shut
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
# One that is killed leaves what it had told its portmapper.
nfs_again() {
    lab nfs kill
    lab nfs run sh -c 'for of in "100003 3" "100005 1" "100005 3"; do rpcinfo -d $of || true; done'
    lab nfs start
}
# The features in the image's header: eight bytes, the lowest first, by their octal digits.
header_is() { # IMAGE BYTES
    lab ceph run sh -euc 'printf "$1" >value && rados -p ferry setomapval "rbd_header.$0" features --input-file value && rm value' \
        "$(image_id "$1")" "$2"
}

it "an export without NFS version 3 is said to be one, and so is a server that has none"
rests old nfs:raw
finally lab nfs only4 off
lab nfs only4 on /export
exits 3 prints "NFS server '$SERVER' does not let this machine into '/export', if it is there" ferry hostA plan old hostB --allow-cleartext
lab nfs only4 on
finally nfs_again
nfs_again
exits 3 prints "NFS server '$SERVER' does not offer NFS version 3 over TCP" ferry hostA plan old hostB --allow-cleartext
lab nfs only4 off
nfs_again
starts old
lab rm old

it "an image of Ceph with a feature that this librbd does not know is said to have one, and QEMU starts on it"
rests new rbd
# features: layering, exclusive-lock, object-map, fast-diff, deep-flatten, and bit 40. An OSD that does not know a feature
# lets everybody open the image: that librbd refuses is seen only where the cluster is newer.
header_is new-vda '\075\000\000\000\000\001\000\000'
exits 0 prints "image 'ferry/new-vda' has features that are newer than this virt-ferry" plan_of hostA new hostB
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
