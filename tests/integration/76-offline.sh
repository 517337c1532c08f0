#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck source-path=SCRIPTDIR
# shellcheck disable=SC2317,SC2086  # cases call what is defined before them; options are words
# Domains that are shut off and whose images are of one host alone: the images go with the definition, or nothing does.
. "$(dirname "$0")/lib.sh"

MOVE='migrate --allow-cleartext --strategy offline-tcp-definition-copy'
IMAGES=/var/lib/libvirt/images

# A guest that wrote and was shut off.
resting() { # DISKS OPTION…
    guest hostA resting --disk "$@" --write-log
    await 60 lab verify resting
    lab on hostA virsh -q destroy resting
}
sums() { lab on "$1" sh -c "cd $IMAGES && sha256sum resting-* 2>/dev/null"; } # HOST
stayed() { # and nothing is left of it at the destination
    is 'shut off' lab on hostA virsh domstate resting
    is_empty lab on hostB sh -c "virsh -q list --all --name | grep .; virsh -q pool-list --name --all | grep -v default; ls $IMAGES"
}

it "its images go with it as they are, sparse, and it starts there"
resting local:qcow2,local:raw --fill 24
before=$(sums hostA)
prints 'disks vda, vdb copied' ferry hostA plan --allow-cleartext resting hostB
exits 0 ferry hostA $MOVE resting hostB
is "$before" sums hostB
is "$before" sums hostA
[ "$(lab on hostB du -m "$IMAGES/resting-vdb.img" | cut -f1)" -lt 40 ]
is_empty lab on hostA sh -c 'virsh -q list --all --name | grep -x resting'
lab on hostB virsh -q start resting
await 60 lab verify resting
lives_on hostB resting
lab rm resting

deep "over ssh, into a folder that no pool of the destination has"
resting local:raw --fill 16
lab on hostB sh -c 'virsh -q pool-destroy default; virsh -q pool-undefine default'
finally lab on hostB sh -c "virsh -q pool-define-as default dir --target $IMAGES; virsh -q pool-start default"
before=$(sums hostA)
exits 0 ferry hostA migrate --strategy offline-ssh-definition-copy resting hostB
is "$before" sums hostB
is_empty lab on hostB virsh -q pool-list --all --name
lab rm resting

it "it does not start while its images go, and what died in between is undone"
grep -qs VIRT_FERRY_FAULT "$VIRT_FERRY_BUILD/virt-ferry" || skip "this build has no fault points"
resting local:raw --disk-size 64M --fill 32
for point in create:1 create:2 image-copy:1 migrate:1; do
    VIRT_FERRY_FAULT=kill:journal-$point exits 137 ferry hostA $MOVE resting hostB
    exits 0 ferry hostA recover resting
    stayed
done
VIRT_FERRY_FAULT=stop:journal-migrate:1 ferry hostA $MOVE resting hostB >"$WORK/said" 2>&1 &
first=$!
await 20 on_machine pgrep hostA -r T -x virt-ferry
exits 1 prints 'Failed to get "write" lock' lab on hostA virsh -q start resting
on_machine pkill hostA -CONT -x virt-ferry
wait "$first"
is 'shut off' lab on hostB virsh domstate resting
lab rm resting

deep "a destination that fills up, a cancel, and a definition that was changed meanwhile leave nothing behind"
resting local:raw --disk-size 256M --fill 128
lab link hostA rate 400mbit
finally lab link hostA rate none
stop_it() { sleep 1; on_machine pkill hostA -INT -x virt-ferry; }
during prepare stop_it
exits 5 ferry hostA $MOVE resting hostB
stayed
change_it() { sleep 1; lab on hostA virsh -q desc resting --config changed; }
during prepare change_it
exits 1 prints 'was changed meanwhile' ferry hostA $MOVE resting hostB
stayed
lab on hostB mount -t tmpfs -o size=160m none "$IMAGES"
finally lab on hostB sh -c "umount $IMAGES; virsh -q pool-refresh default"
lab on hostB virsh -q pool-refresh default
fill_it() { sleep 1; lab on hostB sh -c "head -c 120M /dev/zero >$IMAGES/filler; true"; }
during prepare fill_it
exits 1 prints 'No space left on device' ferry hostA $MOVE resting hostB
lab on hostB rm "$IMAGES/filler"
stayed
lab rm resting

deep "a destination whose libvirtd is silent while images are sent to it is given up, and they are removed when it is back"
resting local:raw --disk-size 256M --fill 128
lab link hostA rate 100mbit
finally lab link hostA rate none
silence() { sleep 3; lab libvirtd hostB stop; }
finally lab libvirtd hostB cont
during prepare silence
SECONDS=0
FERRY_SECONDS=300 exits 4 prints "gave an answer for 60 s" prints "virt-ferry recover" ferry hostA $MOVE resting hostB
[ "$SECONDS" -lt 240 ]
lab libvirtd hostB cont
lab link hostA rate none
exits 0 ferry hostA recover resting
stayed
lab rm resting

it "what is on another machine, and what rests on a base, is refused; with its base, where that is kept, it goes"
resting local:qcow2:base --fill 16
exits 3 prints 'offline-copy' ferry hostA plan --allow-cleartext resting hostB
exits 3 prints 'on another machine' ferry client -c qemu+ssh://root@hostA/system plan --allow-cleartext resting hostB
before=$(sums hostA)
exits 0 ferry hostA $MOVE --keep-chain resting hostB
is "$before" sums hostB
lab on hostB virsh -q start resting
await 60 lab verify resting
lab rm resting
