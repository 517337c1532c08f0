#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck source-path=SCRIPTDIR source=../integration/lib.sh
# shellcheck disable=SC2317  # cases call what is defined before them
# Post-copy that loses its link: each host has a part of the guest's memory, and they are joined again.
. "$(dirname "$(readlink -f "$0")")/../integration/lib.sh"

BUSY='--mem 384 --disk-size 64M --dirty 256,400 --write-log'

slowly() {
    # The newest journal shall be that of the move which begins.
    on hostA sh -c 'rm -f /var/lib/virt-ferry/runs/*.journal'
    lab link hostA rate 100mbit
    lab link hostB rate 100mbit
    finally lab link hostA rate none
    finally lab link hostB rate none
}
steps() { # STEP: how often the newest journal of hostA has it
    # shellcheck disable=SC2012,SC2016  # expanded on the host; names of journals are plain
    lab on hostA sh -c 'grep -c "\"step\":\"$0\"" "$(ls -t /var/lib/virt-ferry/runs/*.journal | head -1)"' "$1" || :
}
has_steps() { [ "$(steps "$1")" -ge "$2" ]; } # STEP N
both_failed() {
    prints 'post-copy failed' on hostA virsh domstate --reason halves &&
        prints 'post-copy failed' on hostB virsh domstate --reason halves
}
# Later than a moment after the switch: a destination that loses the link while libvirt's finish begins is never let
# go by its libvirtd ("actively monitored by another thread"), and nothing can join it.
in_postcopy() { await 90 has_steps postcopy 1 && sleep 4; }
# rst: as a firewall that forgot its connections. What the destination says is refused, so that its QEMU sees it; and the
# source's does when it is answered from there. (Refused the other way the destination, which waits for pages and says
# nothing, would never know.) down: neither sees anything.
cut() {
    case $1 in
    rst) lab link hostB hostA rst ;;
    down) lab link hostB down ;;
    esac
}
mend() {
    lab link hostB hostA ok
    lab link hostB up
}
# A destination that only waits for pages does not know that nobody sends them. As docs/safety.md has it; where it had
# something to say meanwhile it knows, and there is no such connection.
tell_destination() {
    lab on hostB ss -HtK "dst $(address_of hostA) and sport >= :49152 and sport <= :49215"
}
# shellcheck disable=SC2016  # expanded on the host
qemu_on() { on "$1" sh -c 'kill -"$0" "$(cat /run/libvirt/qemu/halves.pid)"' "$2"; } # HOST SIGNAL
qemu_there() { qemu_on hostB "$1"; }
# What its Fix line says, word by word.
steps_of_exit_11() {
    # Of one of the two there may be nothing left.
    on hostB virsh destroy halves || :
    on hostA virsh destroy halves || :
    grep -qx halves <<<"$(on hostB virsh -q list --all --name)" ||
        on hostA virsh dumpxml --inactive --security-info halves | on hostB virsh define /dev/stdin
    on hostA virsh undefine --keep-nvram halves
    on hostB virsh start halves
    code_of_recover=0
    ferry hostA recover || code_of_recover=$?
    is 0 echo "$code_of_recover"
}
# The link breaks in post-copy, comes back, and breaks again as soon as the halves were joined.
cut_twice() {
    in_postcopy
    cut rst
    sleep 3
    mend
    await 60 has_steps postcopy-resume 1
    sleep 1
    cut rst
    sleep 3
    mend
}

it "a link that is lost in post-copy is taken up again, and once more, and nothing of the guest is lost"
# shellcheck disable=SC2086
lab guest hostA halves $BUSY
finally lab rm halves
finally mend
slowly
sleep 8
cut_twice &
cutter=$!
FERRY_SECONDS=300 exits 0 prints 'joined again' ferry hostA migrate --allow-cleartext halves qemu+tcp://hostB/system
wait "$cutter"
has_steps postcopy-resume 1
lives_on hostB halves

it "a run that was killed while the link was gone is taken up by recover"
# shellcheck disable=SC2086
lab guest hostA halves $BUSY
finally lab rm halves
finally mend
slowly
sleep 8
# What it runs takes its place, so that this is virt-ferry itself.
"$REPO/tests/lab/lab" on hostA virt-ferry -q migrate --allow-cleartext halves qemu+tcp://hostB/system >"$WORK/killed" 2>&1 &
mover=$!
in_postcopy
cut rst
sleep 2
kill -KILL "$mover"
wait "$mover" || :
mend
sleep 2
tell_destination
await 30 both_failed
exits 0 prints 'joined again' ferry hostA recover
lives_on hostB halves

it "one that stays away for longer than libvirt waits goes on when it is back"
# shellcheck disable=SC2086
lab guest hostA halves $BUSY
finally lab rm halves
finally mend
slowly
sleep 8
{
    in_postcopy
    cut down
    sleep 30
    mend
} &
cutter=$!
FERRY_SECONDS=400 exits 0 ferry hostA migrate --allow-cleartext halves qemu+tcp://hostB/system
wait "$cutter"
lives_on hostB halves

