# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# The hand-over on real hosts: whatever dies or is lost, the guest runs exactly once, and the next run of the
# same command finishes or undoes what was left.
. "${0%/*}/lib.sh"

SWITCHOVERS=${SWITCHOVERS:-1} # how often each fault is tried; the issue of a race needs several

# ---- faults at the switch-over ----

# Ends HOST's libvirtd the moment it says that a guest resumed there.
kill_at_resume() {
    lab on "$1" sh -c 'stdbuf -oL virsh event --event lifecycle --loop </dev/null |
        while read -r line; do
            case $line in *Resumed*) kill -9 "$(cat /run/libvirtd.pid)"; break ;; esac
        done' >/dev/null 2>&1 &
    watcher=$!
    sleep 0.5
}

# What DEST's libvirtd says to SOURCE is lost from the first pass on; guest and migration stream go on.
deafen_at_first_pass() {
    lab on "$1" sh -c "stdbuf -oL virsh event --all --loop </dev/null |
        while read -r line; do
            case \$line in *migration-iteration*)
                nft -f - <<END
table inet deaf { chain in { type filter hook input priority 0; ip saddr $2 tcp sport 16509 drop; }; }
END
                break ;;
            esac
        done" >/dev/null 2>&1 &
    watcher=$!
    sleep 0.5
}

hear_again() {
    lab on "$1" nft delete table inet deaf 2>/dev/null || true
}

address_of() {
    lab status | awk -v host="$1" '$1 == "machine" && $2 == host { print $3 }'
}

one_runner() {
    local n
    n=$(lab runners "$1" | wc -l)
    [ "$n" -eq 1 ] || fail "'$1' has $n runners: $(lab runners "$1" | tr '\n' ' ')"
}

where_runs() {
    lab runners "$1"
}

other() {
    [ "$1" = hostA ] && echo hostB || echo hostA
}

# Nothing of a run is left: no mark, no file, no pool, no open journal, and a definition on one host alone.
nothing_left() {
    local host here=0
    for host in hostA hostB; do
        is_empty lab on "$host" sh -c 'ls -a /srv/shared /var/lib/libvirt/images | grep "^\.virt-ferry-"'
        is_empty lab on "$host" sh -c 'virsh pool-list --all --name | grep "^\.virt-ferry-"'
        is_empty lab on "$host" sh -c "virsh dumpxml '$1' 2>/dev/null | grep virt-ferry.dev"
        is_empty lab on "$host" sh -c 'ls /run/virt-ferry 2>/dev/null'
        lab on "$host" virsh dominfo "$1" >/dev/null 2>&1 && here=$((here + 1))
    done
    [ "$here" -eq 1 ] || fail "'$1' is known to $here hosts"
}

settle_and_check() {
    exits 0 ferry "$1" migrate --allow-cleartext "$2" "$3"
    one_runner "$2"
    prints "$3" where_runs "$2"
    nothing_left "$2"
}

guest_up() {
    lab guest hostA "$@"
    finally lab rm "$1"
}

it "killing the destination's libvirtd when its guest resumes never leaves two runners"
guest_up sw --write-log
for _ in $(seq "$SWITCHOVERS"); do
    from=$(where_runs sw)
    to=$(other "$from")
    kill_at_resume "$to"
    ferry "$from" migrate --allow-cleartext sw "$to" >"$WORK/out" 2>&1 && code=0 || code=$?
    wait "$watcher" || true
    one_runner sw
    case $code in 0 | 6 | 7) ;; *) fail "exit $code: $(cat "$WORK/out")" ;; esac
    prints "$to" where_runs sw
    lab libvirtd "$to" start
    settle_and_check "$from" sw "$to"
done
exits 0 lab verify sw

it "losing the destination's replies for longer than keepalive never leaves two runners"
for _ in $(seq "$SWITCHOVERS"); do
    from=$(where_runs sw)
    to=$(other "$from")
    finally hear_again "$from"
    deafen_at_first_pass "$from" "$(address_of "$to")"
    ferry "$from" migrate --allow-cleartext sw "$to" >"$WORK/out" 2>&1 && code=0 || code=$?
    wait "$watcher" || true
    one_runner sw
    [ "$code" -eq 7 ] || fail "exit $code: $(cat "$WORK/out")"
    prints "looked at before the source may run" cat "$WORK/out"
    hear_again "$from"
    settle_and_check "$from" sw "$(where_runs sw)"
done
exits 0 lab verify sw

it "a destination that is heard again while the gate holds ends the move with success"
from=$(where_runs sw)
to=$(other "$from")
finally hear_again "$from"
deafen_at_first_pass "$from" "$(address_of "$to")"
{
    wait_for 40 lab on "$from" sh -c 'grep -q gate-holding /var/lib/virt-ferry/runs/*' && hear_again "$from"
} &
exits 0 ferry "$from" migrate --allow-cleartext sw "$to"
one_runner sw
prints "$to" where_runs sw
nothing_left sw
exits 0 lab verify sw

