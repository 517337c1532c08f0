# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# shellcheck source-path=SCRIPTDIR
# shellcheck disable=SC2317  # cases, which stand in other files, call what is defined here
# What a test file is made of. It sources this file, defines what its cases share, and then each line
# that begins with `it "sentence"` begins a case, which ends at the next one. A case is run by itself,
# in a shell with set -e: the first command that fails ends it. Sourced, this file runs the cases.
# A case that begins with `deep` instead is one more of its kind, and left to `make matrix`: where all files are run
# it is left out, and where files are named it is run like the others.
#
#   exits CODE COMMAND…    it must end with this code
#   prints TEXT COMMAND…   its output must contain the text; its exit code is handed on, so that
#                          exits 3 prints 'why' prints 'fix' COMMAND… asks for all three
#   lacks TEXT COMMAND…    the same, and must not contain it
#   is_empty COMMAND…      it prints nothing
#   within SECONDS COMMAND…  it takes no longer, on an idle machine
#   await SECONDS COMMAND…  until it succeeds; a failure when it does not in time
#   finally COMMAND…       the undo, beside the deed: in reverse order when the case ends, however
#   during PHASE COMMAND…  runs it when the next move is in this phase: survey, prepare, copy, precopy,
#                          switch-over, verify; a phase that never comes is a failure
#   at_event HOST WORD ACTION  does it on HOST as soon as libvirt there says an event that holds WORD
#   stopped POINT DEED HOST ARGUMENT…  virt-ferry there is stopped at this passage of a fault point, DEED is done, it goes on
#   kill_at_resume HOST    ends HOST's libvirtd the moment it says that a guest resumed there
#   skip REASON            ends the case
#   adopts COMMAND…        a program that speaks TAP: its tests are counted beside the case
#   lab, ferry HOST ARGUMENT…   tests/lab/lab; virt-ferry on that machine; both with a limit of time
#   guest HOST NAME OPTION…     the guest is there and runs on HOST, made only if it must be
#   lives_on HOST NAME          it runs there and nowhere else, is defined nowhere else, lost no write
#   seen HOST COMMAND…          prints how many of the guests' markers its cable carried meanwhile: "MEMORY DISKS much|little"
#   at_least N NUMBER
#   start_over HOST…       its libvirtd ends and begins anew
#   other HOST             the other one of hostA and hostB
#   address_of HOST
#   old_images_gone HOST GUEST  the local images of a guest that has moved away
#   settings HOST          virt-ferry's own there are what stdin says, until no_settings HOST
#   needs_all              the lab has servers of NFS and Ceph, or the case is skipped
#   relay_up ADDRESS SERVER PORT…  counts on the client machine what SERVER is asked by way of ADDRESS: rpc-count.c;
#                          "CALLS TRIPS CONNECTIONS" stands in $WORK/counts, each call in $WORK/calls
#   leaves_traces               this case does not end clean, and need not
#
# After each case both hosts must be clean: see traces.sh.
# No `command | grep -q`: grep leaves at the first match, and the command that still writes has failed.
set -uo pipefail

HERE=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" && pwd)
REPO=$(cd "$HERE/../.." && pwd)
[ -n "${INTEGRATION_WORK:-}" ] || exec "$HERE/run" "$@" "$0"
FILE=$(readlink -f "$0")
WORK=$INTEGRATION_WORK
STATE=/tmp/virt-ferry-lab.${LAB_ID:-}
GUEST_MIB=128
# shellcheck source=traces.sh
. "$HERE/traces.sh"

# ---- what cases use ----

hosts() { tr '\n' ' ' <"$STATE/hosts"; }
lab() { timeout -k 5 150 "$REPO/tests/lab/lab" "$@"; }
on() { lab on "$@"; }
ferry() { # HOST ARGUMENT…
    local host=$1
    shift
    : >"$WORK/ferry-ran"
    timeout -k 5 "${FERRY_SECONDS:-120}" "$REPO/tests/lab/lab" on "$host" virt-ferry "$@"
}

complain() { echo "*** $*"; return 1; }

exits() {
    local wanted=$1 got=0
    shift
    "$@" || got=$?
    [ "$got" = "$wanted" ] || complain "wanted exit code $wanted, got $got: $*"
}