it "a destination that waits for pages and does not know that nobody sends them: it is said how it is told, and they are joined"
# shellcheck disable=SC2086
lab guest hostA halves $BUSY
finally lab rm halves
finally lab link hostA hostB ok
slowly
sleep 8
{
    in_postcopy
    lab link hostA hostB rst
    sleep 3
    lab link hostA hostB ok
    # Where it had something to say it knows by itself, and is joined.
    await 60 grep -qsE 'ss -tK|joined again' "$WORK"/out.??????
    tell_destination
} &
cutter=$!
FERRY_SECONDS=300 exits 0 prints 'joined again' ferry hostA migrate --allow-cleartext halves qemu+tcp://hostB/system
wait "$cutter"
lives_on hostB halves

it "QEMU at the destination that does not answer when the halves are to be joined: two minutes, exit 11, and it may still go on"
# shellcheck disable=SC2086
lab guest hostA halves $BUSY
finally lab rm halves
finally mend
slowly
sleep 8
{
    in_postcopy
    cut rst
    await 60 both_failed
    qemu_there STOP
    mend
} &
cutter=$!
finally qemu_there CONT
FERRY_SECONDS=300 exits 11 prints 'has not answered for 120 s' prints 'only stopped (ps: state T)' prints 'virsh destroy' \
    ferry hostA migrate --allow-cleartext halves qemu+tcp://hostB/system
wait "$cutter"
both_failed
exits 0 prints 'would join its halves again' ferry hostA recover --dry-run
qemu_there CONT
FERRY_SECONDS=300 exits 0 ferry hostA recover
lives_on hostB halves

it "QEMU at the source that stands still in post-copy is waited for, that is said, and the guest goes on when it does"
# shellcheck disable=SC2086
lab guest hostA halves $BUSY
finally lab rm halves
slowly
sleep 8
{
    in_postcopy
    qemu_on hostA STOP
    await 90 grep -qs 'was asked for post-copy' "$WORK"/out.??????
    qemu_on hostA CONT
} &
stopper=$!
FERRY_SECONDS=300 exits 0 prints "QEMU on 'hostA' has not told for 30 s how the move goes" \
    ferry hostA migrate --allow-cleartext halves qemu+tcp://hostB/system
wait "$stopper"
lives_on hostB halves

it "a destination whose QEMU dies in post-copy: lost, exit 11 within a minute, and its disks start by the steps"
# shellcheck disable=SC2086
lab guest hostA halves $BUSY
finally lab rm halves
slowly
sleep 8
{
    in_postcopy
    qemu_there KILL
} &
killer=$!
FERRY_SECONDS=150 exits 11 prints 'a part of its memory is gone' prints 'virsh destroy' \
    ferry hostA migrate --allow-cleartext halves qemu+tcp://hostB/system
wait "$killer"
exits 0 prints 'a half of its memory is all that is left, where' ferry hostA recover --dry-run
FERRY_SECONDS=60 exits 11 prints 'a half of its memory is all that is left' ferry hostA recover
steps_of_exit_11
lives_on hostB halves

it "a destination that is dead for good in post-copy: attested, exit 11 within a minute, and its disks start at the source"
# shellcheck disable=SC2086
lab guest hostA halves $BUSY
finally lab rm halves
finally lab power hostB on
slowly
sleep 8
"$REPO/tests/lab/lab" on hostA virt-ferry -q migrate --allow-cleartext halves qemu+tcp://hostB/system >"$WORK/killed" 2>&1 &
mover=$!
in_postcopy
lab power hostB off
sleep 5
kill -KILL "$mover"
wait "$mover" || :
FERRY_SECONDS=60 exits 11 prints "virsh start" ferry hostA recover --yes --host-is-dead hostB
on hostA virsh destroy halves
on hostA virsh start halves
exits 6 prints "the guest is at 'hostA'" prints 'undefine --keep-nvram' ferry hostA recover --yes --host-is-dead hostB
lives_on hostA halves

it "cut while a disk was copied as well: joined, or said within three minutes to be lost, and then its disks start"
# shellcheck disable=SC2086
lab guest hostA halves $BUSY --disk local:raw
finally lab rm halves
finally mend
slowly
sleep 8
{
    in_postcopy
    lab link hostA hostB rst
    lab link hostB hostA rst
    sleep 1
    lab link hostA hostB ok
    lab link hostB hostA ok
    await 60 grep -qsE 'ss -tK|joined again' "$WORK"/out.??????
    tell_destination
} &
cutter=$!
code=0
FERRY_SECONDS=300 ferry hostA migrate --allow-cleartext halves qemu+tcp://hostB/system >"$WORK/out.copied" 2>&1 || code=$?
wait "$cutter"
cat "$WORK/out.copied"
[[ $code =~ ^(0|11)$ ]] || complain "exit code $code"
[ "$code" = 0 ] || steps_of_exit_11
lives_on hostB halves
