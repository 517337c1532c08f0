#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2317,SC2034,SC2016  # cases call and read what is defined before them
# lab: --ceph
# Disks on Ceph: recognised, proved shared, moved; and what is said when the cluster, a key, a secret or the image
# is not as it should be. Each time the guest runs on.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$(readlink -f "$0")")/lib.sh"
# shellcheck source=ceph.sh
. "$HERE/ceph.sh"

it "a disk on RBD is proved shared by the cluster itself, and nothing is lifted for it"
rbd_guest hostA vault
is 'vda=shared false' chosen hostA '"\(.disks[0].target)=\(.disks[0].treatment) \(.needs_unsafe)"' vault hostB
lives_on hostA vault

it "recognising two images takes one round trip each at most on either side, over one connection: counted by a relay"
needs_ceph
guest hostA pair --disk rbd,rbd --write-log
osd_is_relayed
finally osd_is_not
counted_settings "$WORK/ceph.log"
finally no_settings hostA
is 'vda=shared vdb=shared' chosen hostA '.disks | map("\(.target)=\(.treatment)") | join(" ")' pair hostB
# Who has it open, what is in it and whether it may be written is asked on the source alone, and of no copy.
# Those of one side go out together: how many turns that takes is up to the threads of librados.
at_least "$(trips_for 'rbd_id\.')" 4
is 2 trips_for 'rbd_data\.'
at_least 1 "$(trips_for 'rbd_header\.')"
is '2 connections' osd_connections
# What goes to the monitors is encrypted there: by Ceph's own log.
is 4 counted 'osd_op(.*rbd_id\.'
is 2 counted 'osd_op(.*list-watchers'
is 2 counted 'mon_subscribe({osdmap='
is 1 counted 'osd blocklist'

it "a guest on RBD moves, over ssh"
rbd_guest hostA vault
prints "by postcopy-ssh-gated" ferry hostA migrate vault hostB
lives_on hostB vault

it "and back, over TCP"
rbd_guest hostB vault
prints "by postcopy-tcp-gated" ferry hostB migrate vault qemu+tcp://hostA/system --allow-cleartext
lives_on hostA vault
is 1 watchers ferry/vault-vda

it "a secret that is missing at the destination is found before anything moves"
rbd_guest hostA vault
finally secret_as_before hostB
secret_gone hostB
exits 3 prints "secret $(secret), which the domain needs, is missing on the destination" \
    ferry hostA migrate vault hostB --allow-cleartext
lives_on hostA vault

it "a secret with another key is found by asking the cluster with it"
rbd_guest hostA vault
finally secret_as_before hostB
other_key | secret_is hostB no
exits 3 prints "refuse user 'client.libvirt' with the key in the libvirt secret of host 'hostB'" \
    ferry hostA migrate vault hostB --allow-cleartext
lives_on hostA vault

it "a key that was read from a secret is written nowhere"
rbd_guest hostA vault
finally secret_as_before hostA
finally secret_as_before hostB
key | secret_is hostA no
key | secret_is hostB no
on hostA mv "$USER_KEYRING" "$USER_KEYRING.away"
finally on hostA mv "$USER_KEYRING.away" "$USER_KEYRING"
lacks "$(on hostB awk '/key/ { print $3 }' "$USER_KEYRING")" prints '"sharing": "proved"' \
    on hostA env VIRT_FERRY_TRACE=1 virt-ferry --json survey vault hostB
prints "Moved 'vault'" ferry hostA migrate vault hostB --allow-cleartext
is_empty on hostA grep -rlF -e "$(on hostB awk '/key/ { print $3 }' "$USER_KEYRING")" /var/lib/virt-ferry
lives_on hostB vault

it "a monitor that is stopped is said after five seconds, and the guest runs on"
rbd_guest hostA vault
finally lab ceph mon cont
lab ceph mon stop
exits 3 prints 'no monitor answers at' prints ceph-monitors-silent within 14 plan_of hostA vault hostB
lab ceph mon cont
lives_on hostA vault

deep "a pool that takes no writes refuses the move"
rbd_guest hostA vault
finally ratios_as_before
ratios 0.00001 0.00002 0.00003
until [ "$(pool_flag)" = true ]; do sleep 0.2; done
exits 3 prints "pool 'ferry' is full" ferry hostA migrate vault hostB --allow-cleartext
ratios_as_before
lives_on hostA vault

it "a user who may only read refuses the move"
rbd_guest hostA vault
finally ceph ceph auth caps client.libvirt mon 'profile rbd' osd 'profile rbd pool=ferry'
ceph ceph auth caps client.libvirt mon 'allow r' osd 'profile rbd-read-only pool=ferry'
exits 3 prints "user 'client.libvirt' may not write to pool 'ferry'" prints ceph-cannot-fence \
    plan_of hostA vault hostB
ceph ceph auth caps client.libvirt mon 'profile rbd' osd 'profile rbd pool=ferry'
lives_on hostA vault

it "a second client that has the image open refuses the move"
rbd_guest hostA vault
watch_begin ferry/vault-vda 2
finally watch_end
exits 3 prints "image 'ferry/vault-vda' is open more than once" ferry hostA migrate vault hostB --allow-cleartext
lives_on hostA vault

it "an image that was removed refuses the move"
rbd_guest hostA vault
id=$(image_id vault-vda)
finally image_back vault-vda "$id"
ceph rbd trash mv ferry/vault-vda
exits 3 prints "there is no image 'vault-vda' in pool 'ferry'" ferry hostA migrate vault hostB --allow-cleartext
image_back vault-vda "$id"
lives_on hostA vault

it "another image under the name of the guest's own refuses the move"
rbd_guest hostA vault
id=$(image_id vault-vda)
finally image_back vault-vda "$id"
ceph rbd trash mv ferry/vault-vda
ceph rbd create --size 64M ferry/vault-vda
exits 3 prints "yet nobody has image 'ferry/vault-vda' open" ferry hostA migrate vault hostB --allow-cleartext
image_back vault-vda "$id"
lives_on hostA vault