# Nested, each needs its own file. 99: no command of ours ends so.
with_output() { # TEST TEXT COMMAND…
    local test=$1 text=$2 out code=0
    shift 2
    out=$(mktemp "$WORK/out.XXXXXX")
    "$@" >"$out" 2>&1 || code=$?
    cat "$out"
    # A sentence may be folded in a table: blanks and line ends are one.
    tr -s ' \n' '  ' <"$out" >"$out.flat"
    "$test" "$text" "$out.flat" || code=99
    rm -f "$out" "$out.flat"
    return "$code"
}
file_has() { grep -qF -e "$1" "$2" || complain "wanted in the output: $1"; }
file_lacks() { ! grep -qF -e "$1" "$2" || complain "not wanted in the output: $1"; }
prints() { with_output file_has "$@"; }
lacks() { with_output file_lacks "$@"; }

is_empty() {
    local out
    out=$("$@" 2>&1) || true
    [ -z "$out" ] || complain "wanted no output, got: $out"
}

is() { # WANTED COMMAND…
    local wanted=$1 got
    shift
    got=$("$@") || true
    [ "$got" = "$wanted" ] || complain "wanted '$wanted', got '$got': $*"
}

# On a busy machine the limit grows with the load.
within() { # SECONDS COMMAND…
    local limit=$1 start=$EPOCHREALTIME load cpus spent code=0
    shift
    "$@" || code=$?
    spent=$(((${EPOCHREALTIME/./} - ${start/./}) / 1000))
    cpus=$(nproc)
    load=$(cut -d. -f1 /proc/loadavg)
    limit=$((limit * 1000 * (load > cpus ? load : cpus) / cpus))
    [ "$spent" -le "$limit" ] || complain "took $spent ms, at most $limit were wanted: $*" || return 98
    return "$code"
}

await() { # SECONDS COMMAND…: until it succeeds
    local until=$((SECONDS + $1))
    shift
    until "$@" >/dev/null 2>&1; do
        [ "$SECONDS" -lt "$until" ] || return 1
        sleep 0.1
    done
}

seen() { # HOST COMMAND…
    local host=$1 code=0
    shift
    lab capture "$host" start
    "$@" >&2 || code=$?
    lab capture "$host" stop | awk '{ print $2, $4, ($6 > 30000000 ? "much" : "little") }'
    return "$code"
}
at_least() { [ "$2" -ge "$1" ] || complain "wanted at least $1, got $2"; }

relay_up() { # ADDRESS SERVER PORT…
    [ -x "$STATE/bin/rpc-count" ] || gcc -std=gnu11 -O2 -o "$STATE/bin/rpc-count" "$REPO/tests/lab/rpc-count.c"
    # shellcheck disable=SC2016
    on client sh -c 'setsid "$@" >"$0/calls" 2>&1 & echo $! >/run/relay.pid' "$WORK" \
        "$STATE/bin/rpc-count" "$WORK/counts" "$@"
    await 5 test -s "$WORK/counts"
}
# shellcheck disable=SC2016
relay_down() { on client sh -c 'kill $(cat /run/relay.pid); rm -f /run/relay.pid'; }

undos=()
finally() {
    local words
    printf -v words '%q ' "$@"
    undos+=("$words")
}

skip() { echo "$*" >"$WORK/skip"; exit 0; }
leaves_traces() { : >"$WORK/traces-wanted"; }

adopts() { # COMMAND…
    local code=0
    "$@" >"$WORK/tap" || code=$?
    cat "$WORK/tap"
    sed -En 's/^ok [0-9]+ - (.*) # ([0-9]+) ms$/pass|\2|\1/p; s/^not ok [0-9]+ - (.*) # ([0-9]+) ms$/fail|\2|\1/p' \
        "$WORK/tap" | sed -E "s/^([a-z]+\|[0-9]+)\|/\1|${FILE##*/}|/" >"$WORK/adopted"
    return "$code"
}