# ---- the client dies ----

it "kill -9 of virt-ferry at each journal step: the next migrate leaves one runner and nothing else"
needs_faults
n=1
while :; do
    from=$(where_runs sw)
    to=$(other "$from")
    VIRT_FERRY_FAULT=kill:journal:$n ferry "$from" -q migrate --allow-cleartext sw "$to" >"$WORK/out" 2>&1 &&
        code=0 || code=$?
    [ "$code" -eq 137 ] || break
    one_runner sw
    settle_and_check "$from" sw "$to"
    n=$((n + 1))
done
[ "$code" -eq 0 ] || fail "without a fault it ends with exit $code: $(cat "$WORK/out")"
[ "$n" -gt 12 ] || fail "only $n steps were hit"
exits 0 lab verify sw

it "two runs at once: one wins, the other exits 8"
from=$(where_runs sw)
to=$(other "$from")
ferry "$from" -q migrate --allow-cleartext sw "$to" >"$WORK/one" 2>&1 &
one=$!
ferry "$from" -q migrate --allow-cleartext sw "$to" >"$WORK/two" 2>&1 && two=0 || two=$?
wait "$one" && one=0 || one=$?
[ "$one $two" = "0 8" ] || [ "$one $two" = "8 0" ] || fail "exits $one and $two: $(cat "$WORK/one" "$WORK/two")"
one_runner sw
nothing_left sw

# ---- the user changes his mind ----

it "Ctrl-C aborts the job, the guest runs on at the source, and nothing stays"
from=$(where_runs sw)
to=$(other "$from")
lab on "$from" timeout -s INT 1.2 virt-ferry migrate --allow-cleartext --bandwidth 8MiB/s sw "$to" \
    >"$WORK/out" 2>&1 </dev/null && code=0 || code=$?
wait_for 10 is_settled "$from"
prints "cancelled" cat "$WORK/out"
prints "$from" where_runs sw
nothing_left sw

it "a time-out aborts the job and exits 5"
from=$(where_runs sw)
exits 5 ferry "$from" migrate --allow-cleartext --timeout 1 --bandwidth 8MiB/s sw "$(other "$from")"
prints "$from" where_runs sw
nothing_left sw

it "the allowed downtime is set for the move and restored when it is undone"
from=$(where_runs sw)
before=$(lab on "$from" virsh migrate-getmaxdowntime sw)
exits 5 ferry "$from" migrate --allow-cleartext --max-downtime 77 --timeout 1 --bandwidth 8MiB/s sw \
    "$(other "$from")"
[ "$before" = "$(lab on "$from" virsh migrate-getmaxdowntime sw)" ] || fail "the downtime was not restored"
lab rm sw

# ---- what a guest is stays what it is ----

it "from a third machine the hand-over is held, and the guest moves"
guest_up third --write-log
prints "held" ferry client -c qemu+tcp://hostA/system migrate --allow-cleartext third hostB
prints hostB where_runs third
nothing_left third
exits 0 lab verify third

it "a transient guest stays transient"
guest_up fleeting --transient
exits 0 ferry hostA migrate --allow-cleartext fleeting hostB
prints "Persistent: *no" lab on hostB virsh dominfo fleeting
is_empty lab on hostA sh -c 'virsh list --all --name | grep fleeting'

it "a paused guest stays paused, gated and held"
guest_up still --paused
exits 0 ferry hostA migrate --allow-cleartext still hostB
prints paused lab on hostB virsh domstate still
exits 0 ferry hostB migrate --allow-cleartext --strategy precopy-tcp-held still hostA
prints paused lab on hostA virsh domstate still
nothing_left still

it "autostart is kept, and comes back when the move is undone"
guest_up daily --autostart
exits 5 ferry hostA migrate --allow-cleartext --timeout 1 --bandwidth 8MiB/s daily hostB
prints "Autostart: *enable" lab on hostA virsh dominfo daily
exits 0 ferry hostA migrate --allow-cleartext daily hostB
prints "Autostart: *enable" lab on hostB virsh dominfo daily

it "a guest with NVRAM starts again afterwards"
guest_up firm --nvram
exits 0 ferry hostA migrate --allow-cleartext firm hostB
lab on hostB virsh destroy firm
exits 0 lab on hostB virsh start firm
prints running lab on hostB virsh domstate firm

it "a VNC password survives in the live and the persistent definition, and stands in no file of ours"
guest_up seen --vnc s3cr3tpw
exits 0 ferry hostA migrate --allow-cleartext seen hostB
prints "passwd='s3cr3tpw'" lab on hostB virsh dumpxml --security-info seen
prints "passwd='s3cr3tpw'" lab on hostB virsh dumpxml --security-info --inactive seen
is_empty lab on hostA sh -c 'grep -rl s3cr3tpw /var/lib/virt-ferry /run/virt-ferry /tmp/virt-ferry* 2>/dev/null | grep -v /virt-ferry-lab'

finish
