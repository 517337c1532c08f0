#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck source-path=SCRIPTDIR source=../integration/lib.sh
# shellcheck disable=SC2016,SC2317  # cases call what is defined before them; texts are for other shells
# RAM and disks inside ssh, where links are cut: what was made on either host goes by itself when it no longer hears from us.
. "$(dirname "$(readlink -f "$0")")/../integration/lib.sh"

data_left() { # HOST…
    local host pid
    for host; do
        find "$STATE/machines/$host/run/libvirt/qemu/virt-ferry" -mindepth 1 2>/dev/null || true
        for pid in $(pgrep -f '[q]emu/virt-ferry/way-' || true); do
            [ "$(readlink "/proc/$pid/ns/net")" != "$(readlink "/proc/$(<"$STATE/machines/$host/pid")/ns/net")" ] ||
                echo "process $pid on $host"
        done
    done
}
nothing_of_data() { [ -z "$(data_left "$@")" ]; }
cut_and_wait() { # HOST
    lab link "$1" down
    sleep 24
    data_left "$1" >"$WORK/left-$1"
    lab link "$1" up
}

it "a link that is cut: the destination's shell ends by itself, the guest stays, the next run settles"
guest hostA cut --write-log
finally lab link hostB up
during precopy cut_and_wait hostB
ferry hostA migrate cut hostB --bandwidth 6MiB/s --no-postcopy --strategy precopy-ssh-gated || true
is hostA lab runners cut
await 30 test -e "$WORK/left-hostB"
is_empty cat "$WORK/left-hostB"
await 30 nothing_of_data hostA hostB
exits 0 ferry hostA migrate cut hostB
lives_on hostB cut
lab rm cut

it "the client's link is cut: shells and ssh on both hosts end by themselves, and the guest runs once"
guest hostA cut --write-log
plain_shell hostA hostB
finally lab link client up
during precopy lab link client down
ferry client -c qemu+ssh://hostA/system migrate cut hostB --bandwidth 2MiB/s --no-postcopy || true
await 40 nothing_of_data hostA hostB
is hostA lab runners cut
lab link client up
exits 0 ferry client -c qemu+ssh://hostA/system migrate cut hostB
lives_on hostB cut
lab rm cut
