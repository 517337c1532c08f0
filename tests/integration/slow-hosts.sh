# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# shellcheck disable=SC2034,SC2317  # for the files that read this
# Hosts with a kernel of their own (user-mode Linux), in a lab of their own beside the one of this run. Read behind lib.sh.

for ((id = 60; id < 80; id++)); do
    [ -e "/tmp/virt-ferry-lab.$id" ] || break
done
BOOT_SECONDS=240
MOVE_SECONDS=400
own() { timeout -k 10 "$BOOT_SECONDS" env LAB_ID="$id" "$REPO/tests/lab/lab" "$@"; }
# What runs in a host with its own kernel is reached as any other machine is.
within_host() { # HOST COMMAND, for its shell
    timeout -k 10 "$MOVE_SECONDS" env LAB_ID="$id" "$REPO/tests/lab/lab" on client \
        ssh -o ConnectTimeout=20 -o ServerAliveInterval=20 "$@"
}
