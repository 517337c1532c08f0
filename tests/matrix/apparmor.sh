#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck source-path=SCRIPTDIR source=../integration/lib.sh
# Where AppArmor confines QEMU, by libvirt's own profile and a kernel that enforces it: the sockets for RAM and disks inside
# ssh are let through by their names.
# shellcheck disable=SC2317  # what sources lib.sh is run by it
. "$(dirname "$(readlink -f "$0")")/../integration/lib.sh"

it "libvirt's AppArmor profile lets a guest have the sockets that ssh brings for it, and no others there"
command -v linux.uml >/dev/null || skip 'user-mode-linux is not installed'
if ! command -v apparmor_parser || ! command -v aa-exec; then skip 'apparmor is not installed'; fi
[ -x /usr/lib/libvirt/virt-aa-helper ] || skip "libvirt's helper for AppArmor is not here"
: >"$WORK/apparmor"
TMPDIR=/dev/shm timeout 240 linux.uml mem=512M rootfstype=hostfs rootflags=/ rw \
    "init=$REPO/tests/matrix/apparmor-guests" con=null con0=null,fd:1 security=apparmor apparmor=1 quiet \
    "out=$WORK/apparmor" >"$WORK/uml" 2>&1 </dev/null || true
cat "$WORK/apparmor"
is end tail -n 1 "$WORK/apparmor"
prints '(enforce)' prints 'ram.tunnelmigrate.dest.web: through' prints 'nbd.tunnelmigrate.dest.web: through' \
    prints 'ram: refused' prints 'ram.tunnelmigrate.dest.other: refused' prints 'Permission denied' cat "$WORK/apparmor"
