#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck source-path=SCRIPTDIR
# lab: --tls
# Peer to peer: the source's libvirtd makes the calls, which the held and the locked hand-over allow. It connects by itself;
# what dies or is cut meanwhile; and where it is refused.
# shellcheck disable=SC2317  # cases call what is defined before them
. "$(dirname "$0")/lib.sh"

SLOWLY='--bandwidth 8MiB/s --no-throttle'

# Does libvirtd itself speak to port PORT of another host?
speaks_itself() { grep -q '"libvirtd"' <<<"$(on "$1" ss -Htnp state established "dport = :$2")"; } # HOST PORT
start() { # HOST ARGUMENT…: virt-ferry beside the case; its pid in $run
    "$REPO/tests/lab/lab" on "$1" virt-ferry "${@:2}" >"$WORK/said" 2>&1 &
    run=$!
    await 60 grep -q pre-copy "$WORK/said"
}

held_by() { # CHANNEL PORT
    guest hostA web --write-log
    # shellcheck disable=SC2086
    start hostA migrate --p2p $SLOWLY --allow-cleartext web "qemu+$1://hostB/system"
    speaks_itself hostA "$2"
    wait "$run"
    prints "by precopy-$1-held-p2p" cat "$WORK/said"
    lives_on hostB web
}

it "by TLS, held, and the connection is libvirtd's own"
held_by tls 16514

deep "and by TCP"
held_by tcp 16509

it "copied disks too, from a third machine, and the way back"
guest hostA copied --disk local,shared --fill 16 --write-log
exits 0 prints 'held-p2p-mixed' ferry client -c qemu+tls://hostA/system migrate --p2p copied qemu+tls://hostB/system
lives_on hostB copied
on hostA sh -c 'rm -f /var/lib/libvirt/images/copied-*; virsh -q pool-refresh default'
exits 0 prints 'held-p2p-mixed' ferry hostB migrate --p2p copied qemu+tls://hostA/system
lives_on hostA copied
lab rm copied

it "the plan has both, says which and why, and what a cut does"
guest hostA web --write-log
exits 0 prints 'precopy-tls-held-p2p' prints 'Direct: the calls come from here' prints 'survives cuts up to 8 s; after 15 s libvirt gives up' \
    lacks '-gated-p2p' lacks p2p-credentials ferry hostA plan web hostB
exits 0 prints 'Peer to peer: libvirt on hostA makes the calls' prints 'survives cuts up to 17 s; after 30 s libvirt gives up' \
    prints 'p2p-credentials: libvirt on' ferry hostA plan --p2p web hostB
exits 0 lacks 'p2p' ferry hostA plan --direct web hostB
exits 2 ferry hostA plan --p2p --direct web hostB

it "gated and post-copy are refused with their reason, and so are channels and URIs that libvirt there cannot use"
guest hostA web --write-log
exits 0 prints 'p2p-not-safe' prints 'no gate can stand in its way' prints 'pre-copy may end before post-copy begins' \
    prints 'p2p-channel' prints 'channel ssh cannot be used' lacks 'precopy-tls-held ' ferry hostA plan --p2p web hostB
exits 3 prints 'is refused' ferry hostA migrate --p2p --strategy precopy-tls-gated-p2p web hostB
exits 3 prints 'is refused' ferry hostA migrate --p2p --strategy postcopy-tls-gated-p2p web hostB
exits 3 prints 'cannot be used by libvirt on' ferry hostA migrate --p2p web qemu+ssh://root@hostB/system
on hostA sh -c 'mkdir -p /root/.cache/pki
    cp /etc/pki/CA/cacert.pem /etc/pki/libvirt/clientcert.pem /etc/pki/libvirt/private/clientkey.pem /root/.cache/pki'
finally on hostA rm -rf /root/.cache/pki
exits 3 prints 'refuses p2p-uri' ferry hostA plan --p2p web 'qemu+tls://hostB/system?pkipath=/root/.cache/pki'
exits 3 prints 'is meant for this machine' ferry hostA migrate --p2p web 'qemu+tls://hostB/system?pkipath=/root/.cache/pki'
lives_on hostA web

it "locked where it is named: the lock is proved before, remembered, and what that took is gone"
on hostA rm -f /var/lib/virt-ferry/locks
guest hostA web --write-log
exits 0 prints 'locked, to be proved' prints 'if named' prints lock-to-prove prints lock-lives \
    ferry hostA plan --p2p web qemu+tls://hostB/system
exits 0 prints 'by precopy-tls-locked-p2p' ferry hostA migrate --p2p --strategy precopy-tls-locked-p2p web qemu+tls://hostB/system
lives_on hostB web
is 1 sh -c "jq length '$STATE/machines/hostA/lib-virt-ferry/locks'"
guest hostA web --write-log
exits 0 prints 'it was seen' prints lock-proved lacks 'to be proved' ferry hostA plan --p2p web qemu+tls://hostB/system

it "kill -9 of virt-ferry: the job goes on, and the next run waits for it and finishes"
guest hostA web --write-log
# shellcheck disable=SC2086
start hostA migrate --p2p $SLOWLY web qemu+tls://hostB/system
kill -9 "$run"
exits 0 prints 'goes on with the move by itself' prints 'had moved the domain' ferry hostA migrate web qemu+tls://hostB/system
lives_on hostB web

deep "and where the job has ended meanwhile, the next run finishes what it left"
guest hostA web --write-log
# shellcheck disable=SC2086
start hostA migrate --p2p $SLOWLY web qemu+tls://hostB/system
kill -9 "$run"
await 60 sh -c "'$REPO/tests/lab/lab' on hostA virsh domstate web | grep -q 'shut off'"
is_empty lab runners web
exits 0 prints 'had moved the domain' ferry hostA migrate web qemu+tls://hostB/system
lives_on hostB web

deep "Ctrl-C ends the job; while a dead run's job is waited for it only ends the wait"
guest hostA web --write-log
# shellcheck disable=SC2086
lab on hostA timeout -s INT 4 virt-ferry migrate --p2p $SLOWLY web qemu+tls://hostB/system >"$WORK/said" 2>&1 && code=0 || code=$?
prints 'cancelled; the guest is at' cat "$WORK/said"
lives_on hostA web
# shellcheck disable=SC2086
start hostA migrate --p2p $SLOWLY web qemu+tls://hostB/system
kill -9 "$run"
exits 7 lab on hostA timeout --preserve-status -s INT 3 virt-ferry migrate web qemu+tls://hostB/system
is hostA lab runners web
exits 0 prints 'had moved the domain' ferry hostA migrate web qemu+tls://hostB/system
lives_on hostB web

deep "killing the destination's libvirtd when its guest resumes never leaves two runners"
guest hostA web --write-log
kill_at_resume hostB
ferry hostA migrate --p2p web qemu+tls://hostB/system || true
[ "$(lab runners web | wc -l)" -le 1 ]
lab libvirtd hostB start || true
exits 0 ferry hostA migrate web qemu+tls://hostB/system
lives_on hostB web
lab rm web

deep "a saved plan keeps it, and a move in which libvirt there has no certificate leaves the guest where it was"
guest hostA web --write-log
exits 0 ferry hostA plan -o /root/.cache/saved --p2p web qemu+tls://hostB/system
exits 0 prints 'held-p2p' ferry hostA migrate --plan /root/.cache/saved
lives_on hostB web
guest hostA web --write-log
lab certificate hostA missing libvirt
finally lab certificate hostA good libvirt
exits 1 prints 'untouched at' ferry client -c qemu+tcp://hostA/system migrate --p2p web qemu+tls://hostB/system
lives_on hostA web
