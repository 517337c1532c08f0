#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck source-path=SCRIPTDIR source=../integration/lib.sh
# shellcheck disable=SC2317,SC2016  # cases call what is defined before them; what is run on hosts is quoted
# lab: --tls
# The locked hand-over where it is asked for from a third machine, and on a file system that both hosts reach and whose
# locks end at each host. (tests/matrix/kernel-nfs.sh: the same on NFS mounts.)
. "$(dirname "$(readlink -f "$0")")/../integration/lib.sh"

locked_from_third() { # GUEST
    ferry client -c qemu+tls://hostA/system migrate --strategy precopy-tls-locked "$1" qemu+tls://hostB/system
}
# Each host has the shared folder through an overlay of its own: one image for both, and a lock for each.
locks_end_at_each() {
    local host
    mkdir -p "$STATE/overlay/below"
    for host in hostA hostB; do
        mkdir -p "$STATE/overlay/$host"
        on "$host" mount -t overlay -o "index=off,lowerdir=$STATE/overlay/below,upperdir=$STATE/shared,workdir=$STATE/overlay/$host" \
            overlay /srv/shared
        finally on "$host" umount /srv/shared
    done
}
forget_locks() {
    local machine
    for machine in client hostA hostB; do
        on "$machine" rm -f /var/lib/virt-ferry/locks
    done
}

it "from a third machine, direct: the lock is proved, and the guest goes there behind it"
forget_locks
guest hostA web --write-log
exits 0 prints 'by precopy-tls-locked' locked_from_third web
lives_on hostB web

it "a file system that both hosts reach and whose locks end at each of them: refused, in either way, and held goes on"
grep -qw overlay /proc/filesystems || skip 'this kernel has no overlay file system'
forget_locks
stale_remove
locks_end_at_each
guest hostA alone --write-log
finally lab rm alone
exits 0 prints 'locked, to be proved' ferry hostA plan --p2p alone qemu+tls://hostB/system
exits 3 prints 'lock-not-proved' prints 'could open a file there that a domain' \
    ferry hostA migrate --p2p --strategy precopy-tls-locked-p2p alone qemu+tls://hostB/system
exits 3 prints 'lock-not-proved' locked_from_third alone
lives_on hostA alone
for machine in client hostA; do
    on "$machine" test ! -s /var/lib/virt-ferry/locks
done
exits 0 prints 'by precopy-tls-held-p2p' ferry hostA migrate --p2p alone qemu+tls://hostB/system
lives_on hostB alone
