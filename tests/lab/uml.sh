# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# shellcheck source-path=SCRIPTDIR
# `lab uml HOST`: the host gets a kernel of its own, user-mode Linux, which has an NFS client: what is mounted at
# /srv/shared there is the export of the lab's server, and statfs says so. The host keeps its name, address, keys
# and configuration; `lab on` and all that enters the machine no longer sees what runs in it: ask it by ssh.
# shellcheck disable=SC2154  # LAB_DIR, LAB_ID, STATE and others come from lab and base.sh
# shellcheck source=libvirtd.sh
. "$LAB_DIR/libvirtd.sh"
# shellcheck source=nfs.sh
. "$LAB_DIR/nfs.sh"

UML_SECONDS=180 # an idle machine takes 40
UML_MEMORY=1G

# As modprobe wants it: lib/modules/RELEASE.
uml_modules() {
    local release folder=$STATE/uml
    release=$(basename "$(echo /usr/lib/uml/modules/*)")
    mkdir -p "$folder/lib/modules"
    ln -sfn "/usr/lib/uml/modules/$release" "$folder/lib/modules/$release"
    echo "$folder"
}

# The machine's own network becomes a cable: what comes on it is for the kernel within.
uml_network() { # HOST
    # shellcheck disable=SC2016
    inside "$1" sh -euc '
        ip address flush dev br0
        ip tuntap add dev uml0 mode tap
        ip link set uml0 master br0 up'
}

# LAB_UML_WORDS: more words for the kernel's command line.
# shellcheck disable=SC2086  # words
uml_start() { # HOST
    local host=$1 folder=$STATE/machines/$1 mac tries
    mac=$(printf '02:fe:%02x:00:02:%02x' "$LAB_ID" "${2##*.}")
    rm -f "$folder/uml-up"
    inside_background "$host" "$folder/log/uml.log" env TMPDIR=/dev/shm linux.uml mem=$UML_MEMORY \
        rootfstype=hostfs rootflags=/ rw "init=$LAB_DIR/uml-init" con=null con0=null,fd:1 quiet ${LAB_UML_WORDS:-} \
        "vec0:transport=tap,ifname=uml0,mac=$mac" \
        "lab.name=$host" "lab.address=$2" "lab.server=$(address_of switch)" "lab.state=$STATE" \
        "lab.modules=$(uml_modules)"
    for ((tries = 0; tries < UML_SECONDS * 10; tries++)); do
        [ ! -e "$folder/uml-up" ] || return 0
        kill -0 $! 2>/dev/null || break
        sleep 0.1
    done
    tail -n 5 "$folder/log/uml.log" "$folder/uml-init.log" >&2 || true
    die "the kernel of '$host' did not come up"
}

cmd_uml() {
    local pid
    [ $# = 1 ] || usage_error "usage: lab uml HOST"
    need_up
    need_host "$1"
    need_nfs
    command -v linux.uml >/dev/null || die "there is no 'linux.uml': install user-mode-linux"
    libvirtd_kill "$1"
    pid=$(cat "$STATE/machines/$1/run/sshd.pid") && kill "$pid"
    uml_network "$1"
    uml_start "$1" "$(address_of "$1")"
}
