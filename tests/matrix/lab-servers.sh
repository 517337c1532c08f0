#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2317  # what sources lib.sh is run by it
# The lab's NFS server and Ceph cluster, by the lab's own test, in two labs beside the one of this run.
# shellcheck source-path=SCRIPTDIR source=../integration/lib.sh
. "$(dirname "$(readlink -f "$0")")/../integration/lib.sh"

it "the lab with its servers does what its README says, and leaves nothing behind"
for ((id = 60; id < 80; id += 2)); do
    [ -e "/tmp/virt-ferry-lab.$id" ] || [ -e "/tmp/virt-ferry-lab.$((id + 1))" ] || break
done
adopts timeout -k 30 580 env LAB_ID="$id" "$REPO/tests/lab/selftest" --servers
