# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# The Ceph cluster of a lab: one monitor and one OSD on the switch, a pool, a user for libvirt, and
# its faults. All of it lies in one folder, the OSD's store in a sparse file there.
# shellcheck disable=SC2153,SC2154  # LAB_DIR, STATE and others come from lab and base.sh

CEPH_DIR=$STATE/ceph
CEPH_POOL=ferry
CEPH_USER=libvirt
CEPH_PORT=3300
CEPH_USAGE="usage: lab ceph mon|osd stop|cont, full on|off, run COMMAND…"

has_ceph() { [ -d "$CEPH_DIR" ]; }
need_ceph() { has_ceph || die "lab $LAB_ID has no Ceph cluster: lab up --ceph"; }

ceph_address() { echo "$(address_of switch):$CEPH_PORT"; }

ceph_kinds() { echo "rbd|rbd:$CEPH_POOL|a pool of the lab's Ceph cluster"; }

# As QEMU's tools name an image: with its user.
ceph_location() { # PLACE NAME
    echo "$1/$2:id=$CEPH_USER"
}

ceph_source_xml() { # LOCATION
    local image=${1#rbd:}
    printf "type='network'|<source protocol='rbd' name='%s'><host name='%s' port='%s'/></source>" \
        "${image%%:*}" "$(address_of switch)" "$CEPH_PORT"
    printf "<auth username='%s'><secret type='ceph' uuid='%s'/></auth>\n" \
        "$CEPH_USER" "$(<"$CEPH_DIR/secret")"
}

# What clients need, and all that they get.
ceph_client_conf() {
    cat <<END
[global]
fsid = $(<"$CEPH_DIR/fsid")
mon_host = [v2:$(ceph_address)]
auth_cluster_required = cephx
auth_service_required = cephx
auth_client_required = cephx
END
}

ceph_server_conf() {
    ceph_client_conf
    cat <<END
keyring = $CEPH_DIR/keyring
run_dir = $CEPH_DIR
mon_cluster_log_file = $CEPH_DIR/cluster.log
mon_initial_members = a
public_addr = $(address_of switch)
ms_bind_msgr1 = false
osd_pool_default_size = 1
osd_pool_default_min_size = 1
osd_pool_default_pg_num = 8
osd_pool_default_pg_autoscale_mode = off
osd_crush_chooseleaf_type = 0
mon_allow_pool_size_one = true
mon_data_avail_warn = 0
mon_data_avail_crit = 0
mon_warn_on_pool_no_redundancy = false
auth_allow_insecure_global_id_reclaim = false
[client]
admin_socket =
[mon]
log_file = $CEPH_DIR/mon.log
admin_socket = $CEPH_DIR/mon.asok
mon_data = $CEPH_DIR/mon
[osd]
log_file = $CEPH_DIR/osd.log
admin_socket = $CEPH_DIR/osd.asok
osd_data = $CEPH_DIR/osd
osd_objectstore = bluestore
bluestore_block_size = 10737418240
bluestore_cache_autotune = false
osd_memory_target = 943718400
osd_class_update_on_start = false
END
}

# Keys and addresses, before the hosts are made: they get their share of it.
ceph_prepare() {
    mkdir -p "$CEPH_DIR"/{mon,osd,client}
    cat /proc/sys/kernel/random/uuid >"$CEPH_DIR/fsid"
    cat /proc/sys/kernel/random/uuid >"$CEPH_DIR/secret"
    cat /proc/sys/kernel/random/uuid >"$CEPH_DIR/osd-uuid"
    ceph_server_conf >"$CEPH_DIR/ceph.conf"
    ceph_tool ceph-authtool -C "$CEPH_DIR/keyring" -g -n mon. --cap mon 'allow *'
    ceph_tool ceph-authtool "$CEPH_DIR/keyring" -g -n client.admin --cap mon 'allow *' --cap osd 'allow *'
    ceph_tool ceph-authtool "$CEPH_DIR/keyring" -g -n osd.0 --cap mon 'allow profile osd' --cap osd 'allow *'
    ceph_tool ceph-authtool "$CEPH_DIR/keyring" -g -n "client.$CEPH_USER" \
        --cap mon 'profile rbd' --cap osd "profile rbd pool=$CEPH_POOL"
    ceph_client_conf >"$CEPH_DIR/client/ceph.conf"
    printf '[client.%s]\n\tkey = %s\n' "$CEPH_USER" "$(ceph_key "client.$CEPH_USER")" \
        >"$CEPH_DIR/client/ceph.client.$CEPH_USER.keyring"
    chmod 600 "$CEPH_DIR/keyring" "$CEPH_DIR/client/ceph.client.$CEPH_USER.keyring"
}

ceph_key() { ceph-authtool "$CEPH_DIR/keyring" -p -n "$1"; }

# As client.admin.
ceph_run() { inside switch env CEPH_CONF="$CEPH_DIR/ceph.conf" "$@"; }

# A tool that has nothing to say when it succeeds.
ceph_tool() {
    local said
    said=$(ceph_run "$@" 2>&1) || die "$1 said:" "$said"
}

ceph_daemon() { # NAME PROGRAM ARGUMENT…
    local name=$1
    shift
    inside_background switch "$CEPH_DIR/$name.out" "$@"
    echo $! >"$CEPH_DIR/$name.pid"
}

ceph_up() {
    local conf=$CEPH_DIR/ceph.conf osd
    cp "$CEPH_DIR/keyring" "$CEPH_DIR/osd/keyring"
    ceph_tool ceph-osd --mkfs --no-mon-config -i 0 -c "$conf" --osd-uuid "$(<"$CEPH_DIR/osd-uuid")" &
    osd=$!
    ceph_tool monmaptool --create --fsid "$(<"$CEPH_DIR/fsid")" \
        --addv a "[v2:$(ceph_address)]" "$CEPH_DIR/monmap"
    ceph_tool ceph-mon --mkfs -i a -c "$conf" --monmap "$CEPH_DIR/monmap" --keyring "$CEPH_DIR/keyring"
    ceph_daemon mon ceph-mon -f -i a -c "$conf"
    ceph_tool ceph --connect-timeout 60 osd new "$(<"$CEPH_DIR/osd-uuid")" 0
    wait "$osd"
    # It enters the map of the cluster by itself.
    ceph_daemon osd ceph-osd -f -i 0 -c "$conf"
    ceph_tool ceph osd pool create "$CEPH_POOL" 8
    # Answers when the placement groups are active.
    ceph_tool timeout 60 rbd pool init "$CEPH_POOL"
}

# The same secret on every host, as domains name it. libvirt reads the key from a file: it is in no
# command line.
ceph_secret_define() { # HOST
    local folder=$STATE/machines/$1/log
    has_ceph || return 0
    cat >"$folder/secret.xml" <<END
<secret ephemeral='no' private='yes'>
  <uuid>$(<"$CEPH_DIR/secret")</uuid>
  <usage type='ceph'><name>client.$CEPH_USER secret</name></usage>
</secret>
END
    ceph_key "client.$CEPH_USER" | tr -d '\n' >"$folder/secret.key"
    virsh_on "$1" secret-define "$folder/secret.xml" >/dev/null
    virsh_on "$1" secret-set-value "$(<"$CEPH_DIR/secret")" --file "$folder/secret.key" >/dev/null
    rm "$folder/secret.xml" "$folder/secret.key"
}

ceph_signal() { # mon|osd SIGNAL
    local pid
    pid=$(cat "$CEPH_DIR/$1.pid")
    [ "$(cat "/proc/$pid/comm" 2>/dev/null)" = "ceph-$1" ] || die "no $1 runs in lab $LAB_ID"
    kill "-$2" "$pid"
}

# The OSD is told that it is full: the pool gets the flag that a full one has, and writes wait.
ceph_full() { # on|off
    local state=none tries
    [ "$1" = off ] || state=full
    ceph_tool timeout 60 ceph tell osd.0 injectfull "$state"
    for ((tries = 0; tries < 60; tries++)); do
        case $1:$(ceph_run timeout 60 ceph osd dump | grep "^pool .* '$CEPH_POOL' ") in
            on:*,full,*) return ;;
            off:*,full,*) ;;
            off:*) return ;;
        esac
        sleep 0.2
    done
    die "the pool did not get, or lose, its flag"
}

