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
there_and_back() { # WAY DISKS TREATMENT
    local said name=x-${2//[:,]/-}
    guest hostA "$name" --disk "$2" --fill 16 --write-log
    said=$(ferry hostA --json migrate "$name" qemu+tls://hostB/system)
    lives_on hostB "$name"
    row "$2 disks" "$1, from the source" "$3" "$(jq -r .strategy <<<"$said")" encrypted \
        "$(jq -r '"\(.actual.time_ms) ms, \((.actual.downtime_ms // "?")) ms"' <<<"$said")"
    [[ $(jq -r .strategy <<<"$said") == *tls-gated* ]]
    on hostA sh -c "rm -f /var/lib/libvirt/images/$name-*; virsh -q pool-refresh default"
    said=$(ferry client --json -c qemu+tls://hostB/system migrate "$name" qemu+tls://hostA/system)
    lives_on hostA "$name"
    row "$2 disks" "$1, from a third machine" "$3" "$(jq -r .strategy <<<"$said")" encrypted \
        "$(jq -r '"\(.actual.time_ms) ms, \((.actual.downtime_ms // "?")) ms"' <<<"$said")"
    [[ $(jq -r .strategy <<<"$said") == *tls-held* ]]
    lab rm "$name"
}

it "by TLS, shared"
there_and_back tls shared shared

it "by TLS, copied"
there_and_back tls local copy

it "by TLS, mixed"
there_and_back tls shared,local mixed

it "by TLS with SASL, shared"
ask_for_passwords
there_and_back tls+sasl shared shared

it "by TLS with SASL, copied"
ask_for_passwords
there_and_back tls+sasl local copy

it "by TLS with SASL, mixed"
ask_for_passwords
there_and_back tls+sasl shared,local mixed

it "a link that is cut in the middle of a copy by TLS leaves the guest at the source"
guest hostA slow --disk local --fill 32 --write-log
finally lab link hostB up
down_for_a_while() { lab link hostB down; sleep 20; lab link hostB up; }
during copy down_for_a_while
exits 1 ferry hostA migrate slow qemu+tls://hostB/system --bandwidth 4MiB/s
lives_on hostA slow
lab rm slow
