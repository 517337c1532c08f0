#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck source-path=SCRIPTDIR
# shellcheck disable=SC2317,SC2086  # cases call what is defined before them; options are words
# Runs that died, settled by `recover`: at each step, killed itself, two at once, with a host that is dead, from
# another machine. And runs that are asked to stop: by abort, by signals, by one that came before.
. "$(dirname "$0")/lib.sh"

MIGRATE='migrate -q --allow-cleartext'
SLOWLY='--bandwidth 8MiB/s' # long enough to interrupt
TO_B=qemu+tcp://hostB/system FROM_A='-c qemu+tcp://hostA/system'

grep -qs VIRT_FERRY_FAULT "$VIRT_FERRY_BUILD/virt-ferry" || INTEGRATION_SKIP=${INTEGRATION_SKIP:-'this build has no fault points: make debug'}

runs_of() { echo "$STATE/machines/$1/lib-virt-ferry/runs"; }
newest_run() { basename "$(printf '%s\n' "$(runs_of "$1")"/*.journal | tail -n 1)" .journal; }
# The newest run there has asked libvirt, and goes on.
asked() { # HOST
    local journal
    journal=$(runs_of "$1")/$(newest_run "$1").journal
    grep -q '"step":"migrate"' "$journal" && ! grep -q '"step":"end"' "$journal"
}

# A run on HOST that is killed behind that step of its journal.
dies_at() { # STEP HOST ARGUMENT…
    local code=0
    VIRT_FERRY_FAULT=kill:journal-$1:1 ferry "${@:2}" || code=$?
    [ "$code" = 137 ] || complain "it was not killed at '$1': exit code $code"
}

# A process of ours on HOST that stopped itself, or is to get a signal.
continue_on() { # HOST
    await 20 on_machine pgrep "$1" -r T -x virt-ferry
    on_machine pkill "$1" -CONT -x virt-ferry
}
signal_run() { on_machine pkill "$1" "-$2" -o -f 'virt-ferry migrate'; } # HOST SIGNAL: the parent of the workers
ended_within() { # SECONDS PID: its exit code into $ended
    ended=0
    await "$1" sh -c "! kill -0 $2 2>/dev/null" || complain "it did not end within $1 s"
    wait "$2" || ended=$?
}

# What a job leaves in QEMU and on the wire when it ends badly.
no_job_left() { # HOST GUEST
    is_empty lab on "$1" sh -c "virsh -q blockjob $2 vda 2>/dev/null | grep -v 'No current'"
    is_empty lab on "$1" sh -c "virsh -q qemu-monitor-command $2 '{\"execute\":\"query-named-block-nodes\"}' |
        grep -oE '\"drv\":\"(mirror_top|nbd|copy-before-write)\"'"
    is_empty lab on "$1" sh -c "virsh -q qemu-monitor-command $2 '{\"execute\":\"query-block-jobs\"}' | grep -o '\"device\"'"
    is_empty lab on "$(other "$1")" sh -c "ss -Hlnt 'sport >= :49152 and sport <= :49215'"
}