watchers=()
during() { # PHASE COMMAND…
    local phase=$1 mark
    shift
    case $phase in
        survey | prepare | switch-over | verify) ;;
        copy) phase='copying disks' ;;
        precopy) phase='pre-copy' ;;
        *) complain "no phase '$phase'" || return ;;
    esac
    mark=$(mktemp "$WORK/during.XXXXXX")
    (
        trap - EXIT ERR DEBUG
        # Progress is in the log, or in what `prints` keeps until its command ends.
        from=$(stat -c %s "$WORK/log")
        until grep -q "^$phase" < <(tail -c "+$((from + 1))" "$WORK/log"
            cat "$WORK"/out.?????? 2>/dev/null); do
            sleep 0.02
        done
        "$@" && rm -f "$mark"
    ) &
    watchers+=("$!|$mark|$phase")
}

# Does ACTION on HOST as soon as libvirt there says an event that holds WORD. /run/faulted says that it did.
at_event() { # HOST WORD ACTION
    lab on "$1" rm -f /run/faulted /run/watcher
    # shellcheck disable=SC2016
    lab on "$1" setsid sh -c 'echo $$ >/run/watcher
        stdbuf -oL virsh event --all --loop </dev/null | while read -r line; do
            case $line in *"$0"*) eval "$1"; : >/run/faulted; break ;; esac
        done' "$2" "$3" >/dev/null 2>&1 &
    finally at_event_ends "$1"
    await 10 lab on "$1" test -s /run/watcher
    sleep 1 # until virsh is connected; nothing outside shows it
}
# shellcheck disable=SC2016  # expanded on the host
at_event_ends() { lab on "$1" sh -c 'kill -- -"$(cat /run/watcher)"' 2>/dev/null || true; }

# Does DEED, a line for the shell, while virt-ferry stands still where POINT:N says; what it told, and its exit code.
stopped() { # POINT:N DEED HOST ARGUMENT…
    local point=$1 deed=$2 host=$3 run pid='' code=0
    shift 3
    : >"$WORK/ferry-ran"
    VIRT_FERRY_FAULT=stop:$point timeout -k 5 "${FERRY_SECONDS:-100}" "$REPO/tests/lab/lab" on "$host" virt-ferry "$@" >"$WORK/told" 2>&1 &
    run=$!
    until [ -n "$pid" ] && grep -qs '^State:.T' "/proc/$pid/status"; do
        kill -0 "$run" 2>/dev/null || { pid=''; break; }
        pid=$(pgrep -P "$run") || true
        sleep 0.05
    done
    [ -n "$pid" ] || complain "it did not stop at $point" || code=1
    eval "$deed" || complain "could not do it meanwhile: $deed" || code=1
    [ -z "$pid" ] || kill -CONT "$pid"
    wait "$run" || code=$?
    cat "$WORK/told"
    return "$code"
}
needs_all() {
    if [ ! -d "$STATE/nfs" ] || [ ! -d "$STATE/ceph" ]; then skip "the lab has no servers: lab up --nfs --ceph"; fi
}
needs_faults() {
    grep -qs VIRT_FERRY_FAULT "$VIRT_FERRY_BUILD/virt-ferry" || skip "this build has no fault points: make debug"
}

# Ends HOST's libvirtd the moment it says that a guest resumed there.
kill_at_resume() { # HOST
    finally start_again "$1"
    # shellcheck disable=SC2016
    at_event "$1" Resumed 'kill -9 "$(cat /run/libvirtd.pid)"'
}
start_again() { lab libvirtd "$1" start >/dev/null 2>&1 || true; }
start_over() { # HOST…: its libvirtd
    local host
    for host; do
        lab libvirtd "$host" kill
        lab libvirtd "$host" start
    done
}

other() { [ "$1" = hostA ] && echo hostB || echo hostA; }
address_of() { lab status | awk -v host="$1" '$1 == "machine" && $2 == host { print $3 }'; }
# What moves of a guest with local images leave behind: HOST GUEST
old_images_gone() { on "$1" sh -c "rm -f /var/lib/libvirt/images/$2-*; virsh -q pool-refresh default"; }
# virt-ferry's there, on stdin: HOST
settings() { on "$1" tee /etc/virt-ferry.conf >/dev/null; }
no_settings() { on "$1" cp /dev/null /etc/virt-ferry.conf; }

watchers_end() {
    local watcher pid mark phase code=0
    for watcher in ${watchers[@]+"${watchers[@]}"}; do
        IFS='|' read -r pid mark phase <<<"$watcher"
        if kill "$pid" 2>/dev/null; then
            sleep 0.1
        fi
        wait "$pid" 2>/dev/null
        [ ! -e "$mark" ] || complain "during '$phase': it never came, or the command failed" || code=1
        rm -f "$mark"
    done
    return "$code"
}

