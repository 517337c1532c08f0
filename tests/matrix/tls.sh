#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck source-path=SCRIPTDIR source=../integration/lib.sh
# shellcheck disable=SC2317  # cases call what is defined before them
# lab: --tls
# By TLS, with SASL and without, disks shared, copied and mixed, from the source and from a third machine; a link that
# is cut in the middle of a copy. With MATRIX_TABLE set, its rows go into that file.
. "$(dirname "$(readlink -f "$0")")/../integration/lib.sh"

ask_for_passwords() {
    local machine
    for machine in hostA hostB; do
        lab auth "$machine" tls sasl
        finally lab auth "$machine" tls none
    done
    for machine in hostA hostB client; do
        on "$machine" mkdir -p /root/.config/libvirt
        printf '%s\n' '[credentials-lab]' authname=ferry password=across-the-river '[auth-libvirt-hostA]' \
            credentials=lab '[auth-libvirt-hostB]' credentials=lab |
            on "$machine" sh -c 'umask 077; cat >/root/.config/libvirt/auth.conf'
        finally on "$machine" rm -f /root/.config/libvirt/auth.conf
    done
}
row() { [ -z "${MATRIX_TABLE:-}" ] || printf '| %s | %s | %s | %s | %s | %s |\n' "$@" >>"$MATRIX_TABLE"; }

# There from the source itself, and back from the third machine.
there_and_back() { # IMAGES WAY DISKS TREATMENT CHECK
    local said from name=x-${3//[:,]/-}
    guest hostA "$name" --disk "$3" --fill 16 --write-log
    for from in hostA client; do
        if [ "$from" = hostA ]; then
            said=$(ferry hostA --json migrate "$name" qemu+tls://hostB/system)
            lives_on hostB "$name"
            [[ $(jq -r .strategy <<<"$said") == *-tls-gated* ]]
            on hostA sh -c "rm -f /var/lib/libvirt/images/$name-*; virsh -q pool-refresh default"
        else
            said=$(ferry client --json -c qemu+tls://hostB/system migrate "$name" qemu+tls://hostA/system)
            lives_on hostA "$name"
            [[ $(jq -r .strategy <<<"$said") == *-tls-held* ]]
        fi
        row "$1" "$2, run on $from" "$4" "$(jq -r .strategy <<<"$said")" "$5" \
            "$(jq -r '"\(.actual.time_ms) ms, \((.actual.downtime_ms // "?")) ms"' <<<"$said")"
    done
    lab rm "$name"
}
shared() { there_and_back "a qcow2 file in a shared folder" "$1" shared shared 'lifted, with proof'; }
copied() { there_and_back "a qcow2 file of the host's own" "$1" local copy kept; }
mixed() { there_and_back "one of each" "$1" shared,local mixed 'lifted, with proof'; }

it "by TLS, shared"
shared tls

it "by TLS, copied"
copied tls

it "by TLS, mixed"
mixed tls

it "by TLS with SASL, shared"
ask_for_passwords
shared tls+sasl

it "by TLS with SASL, copied"
ask_for_passwords
copied tls+sasl

it "by TLS with SASL, mixed"
ask_for_passwords
mixed tls+sasl

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
quietly() { "$@" >/dev/null 2>&1 || true; }
# shellcheck disable=SC2016
on hostB sh -c 'stdbuf -oL virsh event --event lifecycle --loop </dev/null | while read -r line; do
        case $line in *Resumed*) kill -9 "$(cat /run/libvirtd.pid)"; break ;; esac
    done' >/dev/null 2>&1 &
finally quietly kill "$!"
finally quietly lab libvirtd hostB start
sleep 0.5
ferry hostA migrate web qemu+tls://hostB/system || true
[ "$(lab runners web | wc -l)" = 1 ]
lab libvirtd hostB start || true
exits 0 ferry hostA migrate web qemu+tls://hostB/system
lives_on hostB web
lab rm web
