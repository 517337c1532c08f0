#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck source-path=SCRIPTDIR source=../integration/lib.sh
# shellcheck disable=SC2016,SC2317  # cases call what is defined before them; texts are for other shells
# RAM and disks inside ssh: each treatment of disks, started on the source and on a third machine; and links that
# are cut, where what was made on either host goes by itself when it no longer hears from us.
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
old_images_gone() { on "$1" sh -c "rm -f /var/lib/libvirt/images/$2-*; virsh -q pool-refresh default"; }

there_and_back() { # NAME SUFFIX DISKS
    local from=hostA to=hostB
    plain_shell hostA hostB
    guest hostA "$1" --disk "$3" --fill 16 --write-log
    exits 0 prints "ssh-gated$2:" ferry "$from" migrate "$1" "$to"
    lives_on "$to" "$1"
    old_images_gone "$from" "$1"
    exits 0 prints "ssh-gated$2:" ferry client -c qemu+ssh://hostB/system migrate "$1" qemu+ssh://root@hostA/system
    lives_on hostA "$1"
    await 5 nothing_of_data client hostA hostB
    lab rm "$1"
}
cut_and_wait() { # HOST
    lab link "$1" down
    sleep 24
    data_left "$1" >"$WORK/left-$1"
    lab link "$1" up
}

it "a shared disk, from the source and from a third machine"
there_and_back x-shared '' shared

it "a copied disk, from the source and from a third machine"
there_and_back x-copy -copy local:raw

it "both, from the source and from a third machine"
there_and_back x-mixed -mixed shared,local:qcow2

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
