#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2317,SC2034,SC2016  # cases call and read what is defined before them
# lab: --ceph
# A pool whose quota is reached: the monitor sees that by what a manager counts, which no other file needs. After the
# others, since what it counted stays.
# shellcheck source-path=SCRIPTDIR source=../integration/lib.sh
. "$(dirname "$(readlink -f "$0")")/../integration/lib.sh"
# shellcheck source=../integration/ceph.sh
. "$HERE/ceph.sh"

MANAGER=$STATE/ceph/mgr

manager_up() {
    mkdir -p "$MANAGER"
    ceph ceph auth get-or-create mgr.x mon 'allow profile mgr' osd 'allow *' -o "$MANAGER/keyring"
    lab ceph run sh -c 'exec setsid ceph-mgr -f -i x -c "$CEPH_CONF" --mgr-data "$0" --keyring "$0/keyring" \
        --mgr-stats-period 1 --log-file "$0/log" --admin-socket "$0/asok" </dev/null >"$0/out" 2>&1 & echo $! >"$0/pid"' \
        "$MANAGER"
    await 60 manager_is active
}
manager_is() { ceph ceph mgr dump | jq -e '.available and .active_name == "x"' >/dev/null; }
manager_down() {
    [ ! -e "$MANAGER/pid" ] || kill -KILL "$(cat "$MANAGER/pid")"
    ceph ceph mgr fail x 2>/dev/null
    ceph ceph auth del mgr.x 2>/dev/null
}
pool_has() { grep "^pool .* 'ferry' .*$1" <<<"$(ceph ceph osd dump)" >/dev/null; } # FLAG
pool_has_no() { ! pool_has "$1"; }

it "a pool whose quota is reached refuses the move, and the guest runs on when it is raised"
command -v ceph-mgr >/dev/null || skip "there is no 'ceph-mgr': contrib/install-deps matrix"
needs_ceph
guest hostA quota --disk rbd:raw --fill 32
finally lab rm quota
manager_up
finally manager_down
ferry hostA check quota hostB --allow-cleartext
ceph ceph osd pool set-quota ferry max_bytes $((16 << 20))
finally await 60 pool_has_no full_quota
finally ceph ceph osd pool set-quota ferry max_bytes 0
await 120 pool_has full_quota
exits 3 prints "the quota of pool 'ferry' is reached" ferry hostA migrate quota hostB --allow-cleartext
is hostA lab runners quota
ceph ceph osd pool set-quota ferry max_bytes $((1 << 30))
await 120 pool_has_no full_quota
ferry hostA migrate quota hostB --allow-cleartext
lives_on hostB quota
