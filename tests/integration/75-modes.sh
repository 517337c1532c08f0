#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck source-path=SCRIPTDIR
# shellcheck disable=SC2317  # cases call what is defined before them
# The ways in which memory travels: post-copy where pre-copy would not end and nowhere else, throttled, paused,
# offline; saved plans, and the history that they leave.
. "$(dirname "$0")/lib.sh"

MIGRATE='migrate --allow-cleartext'

plan_json() { ferry hostA --json plan --allow-cleartext "$@" 2>/dev/null; }
at_gigabit() {
    lab link hostA rate 1gbit
    lab link hostB rate 1gbit
    finally lab link hostA rate none
    finally lab link hostB rate none
}
disarmed_or_not() { # YES|NO HOST: does the newest journal say that it switched?
    local wanted=$1 found=no
    # shellcheck disable=SC2012,SC2016  # expanded on the host; names of journals are plain
    ! lab on "$2" sh -c 'grep -q "\"step\":\"postcopy\"" "$(ls -t /var/lib/virt-ferry/runs/*.journal | head -1)"' ||
        found=yes
    [ "$wanted" = "$found" ] || complain "switched to post-copy: wanted $wanted, found $found"
}
ends_in_precopy() { # MIB-PER-SECOND that it writes, in 64 MiB
    lab guest hostA steady --disk-size 64M --dirty "64,$1"
    finally lab rm steady
    at_gigabit
    sleep 2
    # shellcheck disable=SC2086
    exits 0 prints 'Pre-copy was enough' ferry hostA $MIGRATE steady hostB
    disarmed_or_not no hostA
    lives_on hostB steady
}

it "a guest that writes faster than the link carries goes on in post-copy, without being told to"
lab guest hostA busy --mem 384 --disk-size 64M --dirty 256,400
finally lab rm busy
at_gigabit
sleep 3
# shellcheck disable=SC2086
exits 0 prints 'It went on in post-copy' ferry hostA $MIGRATE busy hostB
disarmed_or_not yes hostA
lives_on hostB busy

it "one whose working set the link outruns ends in pre-copy, although it is armed"
ends_in_precopy 40

# A busy machine carries less than its link.
deep "one whose working set the link just outruns ends in pre-copy too"
ends_in_precopy 60

deep "one that writes little stays in pre-copy, armed or not"
guest hostA calm
# shellcheck disable=SC2086
exits 0 ferry hostA $MIGRATE calm hostB
disarmed_or_not no hostA
lives_on hostB calm
# shellcheck disable=SC2086
exits 0 prints 'precopy-' ferry hostB $MIGRATE --no-postcopy calm hostA
lives_on hostA calm

it "post-copy that a destination turns out not to have is done without; where that is known it is refused"
[ "$(cat /proc/sys/vm/unprivileged_userfaultfd)" = 0 ] || skip "this kernel lets everybody use userfaultfd"
guest hostA calm
lab on hostB cp -a /etc/libvirt/qemu.conf /run/qemu.conf.of-root
lab on hostB sed -i 's/^user = .*/user = "libvirt-qemu"/' /etc/libvirt/qemu.conf
as_root_again() {
    lab on hostB mv /run/qemu.conf.of-root /etc/libvirt/qemu.conf
    lab libvirtd hostB kill
    lab libvirtd hostB start
}
finally as_root_again
lab libvirtd hostB kill
lab libvirtd hostB start
exits 0 prints 'postcopy-userfaultfd' prints 'sysctl' ferry hostA plan calm qemu+ssh://hostB/system
# By TCP nothing is known of the kernel there.
# shellcheck disable=SC2086
exits 0 prints 'is made again, without post-copy' prints 'by precopy-tcp-gated' \
    ferry hostA $MIGRATE calm qemu+tcp://hostB/system
lives_on hostB calm
lab rm calm

it "paused: the guest stands still for all of it and runs at the destination"
guest hostA calm
# shellcheck disable=SC2086
exits 0 prints 'paused-' ferry hostA $MIGRATE --strategy paused-tcp-gated calm hostB
lives_on hostB calm
lab rm calm

