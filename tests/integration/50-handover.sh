#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck source-path=SCRIPTDIR
# shellcheck disable=SC2317  # cases call what is defined before them
# The hand-over on real hosts: whatever dies or is lost, the guest runs exactly once, and the next run of the
# same command finishes or undoes what was left.
. "$(dirname "$0")/lib.sh"

STEPS_APART=${STEPS_APART:-3} # every how many-th step of the journal is killed at; 1 in `make matrix`
SLOWLY='--bandwidth 8MiB/s'   # long enough to interrupt
. "$(dirname "$0")/handover.sh"

journal_says() { lab on "$1" sh -c "tail -qn1 /var/lib/virt-ferry/runs/* | grep -q '\"step\":\"$2\"'"; }
run_ended() { # HOST: the newest run there wrote its last record
    # shellcheck disable=SC2016
    lab on "$1" sh -c 'tail -qn1 "$(ls /var/lib/virt-ferry/runs/*.journal | tail -n1)" | grep -q "\"step\":\"end\""'
}

# ---- faults at the switch-over: more of them in tests/faults and tests/matrix/switchover.sh ----

deep "a destination that is heard again while the gate holds ends the move with success"
guest hostA sw --write-log
deafen_at_first_pass hostA hostB
{ await 60 journal_says hostA gate-holding && hear_again hostA; } &
# shellcheck disable=SC2086
exits 0 prints 'looked at before the source may run' ferry hostA $MIGRATE $APART sw hostB
lives_on hostB sw

# ---- the client dies ----

it "kill -9 of virt-ferry at steps of the journal: the next migrate leaves one runner and nothing else"
needs_faults
guest hostA sw --write-log
from=hostA n=$((1 - STEPS_APART)) code=137
while [ "$code" = 137 ]; do
    n=$((n + STEPS_APART))
    # shellcheck disable=SC2086
    VIRT_FERRY_FAULT=kill:journal:$n code_of ferry "$from" -q $MIGRATE sw "$(other "$from")"
    one_runner sw
    if [ "$code" = 137 ] && run_ended "$from"; then
        # Killed behind its last record: there is nothing left for another run to do.
        lives_on "$(other "$from")" sw
        nothing_left
    elif [ "$code" = 137 ]; then
        settles "$from" sw "$(other "$from")"
    fi
    from=$(lab runners sw)
done
[ "$code" = 0 ] || complain "without a fault it ends with exit code $code"
[ "$n" -gt 12 ] || complain "only $n steps were hit"

it "two runs at once: one wins, the other exits 8"
guest hostA sw --write-log
# shellcheck disable=SC2086
ferry hostA -q $MIGRATE sw hostB >"$WORK/one" 2>&1 &
one=$!
# shellcheck disable=SC2086
code_of ferry hostA -q $MIGRATE sw hostB
wait "$one" && first=0 || first=$?
cat "$WORK/one"
[ "$first $code" = '0 8' ] || [ "$first $code" = '8 0' ] || complain "exit codes $first and $code"
lives_on hostB sw

# ---- the user changes his mind ----

it "Ctrl-C aborts the job, the guest runs on at the source, and nothing stays"
guest hostA sw --write-log
# shellcheck disable=SC2086
lab on hostA timeout -s INT 2.5 virt-ferry $MIGRATE $SLOWLY sw hostB >"$WORK/said" 2>&1 && code=0 || code=$?
cat "$WORK/said"
prints 'cancelled; the guest is at' cat "$WORK/said"
lives_on hostA sw

it "an abort that libvirt refuses, since its job has not begun, is asked for until it is accepted"
needs_faults
guest hostA sw --write-log
{
    await 20 on_machine pgrep hostA -r T -x virt-ferry
    sleep 3
    on_machine pkill hostA -CONT -x virt-ferry
} &
# shellcheck disable=SC2086
VIRT_FERRY_FAULT=stop:migrate:1 exits 5 prints 'the time that was allowed is over' \
    ferry hostA $MIGRATE $SLOWLY --timeout 2 sw hostB