# A guest that lies on shared files goes back faster than a new one boots. The others would have to be copied, or
# lose writes: QEMU's NFS driver does not see a growing image grow.
taken_back() { # FROM HOST NAME
    [ -n "$1" ] && ! grep -qE "/var/lib/libvirt/(images|devices)|protocol='nfs'" "$STATE/guests/$3/domain.xml" &&
        on "$1" timeout 30 virsh -q migrate --live --persistent --undefinesource --unsafe -- "$3" \
            "qemu+tcp://$2/system"
}

# A guest that only earlier cases wanted takes a third of a processor from the next one.
stale=()
stale_begin() {
    local folder
    for folder in "$STATE"/guests/*/; do
        [ ! -d "$folder" ] || stale+=("$(basename "$folder")")
    done
}
stale_but() { # NAME
    local name kept=()
    for name in ${stale[@]+"${stale[@]}"}; do
        [ "$name" = "$1" ] || kept+=("$name")
    done
    stale=(${kept[@]+"${kept[@]}"})
}
stale_remove() {
    local name host
    [ ${#stale[@]} -gt 0 ] || return 0
    for name in "${stale[@]}"; do
        lab rm "$name"
    done
    stale=()
    for host in $(hosts); do
        on "$host" virsh -q pool-refresh default
    done
}

guest() { # HOST NAME OPTION…
    local host=$1 name=$2 at
    stale_but "$name"
    if [ -d "$STATE/guests/$name" ]; then
        at=$(lab runners "$name")
        [ "$at" != "$host" ] || return 0
        ! taken_back "$at" "$host" "$name" || return 0
        lab rm "$name"
        on "$host" virsh -q pool-refresh default
    fi
    stale_remove
    lab guest "$host" "$name" --mem "$GUEST_MIB" --disk-size 64M "${@:3}"
}

# Whatever the developer's own shell reads when it starts, the hosts' shells do not wait for it.
plain_shell() { # HOST…
    local host
    for host; do
        [ -e /root/.bashrc ] || continue
        on "$host" mount --bind /dev/null /root/.bashrc
        finally on "$host" umount /root/.bashrc
    done
}

# Processes of one machine of this lab: all labs see each other's.
on_machine() { # pgrep|pkill HOST ARGUMENT…
    "$1" --ns "$(<"$STATE/machines/$2/pid")" --nslist net "${@:3}"
}

lives_on() { # HOST GUEST
    local host
    is "$1" lab runners "$2"
    is running on "$1" virsh domstate "$2"
    for host in $(hosts); do
        [ "$host" = "$1" ] || ! grep -qxF -- "$2" <<<"$(on "$host" virsh -q list --all --name)" ||
            complain "guest '$2' is defined on '$host' too" || return 1
    done
    grep -q 'lab.log=1' "$STATE/guests/$2/domain.xml" || return 0
    # On a busy machine one that has just come up may not have written yet.
    await 60 grep -qs 'ack ' "$STATE"/machines/*/log/libvirt/qemu/"$2"-console.log
    lab verify "$2"
}

# ---- the run of the cases of one file ----

