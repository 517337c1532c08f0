# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2034,SC2154  # of lib.sh and for the files that source this
# The lab's Ceph cluster in a test: guests on it, secrets and keys of the hosts, watchers, what was asked of it.

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

# What hostA asks of the OSD goes by way of the client machine, and is counted there; what QEMU has open stays.
osd_is_relayed() {
    local port server=10.$((100 + LAB_ID)).0.1 by=10.$((100 + LAB_ID)).0.2
    port=$(ceph ceph osd dump -f json | jq -r '.osds[0].public_addrs.addrvec[0].addr | split(":")[1]')
    relay_up "$by" "$server" "osd:$port"
    lab on hostA nft -f - <<END
table ip relayed { chain out { type nat hook output priority -100
    ip daddr $server tcp dport $port tcp flags & (syn | ack) == syn dnat to $by
}; }
END
}
osd_is_not() {
    lab on hostA nft delete table ip relayed
    relay_down
}
trips_for() { sed -n "s/^trip \([0-9]*\): object $1.*/\1/p" "$WORK/calls" | sort -u | wc -l; } # OBJECT
osd_connections() { cut -d' ' -f3 "$WORK/counts" | sed 's/$/ connections/'; }
