# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# shellcheck source-path=SCRIPTDIR
# `lab up`: the switch, the client and the hosts, side by side; ready when each libvirtd answers.
# shellcheck disable=SC2154  # LAB_DIR, LAB_ID, STATE and others come from lab and base.sh
# shellcheck source=mounts.sh
. "$LAB_DIR/mounts.sh"
# shellcheck source=boot.sh
. "$LAB_DIR/boot.sh"
# shellcheck source=link.sh
. "$LAB_DIR/link.sh"
# shellcheck source=libvirtd.sh
. "$LAB_DIR/libvirtd.sh"
# shellcheck source=tls.sh
. "$LAB_DIR/tls.sh"
# shellcheck source=nfs.sh
. "$LAB_DIR/nfs.sh"
# shellcheck source=ceph.sh
. "$LAB_DIR/ceph.sh"

# Whatever ends `up` before it is done, but kill -9, takes the lab down again.
up_undo() {
    [ -e "$STATE/up" ] && return
    trap - EXIT
    say "lab: could not bring lab $LAB_ID up; removing it"
    exec env -u ferry_lab_mark "$LAB_DIR/lab" down --failed
}

# A machine's namespaces live as long as this process. It shows its name, for `holder`.
machine_hold() { # MACHINE
    local folder=$STATE/machines/$1
    mkdir -p "$folder"
    # shellcheck disable=SC2016
    setsid unshare -m -n -u --propagation private -- bash -c \
        'echo $$ >"$1.new"; mv "$1.new" "$1"; exec -a "$0" sleep infinity' \
        "virt-ferry-lab.$LAB_ID.$1" "$folder/pid" </dev/null >/dev/null 2>&1 &
    while [ ! -e "$folder/pid" ] || ! (holder "$1") >/dev/null 2>&1; do
        kill -0 $! 2>/dev/null || die "could not make the namespaces of '$1'"
        sleep 0.005
    done
}

switch_make() {
    machine_hold switch
    # shellcheck disable=SC2016
    inside switch bash -euc '
        hostname switch
        sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
        ip link set lo up
        ip link add sw0 address "$1" type bridge
        ip address add "$2/16" dev sw0
        ip link set sw0 up' switch "$SWITCH_MAC" "$(address_of switch)"
}

# The cable is made inside the switch, so that the machine's own namespace never sees an interface.
machine_plug() { # MACHINE
    local index
    index=$(address_of "$1")
    inside switch ip link add "$1" type veth peer name eth0 \
        address "$(printf '02:fe:%02x:00:01:%02x' "$LAB_ID" "${index##*.}")" netns "$(holder "$1")"
    inside switch ip link set "$1" master sw0 up
}

# Without an address of the switch's own: nobody else is there.
second_net_make() {
    # shellcheck disable=SC2016
    inside switch bash -euc 'ip link add sw1 type bridge; ip link set sw1 up'
}

machine_plug_second() { # MACHINE
    local index
    index=$(address_of "$1")
    inside switch ip link add "$1-2" type veth peer name eth1 \
        address "$(printf '02:fe:%02x:00:02:%02x' "$LAB_ID" "${index##*.}")" netns "$(holder "$1")"
    inside switch ip link set "$1-2" master sw1 up
}

keys_make() { # MACHINE…
    local machine
    mkdir -p "$STATE/keys"
    ssh-keygen -q -t ed25519 -N '' -C "virt-ferry lab" -f "$STATE/keys/user"
    printf '%s client\n' "$(address_of client)" >"$STATE/keys/hosts"
    for machine; do
        ssh-keygen -q -t ed25519 -N '' -f "$STATE/keys/$machine"
        printf '%s,%s %s\n' "$machine" "$(address_of "$machine")" \
            "$(cut -d' ' -f1,2 "$STATE/keys/$machine.pub")" >>"$STATE/keys/known_hosts"
        printf '%s %s\n' "$(address_of "$machine")" "$machine" >>"$STATE/keys/hosts"
    done
}

machine_make() { # MACHINE RATE
    local -a second=()
    machine_hold "$1"
    machine_plug "$1"
    if [ -n "$second_net" ] && is_host "$1"; then
        machine_plug_second "$1"
        second=("$(second_address_of "$1" 4)" "$(second_address_of "$1" 6)")
    fi
    inside "$1" "$LAB_DIR/host-setup" "$STATE" "$1" "$(address_of "$1")" ${second[@]+"${second[@]}"}
    [ -z "$2" ] || link_rate "$1" "$2"
    tls_give "$1"
    is_host "$1" || return 0
    sshd_start "$1"
    libvirtd_start "$1"
    pool_make "$1"
    ceph_secret_define "$1"
}

up_options() {
    count=2
    rate=
    nfs=
    ceph=
    tls=
    second_net=
    while [ $# -gt 0 ]; do
        case $1 in
            --hosts) count=${2:?a number}; shift ;;
            --rate) rate=${2:?a rate such as 1gbit}; shift ;;
            --nfs | --nfs-in-memory) nfs=$1; need_program ganesha.nfsd ;;
            --tls) tls=1; need_program certtool; need_program saslpasswd2 ;;
            --second-net) second_net=1 ;;
            --ceph) ceph=1; need_program ceph-osd ;;
            *) usage_error "no option '$1' of lab up" ;;
        esac
        shift
    done
    case $count in
        [1-9]) ;;
        *) usage_error "--hosts takes 1 to 9, not '$count'" ;;
    esac
}

# The first failure ends the wait; the trap then removes the rest.
wait_all() { # PID…
    local pid
    for pid; do
        wait "$pid"
    done
}

cmd_up() {
    local count rate nfs ceph tls second_net i
    local -a names=() pids=()
    up_options "$@"
    [ ! -e "$STATE" ] || die "lab $LAB_ID is there already: lab down"
    trap up_undo EXIT
    trap 'exit 130' INT TERM HUP
    locked /run mount_points_make
    for ((i = 0; i < count; i++)); do
        # shellcheck disable=SC2059
        names+=("host$(printf "\\x$(printf %x $((65 + i)))")")
    done
    printf '%s\n' "${names[@]}" >"$STATE/hosts"
    mkdir -p "$STATE"/{bin,boot,guests,machines,shared} "${names[@]/#/$STATE/machines/}"
    for i in "${names[@]}"; do
        : >"$STATE/machines/$i/libvirtd"
    done
    tools_build host &
    pids+=($!)
    if [ -n "$tls" ]; then
        tls_make client "${names[@]}" &
        pids+=($!)
    fi
    keys_make "${names[@]}"
    switch_make
    [ -z "$second_net" ] || second_net_make
    wait_all "${pids[@]}"
    guest_boot_make &
    pids=($!)
    if [ -n "$ceph" ]; then
        ceph_prepare
        ceph_up &
        pids+=($!)
    fi
    if [ -n "$nfs" ]; then
        nfs_up "$nfs" &
        pids+=($!)
    fi
    for i in client "${names[@]}"; do
        machine_make "$i" "$rate" &
        pids+=($!)
    done
    wait_all "${pids[@]}"
    : >"$STATE/up"
}
