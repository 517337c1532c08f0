# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# After a fault: what is open is settled, then exactly one host runs the guest, every acknowledged write is on its disks,
# and nothing is left on either host. Where the guest itself was ended, one definition that starts.
# shellcheck disable=SC2154,SC2034  # of run, deal.sh and faults.sh

# What settles a run that died, on the machine that has its journal.
settle_command() { echo "recover $guest"; }

# ---- what was seen to be wrong: kept, and said at the end of the case ----

MARK_URI=https://virt-ferry.dev/ns/run/1
verdict=''
wrong() { # twice|lost|none|left|hung|exit|harness WHY
    verdict=$1
    echo "*** $1: $2"
}
fail() { wrong harness "$*"; return 1; }

everywhere() { # COMMAND…: on each host, its output marked
    local host
    for host in $source $dest; do
        on "$host" "$@" 2>&1 </dev/null | sed "s/^/on $host: /"
    done
}

# One without its beginning is of a run that has done nothing; a later run closes it when it is a minute old.
journals_open() {
    # shellcheck disable=SC2016
    on "$client" sh -c 'for f in /var/lib/virt-ferry/runs/*.journal; do
        [ ! -e "$f" ] || ! grep -q "\"step\":\"begin\"" "$f" || grep -q "\"step\":\"end\"" "$f" || echo "$f"; done'
}

# Of files, pools, gates, marks and processes (traces.sh); of jobs, and of images at the host where the guest is not
# that it never had.
left_behind() {
    traces | grep -v '^journal without'
    journals_open | sed "s/^/open journal /"
    everywhere sh -c "virsh -q domjobinfo '$guest' 2>/dev/null | sed -n '/None/!s/^Job type: */job /p'"
    everywhere sh -c "for t in vda vdb vdc vdd; do
        virsh -q blockjob '$guest' \$t 2>/dev/null | grep -v 'No current' | sed \"s/^/block job on \$t: /\"; done"
    strange_images
    [ -z "$(ssh_of "$client")" ] || echo "ssh still runs on $client"
}

# A guest that stayed has no image at the destination. (One that moved has its old one at the source: that is said.)
strange_images() {
    [ "$(lab runners "$guest")" = "$source" ] || return 0
    case $disk in copied | mixed) ;; *) return 0 ;; esac
    on "$dest" find /var/lib/libvirt/images -name "$guest-*" -printf "on $dest: image %f\n"
}

# ---- settling ----

code_of() { # FILE COMMAND…: its exit code into $code
    local file=$1
    shift
    code=0
    "$@" >"$file" 2>&1 </dev/null || code=$?
}

settle_once() { # [SETTING of faults]
    local file
    tries=$((tries + 1))
    file=$case_dir/settle-$tries
    # shellcheck disable=SC2046
    VIRT_FERRY_FAULT=${1:-} code_of "$file" timeout -k 5 "$(patience)" "$LAB" on "$client" "${ferry_env[@]}" \
        virt-ferry $(settle_command)
    echo "settle $tries: exit $code: $(tail -n 2 "$file" | tr '\n' ' ')"
    [ "$code" -lt 124 ] || [ -n "${1:-}" ] || wrong hung "settling ended with $code"
}

is_marked() {
    local host
    for host in $source $dest; do
        ! on "$host" virsh -q metadata "$guest" "$MARK_URI" >/dev/null 2>&1 || return 0
    done
    return 1
}

# On a journal that cannot be trusted, or written, nothing may be done: the guest stays as it is, and it is said why. A run
# that had not yet marked the domain had done nothing to it.
settle_must_refuse() { # WORD-IN-ITS-MESSAGE
    local before after marked=''
    ! is_marked || marked=1
    before=$(lab runners "$guest")
    settle_once
    after=$(lab runners "$guest")
    [ -n "$marked" ] || return 0
    [ "$code" != 0 ] || wrong exit "exit 0 although the journal is $1"
    grep -q "$1" "$case_dir/settle-$tries" || wrong exit "nothing says that the journal is $1"
    [ "$before" = "$after" ] || wrong exit "the guest went from '$before' to '$after' although the journal is $1"
}

damage() {
    # shellcheck disable=SC2016
    on "$client" sh -c 'for f in /var/lib/virt-ferry/runs/*.journal; do
        cp "$f" /run/whole; awk "NR == 2 { sub(/step/, \"stap\") } 1" /run/whole >"$f"; done'
}
repair() {
    # shellcheck disable=SC2016
    on "$client" sh -c 'for f in /var/lib/virt-ferry/runs/*.journal; do
        [ ! -e /run/whole ] || cp /run/whole "$f"; done; rm -f /run/whole'
}

