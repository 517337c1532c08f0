#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2317  # cases call what is defined before them
# Sharing is proved or it is not there; an image that stands at the destination is never overwritten.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$(readlink -f "$0")")/lib.sh"

IMAGES=/var/lib/libvirt/images

plan_from() { ferry "$1" --json plan proved "$2" --allow-cleartext >"$WORK/plan.json" || true; }
treatment() { jq -r '.strategies[0].disks[0].treatment' "$WORK/plan.json"; }
treatments_of() { ferry hostA --json plan "$1" hostB --allow-cleartext | jq -r '[.strategies[0].disks[].treatment] | join(" ")'; }
made_for_proof() { VIRT_FERRY_TRACE=1 ferry hostA plan "$1" hostB --allow-cleartext 2>&1 | grep -c 'step: nonce$'; }
sum_of() { on "$1" sha256sum "$2" | cut -d' ' -f1; }

pool_over_shared() { # HOST
    on "$1" virsh -q pool-define-as over dir --target /srv/shared
    on "$1" virsh -q pool-start over
}
pool_gone() { # HOST
    on "$1" virsh -q pool-destroy over 2>/dev/null || true
    on "$1" virsh -q pool-undefine over
}

many_files() { on hostA bash -c 'cd /srv/shared && seq -f "many-%g" 2000 | xargs touch'; }
many_files_gone() { on hostA bash -c 'cd /srv/shared && seq -f "many-%g" 2000 | xargs rm -f'; }

# Refused with nothing changed: neither the guest, nor the file that stands at the destination.
stays_with() { # TEXT FILE-at-hostB
    local before
    before=$(sum_of hostB "$2")
    exits 3 prints "$1" ferry hostA migrate proved hostB --allow-cleartext
    is "$before" sum_of hostB "$2"
    lives_on hostA proved
}

# Its second and third image get folders of their own, one of them on hostA alone.
scattered() { # GUEST
    # shellcheck disable=SC2016
    on hostA sh -euc 'virsh -q destroy "$0"
        mkdir /srv/shared/own "$1/own"
        mv /srv/shared/"$0"-vdb.* /srv/shared/own
        mv /srv/shared/"$0"-vdc.* "$1/own"
        virsh dumpxml --inactive "$0" |
            sed "s|/srv/shared/\($0-vdb\)|/srv/shared/own/\1|; s|/srv/shared/\($0-vdc\)|$1/own/\1|" >/run/scattered.xml
        virsh -q define /run/scattered.xml
        virsh -q start "$0"' "$1" "$IMAGES"
}
scattered_gone() {
    on hostA sh -c "virsh -q destroy apart; virsh -q undefine apart; rm -rf /srv/shared/own $IMAGES/own /run/scattered.xml"
    on hostB rm -rf "$IMAGES/own"
}

it "two thousand files in the shared directory do not hide the proof"
guest hostA proved --write-log
many_files
finally many_files_gone
within 6 plan_from hostA hostB
is shared treatment
ferry hostA migrate proved hostB --allow-cleartext
lives_on hostB proved

it "a pool over the directory is used, and stays as it was"
guest hostB proved --write-log
pool_over_shared hostA
finally pool_gone hostA
plan_from hostB hostA
is shared treatment
pool_over_shared hostB
finally pool_gone hostB
plan_from hostB hostA
is shared treatment
prints 'over' on hostA virsh -q pool-list --name
ferry hostB migrate proved hostA --allow-cleartext
lives_on hostA proved

it "a directory takes one nonce, however many images lie in it: what is made for it is counted"
guest hostA crowd --disk shared:raw,shared:qcow2:base,shared --write-log
is 'shared shared shared' treatments_of crowd
# A pool on each host, its own name, the other's and a third one.
is 8 made_for_proof crowd
is_empty on hostA find /srv/shared -name '.virt-ferry*'

