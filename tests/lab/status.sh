# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# shellcheck source-path=SCRIPTDIR
# What the lab can say: its machines and guests, who really runs a guest, and for how long it was
# silent. Runners come from the scheduler's own counters, whatever libvirt says or does not say.
# shellcheck disable=SC2154  # LAB_DIR, LAB_ID, STATE and others come from lab and base.sh
# shellcheck source=disk.sh
. "$LAB_DIR/disk.sh"

cmd_status() {
    local machine guest kind place what daemon
    [ $# = 0 ] || usage_error "usage: lab status"
    need_up
    echo "lab $LAB_ID"
    for machine in client $(hosts); do
        daemon=
        ! is_host "$machine" || daemon=" qemu+tcp://$machine/system qemu+ssh://root@$machine/system"
        echo "machine $machine $(address_of "$machine")$daemon"
    done
    for guest in "$STATE"/guests/*/; do
        guest=$(basename "$guest")
        [ -e "$STATE/guests/$guest/address" ] || continue
        # shellcheck disable=SC2046
        echo "guest $guest $(<"$STATE/guests/$guest/address") runs on:" $(runners "$guest")
    done
    while IFS='|' read -r kind place what; do
        echo "location $kind $place ($what)"
    done < <(kinds)
}

# Time on a CPU so far, summed over the virtual CPUs of one QEMU. A suspended one stands still.
vcpu_time() { # PID
    local thread name time sum=0
    for thread in /proc/"$1"/task/*; do
        { read -r name <"$thread/comm"; } 2>/dev/null || continue
        [[ $name == CPU\ *TCG* || $name == CPU\ *KVM* ]] || continue
        { read -r time _ <"$thread/schedstat"; } 2>/dev/null || continue
        sum=$((sum + time))
    done
    echo "$sum"
}

ran_now() { # SECONDS… <HOST/PID lines >those whose virtual CPUs ran in one of these times, each a line
    local seconds key
    local -A before=()
    while read -r key; do
        before[$key]=$(vcpu_time "${key#*/}")
    done
    for seconds; do
        [ ${#before[@]} -gt 0 ] || return 0
        sleep "$seconds"
        for key in "${!before[@]}"; do
            # A process that has ended has no time at all: less than before, which is not running.
            [ "$(vcpu_time "${key#*/}")" -gt "${before[$key]}" ] || continue
            echo "$key"
            unset "before[$key]"
        done
    done
}

runners() { # GUEST; one host a line
    local host pid found
    # The guest wakes every millisecond; a second, longer look is for a machine that is very busy.
    found=$(for host in $(hosts); do
        for pid in $(qemu_of "$host" "$1"); do
            echo "$host/$pid"
        done
    done | ran_now 0.05 0.15)
    # Two in one look may be one that was handed over in it; who runs twice does so in the next look too.
    [ "$(wc -l <<<"$found")" -lt 2 ] || found=$(ran_now 0.05 <<<"$found")
    [ -z "$found" ] || sed 's|/.*||' <<<"$found" | sort
}

cmd_runners() {
    [ $# = 1 ] || usage_error "usage: lab runners GUEST"
    need_up
    need_guest "$1"
    runners "$1"
}

cmd_gap() {
    [ $# = 1 ] || usage_error "usage: lab gap GUEST"
    need_up
    need_guest "$1"
    "$STATE/bin/pinger" gap "$STATE/guests/$1/ping"
}
