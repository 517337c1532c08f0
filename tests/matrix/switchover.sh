#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck source-path=SCRIPTDIR source=../integration/lib.sh
# shellcheck disable=SC2317  # cases call what is defined before them
# Faults at the switch-over of a guest on a shared and on a copied disk, one by one, and virsh under one of them.
# tests/faults deals these and more, and looks closer; here each stands by itself and is tried to and fro.
. "$(dirname "$(readlink -f "$0")")/../integration/lib.sh"
. "$(dirname "$(readlink -f "$0")")/../integration/handover.sh"

SWITCHOVERS=${SWITCHOVERS:-2} # how often each is tried

faults_at_switchover() { # FAULT GUEST [OPTION…]; FAULT is given SOURCE and DEST
    local i from to at
    for ((i = 0; i < SWITCHOVERS; i++)); do
        from=$(lab runners "$2") to=''
        to=$(other "$from")
        "$1" "$from" "$to"
        # shellcheck disable=SC2086
        code_of ferry "$from" $MIGRATE "${@:3}" "$2" "$to"
        one_runner "$2"
        at=$to
        [ "$1" = fault_kill ] || at=$from
        exits 0 lab on "$at" test -e /run/faulted
        at_event_ends "$at"
        hear_again "$from"
        start_again "$to"
        one_runner "$2"
        [[ $code =~ ^[0167]$ ]] || complain "exit code $code"
        settles "$from" "$2" "$to"
        # The image that was copied stays where it was, and would stand in the way back.
        lab on "$from" sh -c "rm -f /var/lib/libvirt/images/$2-vda.*; virsh pool-refresh default"
    done
}
fault_kill() { kill_at_resume "$2"; }
fault_deaf() { deafen_at_first_pass "$1" "$2"; }

# From its first pass on, of the copy alone; QEMU there waits, and the guest stands still for it.
deaf_to_copy() { # SOURCE DEST
    finally hear_again "$1"
    at_event "$1" migration-iteration "nft 'table inet deaf { chain in { type filter hook input priority 0;
        ip saddr $(address_of "$2") tcp sport 49153 drop; }; }'"
}
is_running_again() { [ "$(lab runners "$1")" = "$2" ] && [ "$(on "$2" virsh domstate "$1" | head -n 1)" = running ]; }

it "killing the destination's libvirtd when its guest resumes never leaves two runners"
guest hostA sw --write-log
faults_at_switchover fault_kill sw

it "losing the destination's replies for longer than keepalive never leaves two runners"
guest hostA sw --write-log
# shellcheck disable=SC2086
faults_at_switchover fault_deaf sw $APART
prints 'looked at before the source may run' cat "$WORK/said"

it "lost replies where a disk is copied: one runner, and every write is there"
guest hostA copied --disk local:qcow2 --write-log
faults_at_switchover fault_kill copied
faults_at_switchover fault_deaf copied "${APART% *}" "${APART#* }-copy"

it "virsh alone, under the second of these faults, runs the guest twice: the fault is real"
guest hostA twice --disk local:raw --write-log
lab on hostB virsh vol-create-as default twice-vda.img 64M --format raw
finally lab rm twice
# On a busy machine the silence may come to an end before the copy does: then it was another fault.
for _ in 1 2 3; do
    deafen_at_first_pass hostA hostB
    code_of lab on hostA timeout 90 virsh -k 2 -K 3 migrate --live --persistent --copy-storage-all twice \
        qemu+tcp://hostB/system
    hear_again hostA
    [ "$(count lab runners twice)" = 1 ] || break
done
is 2 count lab runners twice

it "a copied disk whose answers are lost at the switch-over: what lets the guest go on is told, and does"
guest hostA hung --disk local:raw --write-log
deaf_to_copy hostA hostB
# shellcheck disable=SC2086
FERRY_SECONDS=200 exits 7 prints 'QEMU at the source did not tell how the move goes' prints "ss -tK 'dst DEST" \
    ferry client -c qemu+tcp://hostA/system $MIGRATE hung qemu+tcp://hostB/system
exits 7 prints "ss -tK 'dst DEST" ferry client recover
hear_again hostA
on hostA ss -HtK "dst $(address_of hostB) and dport >= :49152 and dport <= :49215"
await 20 is_running_again hung hostA
exits 0 ferry client recover
lives_on hostA hung
nothing_left
