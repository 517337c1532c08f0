# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Peer to peer has libvirtd's own keepalive, of half a minute; the faults are to outlast it.
# shellcheck disable=SC2154  # STATE and REPO are the caller's

keepalive_shorten() {
    local host
    for host in $(<"$STATE/hosts"); do
        printf 'keepalive_interval = 1\nkeepalive_count = 3\n' >>"$STATE/machines/$host/etc-libvirt/qemu.conf"
        "$REPO/tests/lab/lab" libvirtd "$host" kill
        "$REPO/tests/lab/lab" libvirtd "$host" start
    done
}
