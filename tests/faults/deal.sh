# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# What case INDEX of SEED is. Nothing but these two and the choices on the command line decide, so that one case can be
# had again without those before it.
# shellcheck disable=SC2154,SC2034  # of run and faults.sh

draw() { # WORD BELOW: a number of this case that is always the same for the word
    local hex
    hex=$(printf '%s' "$seed:$index:$1" | sha256sum)
    echo $((16#${hex:0:12} % $2))
}

pick() { # WORD CHOICE…
    local word=$1
    shift
    shift "$(draw "$word" $#)"
    echo "$1"
}

# Faults in an order that the seed shuffles, one after the other: a small set has each at most once.
declare -A shuffled=()
deal_fault() {
    local round
    local -a all
    [ -n "${possible:=$(faults_for "$only_fault" "$only_disk" | xargs)}" ] ||
        die "no fault '$only_fault' on disk '$only_disk'"
    read -ra all <<<"$possible"
    round=$((index / ${#all[@]}))
    [ -n "${shuffled[$round]:-}" ] || shuffled[$round]=$(for fault in "${all[@]}"; do
        printf '%s %s\n' "$(printf '%s' "$seed:$round:$fault" | sha256sum | cut -c1-16)" "$fault"
    done | sort | cut -d' ' -f2 | xargs)
    read -ra all <<<"${shuffled[$round]}"
    fault=${all[index % ${#all[@]}]}
}

# The cases from FROM on, those of one kind of disk after the other: a guest that is there need not be made.
deal_order() { # FROM N
    local i
    for ((i = $1; i < $1 + $2; i++)); do
        deal "$i"
        echo "$disk $i"
    done | sort -k1,1 -k2,2n | cut -d' ' -f2
}

deal_moment() {
    local moment
    local -a all=()
    if [ "$way" = postcopy ]; then
        at=postcopy
        return
    fi
    for moment in $(fault_field "$fault" 5 | sed "s/^any$/$(cut -d'|' -f1 <<<"$MOMENTS" | xargs)/"); do
        ! moment_is_possible "$moment" "$disk" "$way" "$channel" || all+=("$moment")
    done
    at=$(pick moment "${all[@]}")
}

deal() { # INDEX: sets fault, at, disk, way, channel and what those want
    local -a disks ways channels
    index=$1
    deal_fault
    mapfile -t disks < <(fault_disks "$fault")
    disk=${only_disk:-$(pick disk "${disks[@]}")}
    mapfile -t ways < <(ways_for "$fault" "$disk")
    way=${only_way:-$(pick way "${ways[@]}")}
    mapfile -t channels < <(fault_field "$fault" 7 | tr ' ' '\n')
    [ -n "${channels[*]}" ] || channels=(tcp ssh)
    # Peer to peer libvirt itself logs in, which by ssh it cannot. What post-copy lost inside ssh cannot be joined again.
    case $way in p2p | locked | postcopy) channels=(tcp) ;; esac
    channel=${only_channel:-$(pick channel "${channels[@]}")}
    at=$only_at
    [ -n "$at" ] || deal_moment
    step=${only_step:-$((1 + $(draw step "$(records_of "$disk" "$way" "$channel")")))}
    wait_share=$(draw wait 1000)
}