case_end() {
    local code=$1 i
    trap - EXIT ERR DEBUG
    trap '' INT TERM HUP
    set +e
    watchers_end || code=1
    for ((i = ${#undos[@]} - 1; i >= 0; i--)); do
        eval "${undos[i]}" || complain "the undo failed: ${undos[i]}" || code=1
    done
    if [ "$code" = 0 ] && [ -e "$WORK/ferry-ran" ] && [ ! -e "$WORK/traces-wanted" ]; then
        nothing_left || code=1
    fi
    exit "$code"
}

case_failed() {
    local i
    for ((i = 0; i < ${#BASH_SOURCE[@]}; i++)); do
        [ "${BASH_SOURCE[i]}" != "$WORK/case.sh" ] || break
    done
    echo "*** ${FILE##*/}:${BASH_LINENO[i - 1]:-}: this failed"
}

# The body stands in a file at its own lines, so that the shell's line numbers are the test's.
case_run() { # FIRST LAST
    rm -f "$WORK/skip" "$WORK/traces-wanted" "$WORK/ferry-ran" "$WORK"/out.*
    awk -v first="$1" -v last="$2" '{ print (NR > first && NR <= last ? $0 : "") }' "$FILE" >"$WORK/case.sh"
    : >"$WORK/log"
    (
        trap 'case_end $?' EXIT
        trap 'exit 143' INT TERM HUP
        trap case_failed ERR
        # The case's own commands, not those of the functions that it calls.
        exec 8>&1
        stale_begin
        trap '[ "${FUNCNAME[0]:-}" != source ] || echo "+ $BASH_COMMAND" >&8' DEBUG
        set -eET
        # shellcheck source=/dev/null
        . "$WORK/case.sh"
    ) >>"$WORK/log" 2>&1 </dev/null &
    case_pid=$!
    [ -z "$INTEGRATION_VERBOSE" ] || tail -n +1 -f --pid="$case_pid" "$WORK/log" &
    wait "$case_pid"
}

case_report() { # KIND MS SENTENCE
    local reason='' word=ok
    [ "$1" != fail ] || word='not ok'
    [ "$1" != skip ] || reason="SKIP $(<"$WORK/skip") "
    printf '%s %d - %s # %s%d ms\n' "$word" "$number" "$3" "$reason" "$2"
    [ "$1" != fail ] || sed 's/^/# /' "$WORK/log"
    echo "$1|$2|${FILE##*/}|$3" >>"$WORK/results"
}

case_do() { # FIRST LAST SENTENCE
    local start=$EPOCHREALTIME kind=pass
    [[ -z $INTEGRATION_RUN || $3 =~ $INTEGRATION_RUN ]] || return 0
    number=$((number + 1))
    if [ -n "$INTEGRATION_SKIP" ]; then
        echo "$INTEGRATION_SKIP" >"$WORK/skip"
        kind=skip
    else
        case_run "$1" "$2"
        # shellcheck disable=SC2181
        [ $? = 0 ] || kind=fail
        [ ! -e "$WORK/skip" ] || [ "$kind" = fail ] || kind=skip
    fi
    case_report "$kind" $(((${EPOCHREALTIME/./} - ${start/./}) / 1000)) "$3"
    # What other tests said that this case ran: their counts, and their failures are this case's too.
    [ ! -e "$WORK/adopted" ] || cat "$WORK/adopted" >>"$WORK/results"
    rm -f "$WORK/adopted"
    [ "$kind" != fail ] || heal || { number=-1; return 1; }
}

interrupted() {
    # The shell of the case acts on its signal when the command that it waits for has ended.
    pkill -TERM -P "$case_pid"
    kill -TERM "$case_pid" 2>/dev/null
    wait "$case_pid"
    exit 130
}

cases_run() {
    local line word kind='' i begin=0 sentence='' number=0
    local -a lines
    case_pid=''
    trap interrupted INT TERM HUP
    echo "# ${FILE##*/}"
    mapfile -t lines <"$FILE"
    lines+=('it "" # the end')
    for ((i = 0; i < ${#lines[@]}; i++)); do
        [[ ${lines[i]} =~ ^(it|deep)\ \"(.*)\" ]] || continue
        word=${BASH_REMATCH[1]} line=${BASH_REMATCH[2]}
        # Not part of a condition: in one, set -e has no effect, however deep below.
        if [ "$begin" -gt 0 ] && [[ " $INTEGRATION_KINDS " == *" $kind "* ]]; then
            case_do "$begin" "$i" "$sentence"
            # shellcheck disable=SC2181
            [ $? = 0 ] || break
        fi
        begin=$((i + 1)) sentence=$line kind=$word
    done
    echo "1..$number"
    [ -n "$INTEGRATION_SKIP" ] || guests_remove || heal
    [ "$number" -lt 0 ] || echo end >>"$WORK/results"
}

# What stands before the first case is for all of them.
mapfile -t lines <"$FILE"
preamble=''
is_after=''
for line in "${lines[@]}"; do
    [[ ! $line =~ ^(it|deep)\ \" ]] || break
    [ -z "$is_after" ] || preamble+=$line$'\n'
    [[ $line != *lib.sh* ]] || [[ $line == \#* ]] || is_after=1
done
eval "$preamble"
cases_run
exit 0