it "throttled: the move ends, and the guest runs at full speed again"
guest hostA calm
# shellcheck disable=SC2086
exits 0 prints 'throttled-' ferry hostA $MIGRATE --strategy throttled-tcp-gated calm hostB
lives_on hostB calm
# shellcheck disable=SC2086
exits 3 ferry hostB $MIGRATE --no-throttle --strategy throttled-tcp-gated calm hostA
lives_on hostB calm
lab rm calm

it "a domain that is shut off moves its definition, and starts at the destination"
guest hostA resting
lab on hostA virsh destroy resting
# shellcheck disable=SC2086
exits 0 prints 'offline-' ferry hostA $MIGRATE resting hostB
is_empty lab on hostA sh -c 'virsh -q list --all --name | grep -x resting'
lab on hostB virsh start resting
lives_on hostB resting
lab rm resting

it "a saved plan is done as it was saved, and a stale one is refused with the difference"
guest hostA calm
exits 0 ferry hostA plan --allow-cleartext --strategy precopy-tcp-gated -o /run/saved.plan calm hostB
exits 0 prints 'precopy-tcp-gated' ferry hostA migrate --plan /run/saved.plan
lives_on hostB calm
# shellcheck disable=SC2086
exits 0 ferry hostB $MIGRATE calm hostA
lab on hostA virsh suspend calm
exits 10 prints 'was running, is paused' ferry hostA migrate --plan /run/saved.plan
lab on hostA virsh resume calm
lives_on hostA calm

it "the history has each move with what it was thought to cost, and narrows the next plan"
guest hostA calm
exits 0 prints 'calm' ferry hostA history
lab on hostA sh -c 'echo rubbish >>/var/lib/virt-ferry/history'
exits 0 prints 'set aside' ferry hostA history
# On a busy machine the first look at a move may come after its first pass: it tells nothing of the link then.
for _ in 1 2 3; do
    guest hostA calm
    # shellcheck disable=SC2086
    exits 0 ferry hostA $MIGRATE calm hostB
    ! prints 'by 1 moves' ferry hostA history || break
done
exits 0 prints 'by 1 moves' ferry hostA history
lab on hostA sh -c 'rm -f /var/lib/virt-ferry/history.damaged-*'

it "the first move of a measured guest has intervals no wider than three times their lower end"
lab guest hostA meter --mem 256 --disk-size 64M --dirty 32,40
finally lab rm meter
at_gigabit
lab on hostA rm -f /var/lib/virt-ferry/history
plan_json --save-facts /var/lib/virt-ferry/meter.facts --measure-dirty 4 meter hostB >"$WORK/measured"
finally lab on hostA rm -f /var/lib/virt-ferry/meter.facts
lab on hostA cat /var/lib/virt-ferry/meter.facts >"$WORK/facts"
# What is shaped to a gigabit carries no more, and less only where the machine is busy.
jq -e '[.channels[].measured_bytes_per_s] | all(. > 0 and . < 130000000)' "$WORK/facts" || {
    jq '.channels' "$WORK/facts"
    exit 1
}
[ "$(jq '.domain.content | length' "$WORK/facts")" -gt 0 ] ||
    skip 'the machine is too busy to read the memory of a guest in time'
jq -e '.domain | (.content[-1] | .end_bytes == 268435456 and .low_bytes > 0) and (.dirty | length) == 4 and
    .dirty[-1].high_bytes > 0' "$WORK/facts" || {
    jq '.domain | .content, .dirty' "$WORK/facts"
    exit 1
}
# It writes through its 32 MiB from end to end at 40 MiB/s: the shortest window meets it at any place.
jq -e '.domain.dirty[0] | .bytes / .window_ms * 1000 / 1048576 | . > 15 and . < 90' "$WORK/facts" || {
    jq '.domain.dirty' "$WORK/facts"
    exit 1
}
jq -e '.chosen as $id | .strategies[] | select(.id == $id) | .time_ms, .bytes | .high <= 3 * .low' "$WORK/measured" || {
    jq '.chosen as $id | .strategies[] | select(.id == $id)' "$WORK/measured"
    jq '.domain | .content, .dirty' "$WORK/facts"
    exit 1
}