lives_on hostA sw

it "a time-out aborts the job and exits 5; the downtime that was set is restored"
guest hostA sw --write-log
before=$(lab on hostA virsh migrate-getmaxdowntime sw)
# shellcheck disable=SC2086
exits 5 ferry hostA $MIGRATE $SLOWLY --max-downtime 77 --timeout 2 sw hostB
is "$before" lab on hostA virsh migrate-getmaxdowntime sw
lives_on hostA sw
lab rm sw

# ---- what a guest is stays what it is ----

it "from a third machine without ssh the hand-over is held, and the guest moves"
guest hostA third --write-log
# shellcheck disable=SC2086
exits 0 prints '-held' ferry client -c qemu+tcp://hostA/system $MIGRATE third qemu+tcp://hostB/system
lives_on hostB third
lab rm third

it "what a look made before the domain was marked is in the one journal of the run, which ends"
guest hostA early --write-log
lab link hostA rate 60kbit
for _ in 1 2 3; do
    # shellcheck disable=SC2086
    exits 2 prints "no strategy 'none-such'" ferry client -c qemu+tcp://hostA/system $MIGRATE \
        --strategy none-such early qemu+tcp://hostB/system
    is_empty journals_left
done
lab link hostA rate none
lives_on hostA early
lab rm early

it "a transient guest stays transient"
guest hostA fleeting --transient
# shellcheck disable=SC2086
exits 0 ferry hostA $MIGRATE fleeting hostB
is no sh -c "'$REPO/tests/lab/lab' on hostB virsh dominfo fleeting | awk '/^Persistent/ { print \$2 }'"
lives_on hostB fleeting
lab rm fleeting

it "a paused guest stays paused, gated and held; one that arrived so must run before it is moved again"
guest hostA still --write-log
lab on hostA virsh suspend still
# shellcheck disable=SC2086
exits 0 ferry hostA $MIGRATE still hostB
is paused lab on hostB virsh domstate still
# shellcheck disable=SC2086
exits 3 prints 'has not run on this host' ferry hostB $MIGRATE still hostA
lab on hostB virsh resume still
sleep 1
lab on hostB virsh suspend still
# shellcheck disable=SC2086
exits 0 ferry hostB $MIGRATE --strategy precopy-tcp-held still hostA
is paused lab on hostA virsh domstate still
lab rm still

it "autostart is kept, and comes back when the move is undone"
guest hostA daily --autostart
# shellcheck disable=SC2086
exits 5 ferry hostA $MIGRATE $SLOWLY --timeout 2 daily hostB
prints enable lab on hostA sh -c 'virsh dominfo daily | grep Autostart'
# shellcheck disable=SC2086
exits 0 ferry hostA $MIGRATE daily hostB
prints enable lab on hostB sh -c 'virsh dominfo daily | grep Autostart'
lives_on hostB daily
lab rm daily

it "a guest with NVRAM starts again afterwards"
guest hostA firm --nvram
# shellcheck disable=SC2086
exits 0 ferry hostA $MIGRATE firm hostB
lab on hostB virsh destroy firm
exits 0 lab on hostB virsh start firm
lives_on hostB firm
lab rm firm

it "a VNC password survives in the live and the persistent definition, and stands in no file of ours"
guest hostA seen --vnc s3cr3tpw
# shellcheck disable=SC2086
exits 0 ferry hostA $MIGRATE seen hostB
prints "passwd='s3cr3tpw'" lab on hostB virsh dumpxml --security-info seen
prints "passwd='s3cr3tpw'" lab on hostB virsh dumpxml --security-info --inactive seen
is_empty lab on hostA sh -c 'grep -rl s3cr3tpw /var/lib/virt-ferry /run/virt-ferry'
lab rm seen
