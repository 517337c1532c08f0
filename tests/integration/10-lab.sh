#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2317  # what sources lib.sh is run by it
# The lab itself, by its own test, in two labs beside the one of this run.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$(readlink -f "$0")")/lib.sh"

selftest() {
    local id
    for ((id = 60; id < 80; id += 2)); do
        [ -e "/tmp/virt-ferry-lab.$id" ] || [ -e "/tmp/virt-ferry-lab.$((id + 1))" ] || break
    done
    adopts timeout -k 30 400 env LAB_ID="$id" "$REPO/tests/lab/selftest" "$@"
}

it "the lab leaves nothing behind, killed or not, and a guest that runs twice is seen"
selftest --short

deep "the lab does what its README says"
selftest