cmd_ceph() {
    need_up
    need_ceph
    case $#:${1:-}:${2:-} in
        2:mon:stop | 2:osd:stop) ceph_signal "$1" STOP ;;
        2:mon:cont | 2:osd:cont) ceph_signal "$1" CONT ;;
        2:full:on | 2:full:off) ceph_full "$2" ;;
        *:run:?*)
            shift
            exec nsenter -t "$(holder switch)" -m -n -u --wdns="$CEPH_DIR" -- \
                "${CLEAN[@]}" CEPH_CONF="$CEPH_DIR/ceph.conf" "$@"
            ;;
        *) usage_error "$CEPH_USAGE" ;;
    esac
}

ceph_rbd() { ceph_run timeout 60 rbd "$@"; }

# Who watches an image of a guest that is gone was killed, and would hold it for half a minute more.
ceph_image_remove() { # IMAGE
    local watcher
    while read -r watcher; do
        ceph_tool ceph osd blocklist add "$watcher"
    done < <(ceph_rbd status "$1" | sed -n 's/.*watcher=\([^ ]*\) .*/\1/p')
    ceph_rbd snap purge --no-progress "$1" >/dev/null 2>&1 || true
    ceph_rbd rm --no-progress "$1" >/dev/null
}

ceph_images_remove() { # GUEST
    local image
    has_ceph || return 0
    ceph_signal mon CONT
    ceph_signal osd CONT
    while read -r image; do
        case $image in
            "$1"-vd[a-z] | "$1"-vd[a-z].*) ceph_image_remove "$CEPH_POOL/$image" ;;
        esac
    done < <(ceph_rbd ls "$CEPH_POOL")
}