it "a run killed behind any step: a dry run says what would be done, recover leaves one runner and nothing else"
guest hostA rec --write-log
from=hostA
for step in mark surveyed migrate migrated moved source-undefine mark-clear; do
    to=$(other "$from")
    dies_at "$step" "$from" $MIGRATE rec "$to"
    is 1 sh -c "'$REPO/tests/lab/lab' runners rec | wc -l"
    before=$(sha256sum "$(runs_of "$from")"/*)
    exits 0 prints "would" ferry "$from" recover --dry-run
    is "$before" sha256sum "$(runs_of "$from")"/*
    exits 0 prints 'settled' ferry "$from" recover rec
    at=$(lab runners rec)
    case $step in
        mark | surveyed | migrate) is "$from" echo "$at" ;;
        *) is "$to" echo "$at" ;;
    esac
    lives_on "$at" rec
    nothing_left
    exits 0 prints 'No run is open' ferry "$from" recover
    from=$at
done

it "recover that is killed, at each step of its own, is run again"
guest hostA rec --write-log
from=$(lab runners rec)
for step in recover moved source-undefine dest-resume; do
    to=$(other "$from")
    dies_at migrated "$from" $MIGRATE --strategy precopy-tcp-held rec "$to"
    dies_at "$step" "$from" recover
    exits 0 ferry "$from" recover
    lives_on "$to" rec
    nothing_left
    from=$to
done

it "of two recoveries at once the second is refused, and touches nothing; the first goes on"
guest hostA rec --write-log
from=$(lab runners rec) to=$(other "$(lab runners rec)")
dies_at migrate "$from" $MIGRATE rec "$to"
VIRT_FERRY_FAULT=stop:journal-recover:1 ferry "$from" recover >"$WORK/first" 2>&1 &
first=$!
await 20 on_machine pgrep "$from" -r T -x virt-ferry
exits 8 prints 'being recovered since' ferry "$from" recover
exits 8 prints 'being recovered since' ferry "$from" recover "$(newest_run "$from")"
exits 8 ferry "$from" $MIGRATE rec "$to"
continue_on "$from"
ended_within 30 "$first"
is 0 echo "$ended"
lives_on "$from" rec

it "a run killed in the midst of a copy leaves no image, no block job, no filter and no export"
guest hostA copied --disk local:qcow2 --fill 32 --write-log
ferry hostA $MIGRATE --bandwidth 4MiB/s copied hostB >"$WORK/said" 2>&1 &
first=$!
await 30 lab on hostA sh -c "virsh -q qemu-monitor-command copied '{\"execute\":\"query-block-jobs\"}' | grep mirror"
signal_run hostA KILL
ended_within 10 "$first"
exits 0 prints "the guest is at 'hostA'" ferry hostA recover copied
lives_on hostA copied
is_empty lab on hostB sh -c 'ls /var/lib/libvirt/images'
no_job_left hostA copied

it "what changed while recover stood still is looked at again: an arrival that runs by now is not ended"
leaves_traces
guest hostA copied --disk local:qcow2 --write-log
dies_at migrated hostA $MIGRATE --strategy precopy-tcp-held-copy copied hostB
lab on hostA virsh -q start copied
exits 0 prints 'would end what waits at the destination' ferry hostA recover --dry-run copied
VIRT_FERRY_FAULT=stop:act:1 ferry hostA recover >"$WORK/first" 2>&1 &
first=$!
await 20 on_machine pgrep hostA -r T -x virt-ferry
lab on hostB virsh -q resume copied
continue_on hostA
ended_within 40 "$first"
cat "$WORK/first"
is 7 echo "$ended"
prints 'runs, or has run, on both' cat "$WORK/first"
is running lab on hostB virsh domstate copied
lab on hostA virsh -q destroy copied
exits 0 ferry hostA recover
is hostB lab runners copied
lab rm copied

it "abort stops the run of this machine within seconds, and nothing stays"
guest hostA rec --write-log
exits 1 prints 'no run works on' ferry hostA abort rec
ferry hostA $MIGRATE $SLOWLY rec hostB >"$WORK/said" 2>&1 &
first=$!
await 30 asked hostA
sleep 1
within 4 exits 0 prints "the guest 'rec' is at 'hostA'" ferry hostA abort rec
ended_within 2 "$first"
is 5 echo "$ended"
lives_on hostA rec
no_job_left hostA rec

it "abort from another machine ends the job by the mark; a second run is refused by name, there and here"
guest hostA rec --write-log
ferry hostA $MIGRATE $SLOWLY rec hostB >"$WORK/said" 2>&1 &
first=$!
await 30 asked hostA
sleep 1
run=$(newest_run hostA)
exits 8 prints "run '$run' of host 'hostA' holds" prints ' UTC' ferry hostA $MIGRATE rec hostB
exits 8 prints "run '$run' of host 'hostA' holds" prints ' UTC' ferry client $FROM_A $MIGRATE rec $TO_B
exits 8 prints "run '$run' of host 'hostA' holds" ferry client $FROM_A recover rec
exits 8 prints 'in progress since' ferry hostA recover rec
exits 0 prints 'in progress since' ferry hostA recover
exits 0 prints "lives on 'hostA'" ferry client $FROM_A abort rec
ended_within 15 "$first"
cat "$WORK/said"
is 1 echo "$ended"
lives_on hostA rec

it "INT, TERM and HUP stop a run in order within two seconds"
guest hostA rec --write-log
for signal in INT TERM HUP; do
    ferry hostA $MIGRATE $SLOWLY rec hostB >"$WORK/said" 2>&1 &
    first=$!
    await 30 asked hostA
    sleep 1
    signal_run hostA $signal
    within 2 ended_within 10 "$first"
    is 5 echo "$ended"
    lives_on hostA rec
    nothing_left
done

it "a run that cannot stop says what it waits for; a second Ctrl-C leaves at once, and recover settles it"
guest hostA rec --write-log
ferry hostA ${MIGRATE/ -q/} $SLOWLY rec hostB >"$WORK/said" 2>&1 &
first=$!
await 30 asked hostA
sleep 1
finally lab libvirtd hostA cont
lab libvirtd hostA stop
signal_run hostA INT
await 6 grep -q 'still waiting for' "$WORK/said"
signal_run hostA INT
ended_within 2 "$first"
cat "$WORK/said"
is 7 echo "$ended"
prints 'left at once' prints 'virt-ferry recover' cat "$WORK/said"
lab libvirtd hostA cont
exits 0 prints "the guest is at 'hostA'" ferry hostA recover
lives_on hostA rec

it "a run that stood still for long before it asked libvirt does nothing on what it had seen before"
guest hostA rec --write-log
VIRT_FERRY_FAULT=stop:journal-surveyed:1 ferry hostA $MIGRATE rec hostB >"$WORK/said" 2>&1 &
first=$!
await 20 on_machine pgrep hostA -r T -x virt-ferry
sleep 6
continue_on hostA
ended_within 30 "$first"
cat "$WORK/said"
is 1 echo "$ended"
prints 'stopped for a while' cat "$WORK/said"
lives_on hostA rec

it "what only a silent host knows stays untouched; attested dead, it is left out, and what answers is not dead"
guest hostA rec --write-log
dies_at migrate hostA $MIGRATE rec $TO_B
exits 3 prints 'answers, so it is not dead' ferry hostA recover --host-is-dead hostB --yes
exits 2 prints "no open run has to do with host 'hostX'" ferry hostA recover --host-is-dead hostX --yes
finally start_again hostB
lab libvirtd hostB kill
exits 0 prints 'does not answer' prints 'would touch nothing' ferry hostA recover --dry-run
exits 3 prints 'nobody attested' ferry hostA recover --host-is-dead hostB
exits 6 prints "the guest is at 'hostA'" prints 'undefine' ferry hostA recover --host-is-dead hostB --yes
start_again hostB
lives_on hostA rec

it "a source that died behind the switch-over is left to the operator, and the guest's move is finished"
guest hostA rec --write-log
dies_at moved client $FROM_A $MIGRATE rec $TO_B
finally start_again hostA
lab libvirtd hostA kill
exits 6 prints "the guest is at 'hostB'" prints 'never start it there' \
    ferry client recover --host-is-dead hostA --yes
start_again hostA
is 'shut off' lab on hostA virsh domstate rec
exits 3 prints 'is left over here' ferry client $FROM_A recover rec
lab on hostA virsh -q undefine --keep-nvram rec
lives_on hostB rec

deep "one that is off at the destination, and may have run there, is led on step by step, and then settled"
guest hostA rec --write-log
dies_at migrate hostA $MIGRATE rec hostB
on hostA virsh dumpxml --inactive rec | on hostB sh -c 'cat >/run/rec.xml && virsh -q define /run/rec.xml && rm /run/rec.xml'
exits 7 prints 'off; nothing was started' prints 'or it was ended before it ran, undefine it there' ferry hostA recover
on hostA virsh -q suspend rec
exits 7 prints 'shut off; nothing was started' prints "then virsh resume at 'hostA'" ferry hostA recover
on hostB virsh -q undefine --keep-nvram rec
on hostA virsh -q resume rec
exits 0 prints "the guest is at 'hostA'" ferry hostA recover
lives_on hostA rec

it "from another machine, by the mark and a copy of the journal"
guest hostA rec --write-log
dies_at migrate hostA $MIGRATE rec $TO_B
run=$(newest_run hostA)
finally rm -rf "$STATE/machines/client/lib-virt-ferry/copy"
cp -a "$STATE/machines/hostA/lib-virt-ferry" "$STATE/machines/client/lib-virt-ferry/copy"
copy=/var/lib/virt-ferry/copy
exits 8 prints elsewhere prints "run '$run' of host 'hostA' holds" ferry client $FROM_A recover rec
exits 2 prints 'begun on its source' ferry client recover --journal $copy --yes
exits 2 prints "leads to 'hostB'" ferry client -c $TO_B recover --journal $copy --yes
exits 3 prints 'nobody attested' ferry client $FROM_A recover --journal $copy
exits 0 prints "would undo" ferry client $FROM_A recover --journal $copy --dry-run
exits 0 prints "the guest is at 'hostA'" ferry client $FROM_A recover --journal $copy --yes
is 0 sh -c "'$REPO/tests/lab/lab' on client virt-ferry --json recover --journal $copy | jq '.runs | length'"
lives_on hostA rec
# Its own machine finds nothing left to do, and closes its own copy.
exits 0 ferry hostA recover

it "with its journal lost the mark goes only when that is attested and the guest runs on"
guest hostA rec --write-log
dies_at migrate hostA $MIGRATE rec hostB
rm "$(runs_of hostA)/$(newest_run hostA).journal"
exits 8 prints 'holds the domain' ferry client $FROM_A $MIGRATE rec $TO_B
exits 3 prints 'nobody attested' ferry hostA recover rec
exits 6 prints 'its journal is lost' ferry hostA recover --yes rec
exits 0 prints 'No run is open' ferry hostA recover rec
lives_on hostA rec

it "what recover says as JSON is one document, with an error's exit code in its row"
guest hostA rec --write-log
dies_at migrated hostA $MIGRATE rec hostB
run=$(newest_run hostA)
exits 7 prints "run '$run' of domain 'rec' died, and no job goes on" ferry hostA abort rec
lab on hostA virt-ferry --json recover --dry-run >"$WORK/json"
is "open $run rec finish" jq -r '.runs[0] | [.state, .run, .domain, .decision] | join(" ")' "$WORK/json"
lab on hostA virt-ferry --json recover >"$WORK/json"
is 'settled moved' jq -r '.runs[0] | [.state, .outcome] | join(" ")' "$WORK/json"
exits 1 ferry hostA --json recover 20200101T000000-00000000
lives_on hostB rec
