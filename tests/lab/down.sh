# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# shellcheck source-path=SCRIPTDIR
# `lab down`: ends every process of one lab and removes what it left, however it came to its end.
# Works from /proc alone: a lab that was killed half-way has no complete records.
# shellcheck disable=SC2154  # LAB_DIR, LAB_ID and STATE come from lab
# shellcheck source=mounts.sh
. "$LAB_DIR/mounts.sh"

# Marked are all processes that a changing lab command started, unless they clean their environment.
pids_marked() {
    # Processes end while it reads, which grep takes for an error.
    { grep -lzsx "ferry_lab_mark=$LAB_ID" /proc/[0-9]*/environ || true; } | cut -d/ -f3
}

# libvirtd cleans QEMU's environment and `lab on` its command's: those are found by the namespaces
# of the marked ones. The first look keeps them; whoever holds them may end before the last.
pids_in() { # FILE of namespaces
    { stat -L -c '%i %n' /proc/[0-9]*/ns/{net,mnt,uts} 2>/dev/null || true; } |
        awk 'NR == FNR { ours[$1]; next } $1 in ours { split($2, part, "/"); print part[3] }' "$1" -
}

# Into FILE, once each. They are held open until they are let go: the number of one that is gone is given to the
# next that is made, and that may be another lab's. A pid is given anew as well, so the mark is looked for again.
declare -A HELD=()
namespaces_hold() { # FILE PID…
    local file=$1 pid kind fd inode
    shift
    for pid; do
        for kind in net mnt uts; do
            { exec {fd}<"/proc/$pid/ns/$kind"; } 2>/dev/null || continue
            inode=$(stat -L -c %i "/proc/self/fd/$fd")
            if [ -n "${HELD[$inode]:-}" ] || [ "$inode" = "$(stat -L -c %i "/proc/self/ns/$kind")" ] ||
                ! grep -qzsx "ferry_lab_mark=$LAB_ID" "/proc/$pid/environ"; then
                exec {fd}<&-
                continue
            fi
            HELD[$inode]=$fd
            echo "$inode" >>"$file"
        done
    done
}

namespaces_let_go() {
    local fd
    for fd in "${HELD[@]}"; do
        exec {fd}<&-
    done
    HELD=()
}

# Zombies have no namespaces, so they do not count: pid 1 may reap late.
is_alive() { # PID
    [ -n "$(readlink "/proc/$1/ns/net" 2>/dev/null)" ]
}

processes_end() {
    local round pid alive known
    known=$(mktemp "${TMPDIR:-/tmp}/lab-down.XXXXXX")
    for ((round = 0; round < 500; round++)); do
        alive=
        # shellcheck disable=SC2046
        namespaces_hold "$known" $(pids_marked)
        for pid in $( { pids_marked; [ ! -s "$known" ] || pids_in "$known"; } | sort -un); do
            if ! is_alive "$pid" || [ "$pid" = $$ ]; then
                continue
            fi
            kill -KILL "$pid" 2>/dev/null || true
            alive="$alive $pid"
        done
        if [ -z "$alive" ]; then
            rm -f "$known"
            namespaces_let_go
            return
        fi
        sleep 0.02
    done
    rm -f "$known"
    die "could not end these processes of lab $LAB_ID:$alive"
}

# A file system in a file is unmounted with the last process of its namespace, and its loop device is
# freed with that: a moment later than the process is gone.
loops_end() {
    local tries device
    # Those that stand for block devices of hosts are nobody's else.
    for device in $(grep -ls "^$STATE/" /sys/block/loop*/loop/backing_file | cut -d/ -f4); do
        losetup --detach "/dev/$device" 2>/dev/null || true
    done
    for ((tries = 0; tries < 500; tries++)); do
        grep -qs "^$STATE/" /sys/block/loop*/loop/backing_file || return 0
        sleep 0.02
    done
    die "could not free these of lab $LAB_ID:" \
        "$(grep -ls "^$STATE/" /sys/block/loop*/loop/backing_file | cut -d/ -f4 | xargs)"
}

cmd_down() {
    case ${1:-} in
        '' | --failed) ;;
        *) usage_error "lab down takes no argument" ;;
    esac
    case $(tr '\0' ' ' <"/proc/$$/environ") in
        *"ferry_lab_mark=$LAB_ID "*) die "lab down cannot run inside lab $LAB_ID" ;;
    esac
    processes_end
    loops_end
    locked /run mount_points_remove
    [ "${1:-}" != --failed ] || exit 1
}
