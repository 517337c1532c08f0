# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# When a fault comes: at a random moment of a phase, at an event that libvirt tells of or a while after it, or with
# virt-ferry stopped at a record of its journal or before libvirt's last word.
# shellcheck disable=SC2154  # of run, deal.sh and faults.sh

# name|kind|what it waits for|the longest wait after it, in ms
MOMENTS='survey|phase|survey|900
prepare|phase|prepare|300
copy|phase|copying disks|900
precopy|phase|pre-copy|1500
switch-over|event|source suspended|250
verify|event|source stopped|60
ready|event|source block-ready|0
pass|event|source pass|0
pass-2|event|source pass 2|0
suspended|event|source suspended|0
started|event|dest started|0
resumed|event|dest resumed|0
postcopy|event|dest resumed 3|1500
confirm|stop|confirm|0
undefine|stop|journal-source-undefine|0
journal-before|stop|journal-before|0
journal|stop|journal|0'

moment_field() { awk -F'|' -v name="$1" -v field="$2" '$1 == name { print $field }' <<<"$MOMENTS"; }

# There is no gate peer to peer, and from a third machine by TCP.
is_gated() { # WAY CHANNEL
    case $1:$2 in p2p:* | locked:* | third:tcp) return 1 ;; esac
}

# Which moments can come at all: nothing is copied where all is shared, nothing is held without a gate; and only one way is
# slow enough for post-copy.
moment_is_possible() { # MOMENT DISK WAY CHANNEL
    case $1 in
        copy | ready) [ "$2" = copied ] || [ "$2" = mixed ] ;;
        confirm) is_gated "$3" "$4" ;;
        postcopy) [ "$3" = postcopy ] ;;
    esac
}

# What a run writes into its journal at least, to its end: what each has (begin, mark, surveyed, migrate, migrated, moved,
# source-undefine, mark-clear, end), and what proofs, images and the held hand-over add.
records_of() { # DISK WAY CHANNEL
    local records=9
    is_gated "$2" "$3" || records=$((records + 2))
    case $1 in shared) records=$((records + 6)) ;; copied) records=$((records + 8)) ;; mixed) records=$((records + 8)) ;; esac
    echo "$records"
}

watchers_begin() {
    local host side
    : >"$case_dir/events"
    event_pids=()
    for side in source dest; do
        host=$source
        [ "$side" = source ] || host=$dest
        stdbuf -oL "$bin/events" "qemu:///system?socket=$STATE/machines/$host/run/libvirt/libvirt-sock" "$guest" \
            2>/dev/null < /dev/null |
            while read -r line; do echo "$side $line"; done >>"$case_dir/events" &
        event_pids+=($!)
    done
    await 10 both_ready || fail 'the event watchers did not come up'
}
both_ready() { [ "$(grep -c ready "$case_dir/events")" = 2 ]; }

watchers_end() {
    local pid
    for pid in $(pgrep -f "^$bin/events .*$STATE/machines/"); do
        kill "$pid" 2>/dev/null
    done
    wait "${event_pids[@]}" 2>/dev/null
}

is_stopped() { # PID
    local text
    { read -r text <"/proc/$1/stat"; } 2>/dev/null && [[ ${text##*) } == T* ]]
}

# What virt-ferry is told before it begins, for the moments that are its own.
moment_setting() { # FAULT
    case $(moment_field "$at" 2):$1 in
        stop:journal-fails) echo "fail:journal-before:$step" ;;
        stop:*) case $at in journal*) echo "stop:$at:$step" ;; *) echo "stop:$(moment_field "$at" 3):1" ;; esac ;;
    esac
}

moment_has_come() {
    local kind what
    kind=$(moment_field "$at" 2) what=$(moment_field "$at" 3)
    while kill -0 "$ferry" 2>/dev/null; do
        case $kind in
            phase) ! grep -q "^$what" "$case_dir/said" || return 0 ;;
            event) ! grep -q "^$what" "$case_dir/events" || return 0 ;;
            stop) ! is_stopped "$ferry" || return 0 ;;
        esac
        read -rt 0.004 <>"$case_dir/never"
    done
    return 1
}

moment_wait() { # 1: it did not come, or virt-ferry had ended by then
    local most
    moment_has_come || return 1
    most=$(($(moment_field "$at" 4) * wait_share / 1000))
    [ "$most" = 0 ] || sleep "$(printf '%d.%03d' $((most / 1000)) $((most % 1000)))"
    # libvirt's word of the source's end comes last: all of the memory was there.
    [ "$at" != postcopy ] || ! grep -q '^source stopped' "$case_dir/events" || return 1
    kill -0 "$ferry" 2>/dev/null
}
