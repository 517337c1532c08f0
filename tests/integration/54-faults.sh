#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck source-path=SCRIPTDIR
# shellcheck disable=SC2317,SC2015  # cases call what is defined before them
# lab: --nfs --ceph
# A small set of tests/faults: those under which virsh lets a guest run twice, each on one kind of disk, and some on a
# mixed domain. What is judged after each stands in tests/faults/README.md. `make faults` deals more.
. "$(dirname "$0")/lib.sh"

needs_it() { needs_faults; needs_all; }
case_of() { # FAULT MOMENT DISK WAY CHANNEL [OPTION…]
    needs_it
    FAULTS_KEEP=$WORK/kept "$REPO/tests/faults/run" --lab "$LAB_ID" --n 1 --seed "${FAULTS_SEED:-1}" --fault "$1" \
        --at "$2" --disk "$3" --way "$4" --channel "$5" "${@:6}"
}

deep "the detector sees a guest that runs twice, and no other"
needs_it
MOVES=2 adopts "$REPO/tests/faults/detector-test"

it "NFS disk, the destination's libvirtd is killed when the guest resumes there"
exits 0 prints '1 well' case_of kill-dest-libvirtd resumed nfs direct tcp

deep "NFS disk, the destination's answers are lost from the first pass on"
exits 0 prints '1 well' case_of dest-replies-lost pass nfs direct ssh

it "NFS disk, the client is killed at the switch-over"
exits 0 prints '1 well' case_of kill-ferry suspended nfs direct tcp

deep "NFS disk, peer to peer, the destination's libvirtd is killed when the guest has stopped"
exits 0 prints '1 well' case_of kill-dest-libvirtd suspended nfs p2p tcp

deep "RBD disk, from a third machine that the destination's answers do not reach"
exits 0 prints '1 well' case_of dest-to-client-lost suspended rbd third tcp

it "copied disk, the destination's answers are lost"
exits 0 prints '1 well' case_of dest-replies-lost pass copied direct tcp

deep "file under QEMU's lock, the destination's libvirtd is killed"
exits 0 prints '1 well' case_of kill-dest-libvirtd resumed shared direct ssh

it "file under QEMU's lock, the client is killed, and so is the run that settles it"
exits 0 prints '1 well' case_of kill-ferry-and-recovery journal shared direct tcp --step 9

deep "file under QEMU's lock, peer to peer and behind that lock, the destination's libvirtd is killed when the guest runs there"
exits 0 prints '1 well' case_of kill-dest-libvirtd resumed shared locked tcp

it "the middle of the journal is damaged: nothing is done on it"
exits 0 prints '1 well' case_of journal-damaged suspended shared direct tcp

it "mixed domain, the destination's libvirtd is killed before libvirt's last word is passed on"
exits 0 prints '1 well' case_of kill-dest-libvirtd confirm mixed direct tcp

deep "mixed domain, the destination's host loses its power while disks are copied"
exits 0 prints '1 well' case_of dest-dies copy mixed direct tcp