# At its first record, before it acts, at its second record, …: each begins anew with what the one before has left.
recoveries_die() {
    local point died=0
    for point in journal:1 act:1 journal:2 journal:3 journal:4; do
        ! is_settled || break
        settle_once "kill:$point"
        [ "$code" != 137 ] || died=$((died + 1))
    done
    echo "    recoveries killed: $died"
    [ "$died" -gt 0 ] || hit=no
}

settle_specially() {
    case $fault in
        kill-ferry-and-recovery)
            recoveries_die
            ;;
        journal-read-only)
            settle_must_refuse ead-only
            on "$client" mount -o remount,rw /var/lib/virt-ferry
            ;;
        journal-damaged)
            [ -n "$(journals_open)" ] || return 0
            damage
            settle_must_refuse damaged
            repair
            ;;
    esac
}

is_settled() { [ -z "$(journals_open)" ] && [ "$(runner_count)" = 1 ] && left=$(left_behind) && [ -z "$left" ]; }

# A run that ended well, or said that nothing was moved, has nothing to be settled.
settle() {
    local left='' most
    tries=0
    settle_specially
    most=$((tries + 3))
    if [ "$tries" = 0 ]; then
        if is_settled; then
            return
        fi
        case $first_code in
            0 | 1 | 5) [ -n "$may_leave" ] || echo "not clean after exit $first_code: $left; $(journals_open)" ;;
        esac
        ends_clean || wrong left "exit $first_code, and: $left $(journals_open)"
        # The guest alone was ended, and that is no run's to mend.
        [ "$first_code" != 0 ] || [ -n "$(journals_open)$(left_behind)" ] || return 0
    fi
    while [ "$tries" -lt "$most" ] && ! is_settled; do
        settle_once
        # What the tool leaves to the operator it leaves to him the second time too.
        [ "$tries" -lt $((most - 1)) ] || { [ "$code" != 7 ] && [ "$code" != 11 ]; } || return 0
        [ "$tries" -lt 2 ] || [ "$code" != 11 ] || return 0 # each of which it has looked at for 20 s
        sleep 1
    done
}

# Exit 0 says that all is done; with 1 and 5 an undo that could not be made is a line of its own.
ends_clean() {
    if [ "$first_code" = 0 ]; then
        # A guest that was ended when all was done.
        [ -n "$(fault_field "$fault" 3)" ] && [ -z "$(journals_open)$(left_behind)" ]
        return
    fi
    case $first_code in 1 | 5) ;; *) return 0 ;; esac
    [ -n "$(fault_field "$fault" 3)" ] || grep -qE 'not all undone|is left as it is|could not' "$case_dir/said"
}

runner_count() { lab runners "$guest" | wc -l; }

# ---- judging ----

detector_end() {
    local code=0
    kill -TERM "$detector" 2>/dev/null
    wait "$detector" || code=$?
    sed 's/^/    /' "$case_dir/detector"
    [ "$code" = 0 ] || wrong twice "$(grep -m1 -E '^VIOLATION|^TWICE' "$case_dir/detector")"
}

is_defined_on() { on "$1" virsh -q list --all --name | grep -x "$guest" >/dev/null; }
state_on() { on "$1" virsh -q domstate --reason "$guest" 2>/dev/null | tr '\n' ' '; }

# What an operator does who finds it nowhere running: once, where there is a choice, behind what the tool said.
start_by_hand() {
    local host
    said_by_hand="$source: $(state_on "$source"); $dest: $(state_on "$dest")"
    for host in $source $dest; do
        case $(state_on "$host") in
            paused*) on "$host" virsh -q resume "$guest" && return ;;
        esac
    done
    # The newest writes are where it ran last.
    for host in $dest $source; do
        ! is_defined_on "$host" || ! on "$host" virsh -q start "$guest" || return 0
    done
    return 1
}

# The guest was ended by the fault: it is startable, in one place, with its data.
revive() {
    local found=0 host
    for host in $source $dest; do
        ! is_defined_on "$host" || found=$((found + 1))
    done
    [ "$found" -le 1 ] || [ "$code" = 7 ] || [ "$code" = 11 ] || wrong left "it is defined on both hosts: $(state_on "$source"), $(state_on "$dest")"
    start_by_hand || { wrong none "it cannot be started anywhere"; return; }
    timeout 60 "$STATE/bin/pinger" wait "$STATE/guests/$guest/ping" 60 || wrong none "it was started and does not answer"
    sleep 0.5
}

