#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck source-path=SCRIPTDIR source=../integration/lib.sh
# shellcheck disable=SC2317  # cases call what is defined before them
# lab: --tls
# How long a cut link is survived, in seconds that pass: what the plan says of it is kept, on either side.
. "$(dirname "$(readlink -f "$0")")/../integration/lib.sh"

SLOWLY='--bandwidth 8MiB/s --no-throttle'
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
