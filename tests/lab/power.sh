# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# shellcheck source-path=SCRIPTDIR
# `lab power` and `lab tell`: a host without current, and a guest that ends by itself.
# shellcheck disable=SC2154  # LAB_DIR and STATE come from lab
# shellcheck source=libvirtd.sh
. "$LAB_DIR/libvirtd.sh"

# The cable first: a host without current says no goodbye.
power_off() { # HOST
    local pid keeper namespace
    keeper=$(holder "$1")
    namespace=$(readlink "/proc/$keeper/ns/net")
    inside switch ip link set "$1" down
    while pid=$( (find /proc/[0-9]*/ns/net -maxdepth 0 -lname "${namespace//[\[\]]/?}" 2>/dev/null || true) |
        cut -d/ -f3 | grep -vx "$keeper"); do
        # shellcheck disable=SC2086
        kill -KILL $pid 2>/dev/null || true
        sleep 0.01
    done
}

power_on() { # HOST
    # On real hosts /run is in memory.
    inside "$1" find /run/libvirt /run/virt-ferry /run/lock /run/libvirtd.pid /run/sshd.pid -mindepth 0 \
        -not -type d -delete 2>/dev/null || true
    inside switch ip link set "$1" up
    sshd_start "$1"
    libvirtd_start "$1"
}

cmd_power() {
    [ $# = 2 ] || usage_error "usage: lab power HOST off|on"
    need_up
    need_host "$1"
    case $2 in
        off) power_off "$1" ;;
        on) power_on "$1" ;;
        *) usage_error "usage: lab power HOST off|on" ;;
    esac
}

# One datagram: it is lost where the guest's host has no cable.
cmd_tell() {
    [ $# = 2 ] || usage_error "usage: lab tell GUEST reboot|poweroff|panic"
    need_up
    need_guest "$1"
    case $2 in
        reboot | poweroff | panic) ;;
        *) usage_error "usage: lab tell GUEST reboot|poweroff|panic" ;;
    esac
    # shellcheck disable=SC2016
    inside switch bash -c 'printf %s "$1" >"/dev/udp/$0/7"' "$(<"$STATE/guests/$1/address")" "$2"
}