it "of three folders each has a proof of its own, asked for side by side"
guest hostA apart --disk shared:raw,shared:raw,shared:raw
scattered apart
finally scattered_gone
on hostB mkdir "$IMAGES/own"
is 'shared shared copy' treatments_of apart
# Eight for each; and, since one is to be copied, three on each host for the pool that both have.
is 30 made_for_proof apart
is_empty sh -c "find /srv/shared -name '.virt-ferry*'"
is_empty on hostA find "$IMAGES" -name '.virt-ferry*'
is_empty on hostB find "$IMAGES" -name '.virt-ferry*'
is_empty on hostB sh -c 'virsh -q pool-list --all --name | grep virt-ferry || true'

it "with a pool over the directory that is not active nothing is proved: refused, with the fix"
guest hostA proved --write-log
on hostB virsh -q pool-define-as over dir --target /srv/shared
finally pool_gone hostB
exits 3 prints 'start it: virsh pool-start over' ferry hostA migrate proved hostB --allow-cleartext
lives_on hostA proved
prints 'inactive' on hostB virsh -q pool-info over

it "a symbolic link in the place of the image is not taken for the image"
guest hostA linked --write-log
on hostA mv /srv/shared/linked-vda.qcow2 "$IMAGES/linked-elsewhere.qcow2"
finally on hostA rm -f "$IMAGES/linked-elsewhere.qcow2"
on hostA ln -s "$IMAGES/linked-elsewhere.qcow2" /srv/shared/linked-vda.qcow2
finally on hostA rm -f /srv/shared/linked-vda.qcow2
exits 3 ferry hostA migrate linked hostB --allow-cleartext
is hostA lab runners linked
lab rm linked

it "a file that is mounted over the image on one host is seen, and not written"
guest hostA proved --write-log
on hostB qemu-img create -q -f qcow2 "$IMAGES/other.qcow2" 64M
finally on hostB rm -f "$IMAGES/other.qcow2"
on hostB mount --bind "$IMAGES/other.qcow2" /srv/shared/proved-vda.qcow2
finally on hostB umount /srv/shared/proved-vda.qcow2
stays_with 'is not the same file on both hosts' /srv/shared/proved-vda.qcow2

it "equal paths that are not shared are no proof: what stands at the destination is not overwritten"
guest hostA alike --disk local:raw --write-log
on hostB bash -c "yes precious | head -c 64M >$IMAGES/alike-vda.img"
finally on hostB rm -f "$IMAGES/alike-vda.img"
before=$(sum_of hostB "$IMAGES/alike-vda.img")
# Twice: the pool there has not seen the file yet, and then it has.
exits 1 prints 'alike-vda.img' ferry hostA migrate alike hostB --allow-cleartext
is "$before" sum_of hostB "$IMAGES/alike-vda.img"
lives_on hostA alike
on hostB virsh -q pool-refresh default
exits 3 prints 'an image stands at' ferry hostA migrate alike hostB --allow-cleartext
is "$before" sum_of hostB "$IMAGES/alike-vda.img"
lives_on hostA alike

it "a destination that is full is refused before anything is made there"
guest hostA heavy --disk local:raw --fill 32 --write-log
on hostB mount -t tmpfs -o size=8M none "$IMAGES"
finally on hostB virsh -q pool-refresh default
finally on hostB umount "$IMAGES"
on hostB virsh -q pool-refresh default
exits 3 prints "free" ferry hostA migrate heavy hostB --allow-cleartext
is_empty on hostB ls -A "$IMAGES"
lives_on hostA heavy

it "a destination that fills up during the copy: the guest stays, and the image that was begun is gone"
guest hostA heavy --disk local:raw --fill 32 --write-log
on hostB mount -t tmpfs -o size=64M none "$IMAGES"
finally on hostB virsh -q pool-refresh default
finally on hostB umount "$IMAGES"
on hostB virsh -q pool-refresh default
on hostB fallocate -l 48M "$IMAGES/filler"
exits 1 ferry hostA migrate heavy hostB --allow-cleartext
is filler on hostB ls -A "$IMAGES"
lives_on hostA heavy
