#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck source-path=SCRIPTDIR source=../integration/lib.sh
# shellcheck disable=SC2317  # cases call what is defined before them
# lab: --tls
# How long a cut link is survived, in seconds that pass: what the plan says of it is kept, on either side.
. "$(dirname "$(readlink -f "$0")")/../integration/lib.sh"

SLOWLY='--bandwidth 8MiB/s --no-throttle'
hear_again() { lab on hostA nft delete table inet deaf 2>/dev/null || true; }
away_for() { lab link "$2" down; sleep "$1"; lab link "$2" up; } # SECONDS HOST

it "cuts of which the plan says so are survived, peer to peer and direct, and longer ones leave the guest"
finally lab link hostB up
for way in p2p:16 direct:7; do
    guest hostA web --write-log
    during precopy away_for "${way#*:}" hostB
    # shellcheck disable=SC2086
    exits 0 ferry hostA migrate --${way%:*} $SLOWLY --strategy "precopy-tls-held$([ "${way%:*}" = direct ] || echo -p2p)" \
        web qemu+tls://hostB/system
    watchers_end
    watchers=()
    lives_on hostB web
done
for way in p2p:35 direct:20; do
    guest hostA web --write-log
    during precopy away_for "${way#*:}" hostB
    # shellcheck disable=SC2086
    exits 1 prints 'untouched at' ferry hostA migrate --${way%:*} $SLOWLY --no-postcopy web qemu+tls://hostB/system
    watchers_end
    watchers=()
    lives_on hostA web
done

it "a client that is cut off from both hosts does not end it: the run goes on where it is heard again"
guest hostA web --write-log
finally lab link client up
during precopy away_for 25 client
# shellcheck disable=SC2086
exits 0 ferry client -c qemu+tls://hostA/system migrate --p2p $SLOWLY web qemu+tls://hostB/system
lives_on hostB web

# libvirt at the source hears nothing of the start for longer than its patience, and lets its own guest go on: the lock
# does not let it. Then the same with a destination's libvirtd that dies at the start.
it "locked, peer to peer: where the answer of the destination is lost the source's guest is shut out by the lock"
# On a busy machine the silence may be too long before the guest's memory is over there: then it was another fault.
for _ in 1 2 3; do
    guest hostA web --write-log
    finally hear_again
    at_event hostA migration-iteration "nft 'table inet deaf { chain in { type filter hook input priority 0;
        ip saddr $(address_of hostB) tcp sport 16514 drop; }; }'"
    ferry hostA migrate --p2p --strategy precopy-tls-locked-p2p web qemu+tls://hostB/system || true
    on hostA test -e /run/faulted
    is 1 sh -c "'$REPO/tests/lab/lab' runners web | wc -l"
    at=$(lab runners web)
    hear_again
    at_event_ends hostA
    exits 0 ferry hostA recover
    lives_on "$at" web
    [ "$at" = hostA ] || break
done
is hostB echo "$at"
guest hostA web --write-log
kill_at_resume hostB
# shellcheck disable=SC2086
ferry hostA migrate --p2p $SLOWLY --strategy precopy-tls-locked-p2p web qemu+tls://hostB/system || true
on hostB test -e /run/faulted
is hostB lab runners web
start_again hostB
exits 0 ferry hostA recover
lives_on hostB web

it "locked is not offered for disks that are copied, on the network, shareable, or with words for QEMU in the domain"
guest hostA web --write-log
exits 0 prints '-locked-p2p' ferry hostA plan --p2p web qemu+tls://hostB/system
lab rm web
guest hostA copied --disk local
exits 0 lacks '-locked' ferry hostA plan --p2p copied qemu+tls://hostB/system
lab rm copied
lab guest hostA wordy --mem "$GUEST_MIB" --disk-size 64M --disk shared:raw # what is shareable must be raw
finally lab rm wordy
on hostA virsh -q destroy wordy
for change in 's|<target dev=.vda.|<shareable/>&|' \
    "s|^<domain |<domain xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0' |; s|^</domain>|<qemu:commandline><qemu:env name='A' value='1'/></qemu:commandline>&|"; do
    on hostA virsh -q undefine wordy
    sed -E "$change" "$STATE/guests/wordy/domain.xml" | on hostA virsh -q define /dev/stdin
    on hostA virsh -q start wordy
    exits 0 lacks '-locked' ferry hostA plan --p2p wordy qemu+tls://hostB/system
    on hostA virsh -q destroy wordy
done