# What exit code 11 says is to be done, word by word: what is left of it is ended, and it starts from its disks.
halves_end() {
    local host
    for host in $source $dest; do
        on "$host" virsh -q destroy "$guest" || true # there may be nothing
    done
    is_defined_on "$dest" ||
        on "$source" virsh -q dumpxml --inactive --security-info "$guest" | on "$dest" virsh -q define /dev/stdin
    ! is_defined_on "$source" || on "$source" virsh -q undefine --keep-nvram "$guest"
    on "$dest" virsh -q start "$guest" || { wrong none "it cannot be started at $dest"; return; }
    timeout 60 "$STATE/bin/pinger" wait "$STATE/guests/$guest/ping" 60 || wrong none "it was started and does not answer"
    sleep 0.5
}

# Of exit code 7: a destination that only waits for pages does not know that nobody sends them, until it is told.
halves_meet() {
    said=1
    echo '    by hand: the destination is told that its connection is gone'
    on "$dest" ss -HtK "dst $(address "$source") and sport >= :49152 and sport <= :49215"
}

# Paused at the source, for a destination that is gone.
hung_by_hand() {
    said=1
    echo "    exit $code, from $source: $(state_on "$source"): by hand it is told that its connection is gone"
    on "$source" ss -HtK "dst $(address "$dest") and dport >= :49152 and dport <= :49215"
    sleep 2
    settle_once
}
halves_by_hand() {
    said=1
    echo "    exit $code, from $source: $(state_on "$source"); $dest: $(state_on "$dest")"
    if [ "$code" = 11 ]; then halves_end; else halves_meet; fi
    settle_once
}

judge() {
    local host left where
    case $way:$code in
        postcopy:7 | postcopy:11) halves_by_hand ;;
        *:7) ! grep -q "dport >= :49152" "$case_dir"/settle-* || hung_by_hand ;;
    esac
    where=$(lab runners "$guest")
    # Neither half may be started by itself.
    [ -n "$where" ] || [ "$way" != postcopy ] || { wrong none "nobody runs it, exit $code"; return; }
    if [ -z "$where" ]; then
        if [ -z "$(fault_field "$fault" 3)" ] && [ "$code" != 7 ] && [ "$code" != 11 ]; then
            wrong none "nobody runs the guest, exit $code: $source: $(state_on "$source"); $dest: $(state_on "$dest")"
        fi
        [ "$code" != 7 ] && [ "$code" != 11 ] || said=1
        revive
        where=$(lab runners "$guest")
        echo "    by hand, from $said_by_hand: runs on $where"
        [ -z "$said" ] || settle_once
        where=$(lab runners "$guest")
    fi
    case $where in
        '') wrong none 'nobody runs the guest'; return ;;
        *$'\n'*) wrong twice "runners: ${where//$'\n'/ }"; return ;;
    esac
    for host in $source $dest; do
        [ "$host" = "$where" ] || ! is_defined_on "$host" || wrong left "it runs on $where and is defined on $host: $(state_on "$host")"
    done
    lab verify "$guest" || wrong lost "$(lab verify "$guest" | tail -n1)"
    left=$(left_behind)
    [ -z "$left" ] || wrong left "$left"
}

# What virsh leaves, which has nothing that settles. By hand: one runs, and something is to be cleaned up or finished.
judge_alone() {
    local where host
    where=$(lab runners "$guest")
    echo "    $source: $(state_on "$source"); $dest: $(state_on "$dest"); runs on: ${where//$'\n'/ }"
    case $where in
        *$'\n'*) wrong twice "runs on ${where//$'\n'/ and }" ;;
        '') [ "$verdict" = twice ] || wrong none 'runs nowhere' ;;
    esac
    [ -z "$verdict" ] || return
    lab verify "$guest" || wrong lost "$(lab verify "$guest" | tail -n1)"
    for host in $source $dest; do
        [ "$host" = "$where" ] || [ -z "$(qemu_on "$host")" ] || wrong hand "on $host: $(state_on "$host")"
    done
    [ "$where" = "$source" ] || [ "$first_code" = 0 ] || wrong hand "moved, and exit $first_code"
}
