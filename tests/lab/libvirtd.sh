# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# libvirtd of one host: started under a reaper, killed, stopped and continued by its own pid.
# shellcheck disable=SC2154  # STATE comes from lab

# In the order in which they are started; who asks finds the others there.
MODULAR='virtstoraged virtsecretd virtnetworkd virtqemud virtproxyd'
modular_path() { # NAME
    if [ -n "${LAB_MODULAR:-}" ]; then
        compgen -G "$LAB_MODULAR/$1" || true
    else
        command -v "$1" || true
    fi
}

libvirtd_wait() { # HOST PID of its reaper
    local tries socket=libvirt-sock
    [ ! -e "$STATE/machines/$1/modular" ] || socket=virtqemud-sock
    # The first answer takes 1.5 s: it asks QEMU for its capabilities then.
    for ((tries = 0; tries < 200; tries++)); do
        [ -S "$STATE/machines/$1/run/libvirt/$socket" ] &&
            inside "$1" timeout 20 virsh -q version >/dev/null 2>&1 && return
        kill -0 "$2" 2>/dev/null || break
        sleep 0.05
    done
    tail -n 3 "$STATE/machines/$1/log/libvirt/libvirtd.log" >&2 || true
    die "libvirtd on '$1' does not answer"
}

libvirtd_start() { # HOST
    libvirtd_pid "$1" >/dev/null && return
    if [ -e "$STATE/machines/$1/modular" ]; then
        modular_start "$1"
        return
    fi
    rm -f "$STATE/machines/$1/run/libvirtd.pid"
    inside_background "$1" "$STATE/machines/$1/log/libvirtd.out" \
        "$STATE/bin/reaper" /usr/sbin/libvirtd -l
    libvirtd_wait "$1" $!
}

modular_start() { # HOST
    local name path reaper=
    for name in $MODULAR; do
        ! daemon_pid "$1" "$name" >/dev/null || continue
        path=$(modular_path "$name")
        [ -n "$path" ] || continue
        rm -f "$STATE/machines/$1/run/$name.pid"
        inside_background "$1" "$STATE/machines/$1/log/$name.out" "$STATE/bin/reaper" "$path"
        [ "$name" != virtqemud ] || reaper=$!
    done
    libvirtd_wait "$1" "$reaper"
}

libvirtd_kill() { # HOST
    local pid
    pid=$(libvirtd_pid "$1") || die "no libvirtd runs on '$1'"
    kill -KILL "$pid"
    while libvirtd_pid "$1" >/dev/null; do
        sleep 0.01
    done
}

libvirtd_signal() { # HOST SIGNAL
    local pid
    pid=$(libvirtd_pid "$1") || die "no libvirtd runs on '$1'"
    kill "-$2" "$pid"
}

sshd_start() { # HOST
    inside_background "$1" "$STATE/machines/$1/log/sshd.log" \
        "$STATE/bin/reaper" /usr/sbin/sshd -D -e -f "$STATE/machines/$1/sshd_config"
}

pool_make() { # HOST
    virsh_on "$1" pool-define-as default dir --target "$LOCAL_DIR" >/dev/null
    virsh_on "$1" pool-start default >/dev/null
    virsh_on "$1" pool-autostart default >/dev/null
}

cmd_libvirtd() {
    [ $# = 2 ] || usage_error "usage: lab libvirtd HOST kill|stop|cont|start"
    need_up
    need_host "$1"
    case $2 in
        kill) libvirtd_kill "$1" ;;
        stop) libvirtd_signal "$1" STOP ;;
        cont) libvirtd_signal "$1" CONT ;;
        start) libvirtd_start "$1" ;;
        *) usage_error "usage: lab libvirtd HOST kill|stop|cont|start" ;;
    esac
}
