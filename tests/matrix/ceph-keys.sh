#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2317,SC2034,SC2016  # cases call and read what is defined before them
# lab: --ceph
# More ways in which a key or a secret of Ceph can be wrong; tests/integration/92-ceph.sh has the others.
# shellcheck source-path=SCRIPTDIR source=../integration/lib.sh
. "$(dirname "$(readlink -f "$0")")/../integration/lib.sh"
# shellcheck source=../integration/ceph.sh
. "$HERE/ceph.sh"

it "a secret without a value is found too, where it may be read"
rbd_guest hostA vault
finally secret_as_before hostB
secret_is hostB no </dev/null
exits 3 prints "the libvirt secret of user 'client.libvirt' on host 'hostB' has no value" \
    ferry hostA migrate vault hostB --allow-cleartext
lives_on hostA vault

it "a private one shows itself when QEMU starts there, and the guest runs on"
rbd_guest hostA vault
finally secret_as_before hostB
other_key | secret_is hostB yes
exits 1 prints 'error connecting: Permission denied' ferry hostA migrate vault hostB --allow-cleartext
lives_on hostA vault

it "a key of this machine that the cluster does not know leaves the disk unproved"
rbd_guest hostA vault
on hostA cp -p "$USER_KEYRING" "$USER_KEYRING.before"
finally keyring_as_before hostA
printf '[client.libvirt]\n\tkey = %s\n' "$(other_key)" | keyring_is hostA
exits 3 prints "refuse user 'client.libvirt' with the key on this machine" prints 'sharing-not-proved' \
    plan_of hostA vault hostB
on hostA rm "$USER_KEYRING"
exits 3 prints "there is no key of user 'client.libvirt' on this machine" plan_of hostA vault hostB
keyring_as_before hostA
lives_on hostA vault
