#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck source-path=SCRIPTDIR source=../integration/lib.sh
# shellcheck disable=SC2317  # cases call what is defined before them
# lab: --tls
# Faults of moves by TLS, with SASL and without; what moves is in channels.sh.
. "$(dirname "$(readlink -f "$0")")/../integration/lib.sh"

# shellcheck source=../integration/sasl.sh
. "$REPO/tests/integration/sasl.sh"

it "a link that is cut in the middle of a copy by TLS leaves the guest at the source"
guest hostA slow --disk local --fill 32 --write-log
finally lab link hostB up
down_for_a_while() { lab link hostB down; sleep 20; lab link hostB up; }
during copy down_for_a_while
exits 1 ferry hostA migrate slow qemu+tls://hostB/system --bandwidth 4MiB/s
lives_on hostA slow
lab rm slow

it "kill -9 in the middle of a move by TLS with SASL, and the next run settles"
ask_for_passwords
guest hostA web --write-log
"$REPO/tests/lab/lab" on hostA virt-ferry migrate --bandwidth 8MiB/s web qemu+tls://hostB/system >"$WORK/said" 2>&1 &
run=$!
await 60 grep -q pre-copy "$WORK/said"
kill -9 "$run"
exits 0 ferry hostA migrate web qemu+tls://hostB/system
lives_on hostB web
lab rm web

it "a guest that writes faster than the link carries goes on in post-copy, by TLS"
for host in hostA hostB; do
    lab link "$host" rate 1gbit
    finally lab link "$host" rate none
done
lab guest hostA busy --mem 256 --disk-size 64M --dirty 128,400 --write-log
finally lab rm busy
sleep 2
exits 0 prints 'went on in post-copy' ferry hostA migrate busy qemu+tls://hostB/system
lives_on hostB busy

it "killing the destination's libvirtd when its guest resumes never leaves two runners, by TLS"
guest hostA web --write-log
kill_at_resume hostB
ferry hostA migrate web qemu+tls://hostB/system || true
[ "$(lab runners web | wc -l)" = 1 ]
lab libvirtd hostB start || true
exits 0 ferry hostA migrate web qemu+tls://hostB/system
lives_on hostB web
lab rm web
