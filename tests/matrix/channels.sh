#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck source-path=SCRIPTDIR source=../integration/lib.sh
# shellcheck disable=SC2317  # cases call what is defined before them
# lab: --tls
# Every channel by every treatment of disks, started on the source and on a third machine, with all that passes the
# destination's cable looked at: an encrypted channel shows none of the markers that the guest has in its memory and on
# its disks, one in the clear shows them. With MATRIX_CHANNELS set, its rows go into that file.
. "$(dirname "$(readlink -f "$0")")/../integration/lib.sh"
# shellcheck source=../integration/sasl.sh
. "$REPO/tests/integration/sasl.sh"

row() { [ -z "${MATRIX_CHANNELS:-}" ] || printf '| %s | %s | %s | %s | %s | %s | %s |\n' "$@" >>"$MATRIX_CHANNELS"; }

ferry_into() { ferry "$2" --json "${@:3}" >"$1"; } # FILE HOST ARGUMENT…

# Of the two counts the second is of disks, and means something only where one is copied.
judge() { # CHANNEL TREATMENT MEMORY DISKS
    if [ "$1" != tcp ]; then
        is '0 0' echo "$3 $4"
        return
    fi
    at_least 100 "$3"
    [ "$2" = shared ] || at_least 100 "$4"
}

moves() { # CHANNEL TREATMENT NAME RUN-ON TO HAND-OVER ARGUMENT…
    local counts said=$WORK/moved.json suffix=-$2
    [ "$2" != shared ] || suffix=
    counts=$(seen "$5" ferry_into "$said" "$4" "${@:7}")
    lives_on "$5" "$3"
    [[ $(jq -r .strategy "$said") == *-"${1%+*}-$6$suffix" ]] || complain "by $(jq -r .strategy "$said")"
    read -r memory disks much <<<"$counts"
    is much echo "$much"
    judge "$1" "$2" "$memory" "$disks"
    row "$1" "$2" "$4" "$(jq -r .strategy "$said")" \
        "$(jq -r '"\(.actual.time_ms) ms, \(.actual.downtime_ms // "?") ms"' "$said")" "$memory" "$disks"
}

# What is looked for on the wire must be on the disk by then.
has_written() { [ "$(lab verify "$1" | sed -n 's/.*: \([0-9]*\) acknowledged.*/\1/p')" -ge 150 ]; } # GUEST

# By the source itself, then back by the third machine.
there_and_back() { # CHANNEL TREATMENT DISKS
    local name=x-$2 way=${1%+*} user='' back=held leave=()
    [ "$1" != tcp ] || leave=(--allow-cleartext)
    if [ "$1" = ssh ]; then
        plain_shell hostA hostB
        user=root@ back=gated
    fi
    [ "$1" != tls+sasl ] || ask_for_passwords
    guest hostA "$name" --disk "$3" --dirty 32,10 --write-log
    [ "$2" = shared ] || await 30 has_written "$name"
    moves "$1" "$2" "$name" hostA hostB gated migrate ${leave[@]+"${leave[@]}"} "$name" "qemu+$way://hostB/system"
    on hostA sh -c "rm -f /var/lib/libvirt/images/$name-*; virsh -q pool-refresh default"
    moves "$1" "$2" "$name" client hostA "$back" -c "qemu+$way://hostB/system" migrate ${leave[@]+"${leave[@]}"} \
        "$name" "qemu+$way://${user}hostA/system"
    lab rm "$name"
}
shared() { there_and_back "$1" shared shared:raw; }
copied() { there_and_back "$1" copy local:raw; }
mixed() { there_and_back "$1" mixed shared:raw,local:raw; }

it "ssh, shared"
shared ssh

it "ssh, copied"
copied ssh

it "ssh, mixed"
mixed ssh

it "tcp, shared"
shared tcp

it "tcp, copied"
copied tcp

it "tcp, mixed"
mixed tcp

it "tls, shared"
shared tls

it "tls, copied"
copied tls

it "tls, mixed"
mixed tls

it "tls with SASL, shared"
shared tls+sasl

it "tls with SASL, copied"
copied tls+sasl

it "tls with SASL, mixed"
mixed tls+sasl

it "memory by four connections over TLS beside a copied disk, and back by three through an ssh each, slowed"
guest hostA several --disk shared:raw,local:raw --fill 16 --dirty 32,10 --write-log
plain_shell hostA hostB
exits 0 prints 'precopy-tls-gated-mixed-x4' ferry hostA migrate --connections 4 several qemu+tls://hostB/system
lives_on hostB several
on hostA sh -c 'rm -f /var/lib/libvirt/images/several-*; virsh -q pool-refresh default'
exits 0 prints 'throttled-ssh-gated-mixed-x3' \
    ferry hostB migrate --strategy throttled-ssh-gated-mixed-x3 several qemu+ssh://hostA/system
lives_on hostA several
lab rm several

it "by two connections peer to peer, held, and with the guest standing still for all of it"
guest hostA several --write-log
exits 0 prints 'precopy-tls-held-p2p-x2' ferry hostA migrate --p2p --connections 2 several qemu+tls://hostB/system
lives_on hostB several
exits 0 prints 'paused-tls-gated-x2' ferry hostB migrate --strategy paused-tls-gated-x2 several qemu+tls://hostA/system
lives_on hostA several
lab rm several
