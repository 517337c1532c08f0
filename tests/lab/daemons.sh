# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# shellcheck source-path=SCRIPTDIR
# `lab daemons`: a host whose libvirt is several daemons with sockets of their own, or asks polkit who may do what.
# Guests are to be gone before: a daemon looks for those of its own kind.
# shellcheck disable=SC2154  # LAB_DIR and STATE come from lab
# shellcheck source=libvirtd.sh
. "$LAB_DIR/libvirtd.sh"

POLKIT_USER=games # whom polkit lets manage libvirt; on every Debian, and of no other use

daemons_end() { # HOST
    local name pid
    for name in libvirtd $MODULAR; do
        while pid=$(daemon_pid "$1" "$name"); do
            kill -KILL "$pid"
            sleep 0.05
        done
    done
    inside "$1" find /run/libvirt -maxdepth 1 -type s -delete
}

# The settings of libvirtd, for those that read them: the proxy speaks to the network.
modular_configure() { # HOST
    local folder=$STATE/machines/$1/etc-libvirt name
    for name in virtqemud virtstoraged virtsecretd virtnetworkd; do
        grep -E '^(auth_unix_rw|unix_sock_group|host_uuid) ' "$folder/libvirtd.conf" >"$folder/$name.conf"
        echo "log_outputs = \"3:file:/var/log/libvirt/$name.log\"" >>"$folder/$name.conf"
    done
    sed 's|libvirtd.log|virtproxyd.log|; /^host_uuid /d' "$folder/libvirtd.conf" >"$folder/virtproxyd.conf"
}

bus_start() { # HOST
    inside "$1" mkdir -p /run/dbus
    inside_background "$1" "$STATE/machines/$1/log/dbus.log" dbus-daemon --system --nofork --nopidfile
    for ((tries = 0; tries < 100; tries++)); do
        [ -S "$STATE/machines/$1/run/dbus/system_bus_socket" ] && return
        sleep 0.05
    done
    die "no system bus on '$1'"
}

# With a folder of rules of its own: the machine's are not touched.
polkit_start() { # HOST
    local tries
    need_program dbus-daemon
    need_program /usr/lib/polkit-1/polkitd
    mkdir -p "$STATE/machines/$1/polkit/rules.d"
    cat >"$STATE/machines/$1/polkit/rules.d/50-lab.rules" <<END
polkit.addRule(function (action, subject) {
    if (action.id == "org.libvirt.unix.manage" && subject.user == "$POLKIT_USER")
        return polkit.Result.YES;
});
END
    inside "$1" mount --bind "$STATE/machines/$1/polkit" /etc/polkit-1
    bus_start "$1"
    inside_background "$1" "$STATE/machines/$1/log/polkitd.log" /usr/lib/polkit-1/polkitd
    for ((tries = 0; tries < 100; tries++)); do
        inside "$1" timeout 5 dbus-send --system --print-reply --dest=org.freedesktop.DBus / \
            org.freedesktop.DBus.NameHasOwner string:org.freedesktop.PolicyKit1 2>/dev/null |
            grep -q 'boolean true' && return
        sleep 0.05
    done
    die "polkit on '$1' does not answer"
}

cmd_daemons() {
    local conf
    [ $# = 2 ] || usage_error "usage: lab daemons HOST modular|monolithic|polkit"
    need_up
    need_host "$1"
    conf=$STATE/machines/$1/etc-libvirt/libvirtd.conf
    case $2 in
        modular)
            [ -n "$(modular_path virtqemud)" ] || die "there is no virtqemud here; LAB_MODULAR names a folder that has it"
            daemons_end "$1"
            modular_configure "$1"
            : >"$STATE/machines/$1/modular"
            ;;
        monolithic)
            daemons_end "$1"
            rm -f "$STATE/machines/$1/modular"
            sed -i 's/^auth_unix_rw = .*/auth_unix_rw = "none"/; /^unix_sock_rw_perms /d' "$conf"
            ;;
        polkit)
            polkit_start "$1"
            daemons_end "$1"
            sed -i 's/^auth_unix_rw = .*/auth_unix_rw = "polkit"/; $a unix_sock_rw_perms = "0777"' "$conf"
            ;;
        *) usage_error "usage: lab daemons HOST modular|monolithic|polkit" ;;
    esac
    libvirtd_start "$1"
}
