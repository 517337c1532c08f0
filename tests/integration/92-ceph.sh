#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2317,SC2034  # cases call and read what is defined before them
# lab: --ceph
# Disks on Ceph: recognised, proved shared, moved; and what is said when the cluster, a key, a secret or the image
# is not as it should be. Each time the guest runs on.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$(readlink -f "$0")")/lib.sh"

ON_RBD=(--disk rbd --write-log)
USER_KEYRING=/etc/ceph/ceph.client.libvirt.keyring

# The lab of other files may have none.
needs_ceph() { [ -d "$STATE/ceph" ] || skip "the lab has no Ceph cluster: lab up --ceph"; }
ceph() { lab ceph run timeout 60 "$@"; }
rbd_guest() { needs_ceph; guest "$1" "$2" "${ON_RBD[@]}"; }

chosen() { ferry "$1" --json plan "${@:3}" --allow-cleartext 2>/dev/null | jq -r ".strategies[0] | $2"; }
plan_of() { ferry "$1" plan "${@:2}" --allow-cleartext; }

key() { on hostA awk '/key/ { printf "%s", $3 }' "$USER_KEYRING"; }
secret() { cat "$STATE/ceph/secret"; }
secret_gone() { on "$1" virsh -q secret-undefine "$(secret)" >/dev/null; }
secret_is() { # HOST yes|no (private), its value on stdin
    # shellcheck disable=SC2016
    on "$1" sh -euc 'cat >/run/secret.key
        echo "<secret ephemeral=\"no\" private=\"$1\"><uuid>$2</uuid><usage type=\"ceph\"><name>client.libvirt secret</name></usage></secret>" >/run/secret.xml
        virsh -q secret-undefine "$2" >/dev/null 2>&1 || true
        virsh -q secret-define /run/secret.xml
        [ ! -s /run/secret.key ] || virsh -q secret-set-value "$2" --file /run/secret.key
        rm /run/secret.key /run/secret.xml' sh "$2" "$(secret)" >/dev/null
}
secret_as_before() { key | secret_is "$1" yes; }
other_key() { echo -n 'AQBXo2RnAAAAABAAJ5Q0mYb7jS2sYp2k1n3o4A=='; }

keyring_is() { on "$1" sh -c "cat >$USER_KEYRING"; }
keyring_as_before() { on "$1" sh -c "! [ -e $USER_KEYRING.before ] || mv $USER_KEYRING.before $USER_KEYRING"; }
# Settings of the driver, a key and its value a line.
settings() { { echo '[ceph]'; cat; } | on "$1" tee /etc/virt-ferry.conf >/dev/null; }
no_settings() { on "$1" cp /dev/null /etc/virt-ferry.conf; }

ratios() { # NEAR BACKFILL FULL
    local word
    for word in "nearfull $1" "backfillfull $2" "full $3"; do
        ceph ceph osd "set-${word% *}-ratio" "${word#* }"
    done
}
ratios_as_before() {
    local word
    for word in 'full 0.95' 'backfillfull 0.9' 'nearfull 0.85'; do
        ceph ceph osd "set-${word% *}-ratio" "${word#* }"
    done
    until [ "$(pool_flag)" = false ]; do sleep 0.2; done
}
pool_flag() {
    ceph ceph osd pool ls detail -f json | jq '.[] | select(.pool_name == "ferry").flags_names | split(",") | any(. == "full")'
}

# A client that has the image open, as long as its input is.
watch_begin() {
    (sleep 60 | lab ceph run rbd watch "$1" >/dev/null 2>&1) &
    echo $! >"$WORK/watching"
    until [ "$(watchers "$1")" = "$2" ]; do sleep 0.1; done
}
watch_end() { pkill -P "$(<"$WORK/watching")" sleep; }
watchers() { ceph rbd status "$1" --format json | jq '.watchers | length'; }

image_id() { ceph rbd info "ferry/$1" --format json 2>/dev/null | jq -r .id; }
image_back() { # IMAGE ID
    [ "$(image_id "$1")" != "$2" ] || return 0
    [ -z "$(image_id "$1")" ] || ceph rbd rm --no-progress "ferry/$1"
    ceph rbd trash restore -p ferry "$2"
}

counted_settings() { # FILE
    on hostA sh -c "sed '/\[global\]/a debug_ms = 1\nlog_file = $1' /etc/ceph/ceph.conf >/run/counted.conf"
    # The file's name would be the cluster's, and so the keyring's.
    printf 'conf = /run/counted.conf\nkeyring = %s\n' "$USER_KEYRING" | settings hostA
}
counted() { grep -o -- '--> .*' "$WORK/ceph.log" | grep -c -e "$1"; }

it "a disk on RBD is proved shared by the cluster itself, and nothing is lifted for it"
rbd_guest hostA vault
is 'vda=shared false' chosen hostA '"\(.disks[0].target)=\(.disks[0].treatment) \(.needs_unsafe)"' vault hostB
lives_on hostA vault

it "recognising two images takes one request each on either side, over one connection"
needs_ceph
guest hostA pair --disk rbd,rbd --write-log
counted_settings "$WORK/ceph.log"
finally no_settings hostA
is 'vda=shared vdb=shared' chosen hostA '.disks | map("\(.target)=\(.treatment)") | join(" ")' pair hostB
is 4 counted 'osd_op(.*rbd_id\.'
is 2 counted 'osd_op(.*list-watchers'
is 2 counted 'mon_subscribe({osdmap='
is 1 counted 'osd blocklist'

it "a guest on RBD moves, over ssh"
rbd_guest hostA vault
prints "by postcopy-ssh-gated" ferry hostA migrate vault hostB --allow-cleartext
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

it "a secret without a value is found too, where it may be read"
rbd_guest hostA vault
finally secret_as_before hostB
secret_is hostB no </dev/null
exits 3 prints "the libvirt secret of user 'client.libvirt' on host 'hostB' has no value" \
    ferry hostA migrate vault hostB --allow-cleartext
lives_on hostA vault

it "a secret with another key is found by asking the cluster with it"
rbd_guest hostA vault
finally secret_as_before hostB
other_key | secret_is hostB no
exits 3 prints "refuse user 'client.libvirt' with the key in the libvirt secret of host 'hostB'" \
    ferry hostA migrate vault hostB --allow-cleartext
lives_on hostA vault

it "a private one shows itself when QEMU starts there, and the guest runs on"
rbd_guest hostA vault
finally secret_as_before hostB
other_key | secret_is hostB yes
exits 1 prints 'error connecting: Permission denied' ferry hostA migrate vault hostB --allow-cleartext
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

it "a monitor that is stopped is said after five seconds, and the guest runs on"
rbd_guest hostA vault
finally lab ceph mon cont
lab ceph mon stop
exits 3 prints 'no monitor answers at' prints ceph-monitors-silent within 14 plan_of hostA vault hostB
lab ceph mon cont
lives_on hostA vault

it "a pool that takes no writes refuses the move"
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
