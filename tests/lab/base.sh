# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# What every lab command shares: messages, the names and addresses of the machines, how to enter one,
# and the mark by which `lab down` finds each process of the lab whatever became of its parent.
# shellcheck disable=SC2034,SC2153,SC2154  # LAB_DIR, LAB_ID and STATE come from lab; others use what is set here

MADE=/tmp/virt-ferry-lab.made # mount points that labs had to make, in the order of making
SHARED_DIR=/srv/shared
LOCAL_DIR=/var/lib/libvirt/images
SWITCH_MAC=02:fe:00:00:00:01

say() { printf '%s\n' "$*" >&2; }
die() { say "lab: $*"; exit 1; }
need_program() { command -v "$1" >/dev/null || die "there is no '$1': contrib/install-deps"; }
usage_error() { say "lab: $*"; exit 2; }

case $LAB_ID in
    '' | *[!0-9]* | ????*) usage_error "LAB_ID must be a number from 0 to 99, not '$LAB_ID'" ;;
esac
[ "$LAB_ID" -le 99 ] || usage_error "LAB_ID must be a number from 0 to 99, not '$LAB_ID'"

# A variable set by export is not in /proc/PID/environ of the process itself, nor of its forks;
# so the command starts anew with the mark. Its name is no VIRT_FERRY_ or LAB_ one: `lab on` must
# not hand it to what a test runs.
run_marked() {
    [ "${ferry_lab_mark:-}" = "$LAB_ID" ] || exec env ferry_lab_mark="$LAB_ID" "$LAB_DIR/lab" "$@"
}

is_up() { [ -e "$STATE/up" ]; }
need_up() { is_up || die "lab $LAB_ID is not up: lab up"; }

hosts() { cat "$STATE/hosts"; }
is_machine() { [ -d "$STATE/machines/$1" ]; }
is_host() { [ -e "$STATE/machines/$1/libvirtd" ]; }
need_host() { is_host "$1" || die "no host '$1' in lab $LAB_ID"; }
need_guest() { [ -d "$STATE/guests/$1" ] || die "no guest '$1' in lab $LAB_ID"; }

# Hosts are .0.10 and up, the client .0.2, the switch .0.1, guests .1.1 and up.
subnet() { echo "10.$((100 + LAB_ID))"; }
address_of() { # MACHINE
    local index
    case $1 in
        switch) echo "$(subnet).0.1" ;;
        client) echo "$(subnet).0.2" ;;
        host[A-Z])
            printf -v index %d "'${1#host}"
            echo "$(subnet).0.$((index - 65 + 10))"
            ;;
        *) die "no machine '$1' in lab $LAB_ID" ;;
    esac
}

# The second network, of hosts alone: 172.31.LAB_ID.0/24 and fd31:LAB_ID::/64, by the same last number.
second_address_of() { # MACHINE 4|6
    local address
    address=$(address_of "$1")
    case $2 in
        4) echo "172.31.$LAB_ID.${address##*.}" ;;
        6) echo "fd31:$LAB_ID::${address##*.}" ;;
    esac
}

# The process that holds a machine's namespaces. Its name is checked: a pid may be used again.
holder() { # MACHINE
    local pid name
    [ -r "$STATE/machines/$1/pid" ] || die "no machine '$1' in lab $LAB_ID"
    pid=$(<"$STATE/machines/$1/pid")
    { read -r -d '' name <"/proc/$pid/cmdline"; } 2>/dev/null || name=
    [ "$name" = "virt-ferry-lab.$LAB_ID.$1" ] || die "machine '$1' of lab $LAB_ID is gone: lab down"
    echo "$pid"
}

# What the lab itself runs in a machine sees nothing of the caller's environment (a
# LIBVIRT_DEFAULT_URI, say), but keeps the mark.
CLEAN=(env -i HOME=/root USER=root LANG=C.UTF-8 PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
    ${ferry_lab_mark:+"ferry_lab_mark=$ferry_lab_mark"})

inside() { # MACHINE COMMAND…
    local pid
    pid=$(holder "$1")
    shift
    nsenter -t "$pid" -m -n -u -- "${CLEAN[@]}" "$@"
}

# Programs that are expected to outlive the command keep none of its descriptors.
inside_background() { # MACHINE LOG COMMAND…
    local pid log=$2
    pid=$(holder "$1")
    shift 2
    setsid nsenter -t "$pid" -m -n -u -- "${CLEAN[@]}" "$@" </dev/null >>"$log" 2>&1 &
}

# flock works on directories, which leaves no lock file behind. Start no daemon under it: it would
# inherit the lock.
locked() { # DIRECTORY FUNCTION ARGUMENT…
    local directory=$1
    shift
    (flock 9 && "$@") 9<"$directory"
}

# The one that has the guests, whatever its name.
libvirtd_pid() { # HOST
    if [ -e "$STATE/machines/$1/modular" ]; then
        daemon_pid "$1" virtqemud
    else
        daemon_pid "$1" libvirtd
    fi
}

daemon_pid() { # HOST NAME
    local pid proc
    pid=$(cat "$STATE/machines/$1/run/$2.pid" 2>/dev/null) || return 1
    proc=/proc/$pid
    [ "$(cat "$proc/comm" 2>/dev/null)" = "$2" ] || return 1
    # A dead one that nobody has reaped has no namespaces any more.
    [ "$(readlink "$proc/ns/net")" = "$(readlink "/proc/$(holder "$1")/ns/net")" ] || return 1
    echo "$pid"
}

# virsh on a host. A daemon that is dead or stopped is seen beforehand: waiting for it teaches nothing.
virsh_on() { # HOST ARGUMENT…
    local host=$1 pid state
    shift
    if ! pid=$(libvirtd_pid "$host") || ! state=$(cut -d' ' -f3 "/proc/$pid/stat") || [ "$state" = T ]; then
        say "lab: libvirtd on '$host' is not running"
        return 1
    fi
    inside "$host" timeout -k 1 60 virsh -q "$@"
}

# Pids of a guest's QEMU on a host, found by network namespace and command line, not by libvirt.
qemu_of() { # HOST GUEST
    local pid namespace proc comm line
    namespace=$(readlink "/proc/$(holder "$1")/ns/net")
    for proc in /proc/[0-9]*; do
        { read -r comm <"$proc/comm"; } 2>/dev/null || continue
        [[ $comm == qemu-system* ]] || continue
        [ "$(readlink "$proc/ns/net")" = "$namespace" ] || continue
        line=$(tr '\0' ' ' 2>/dev/null <"$proc/cmdline") || continue
        [[ $line == *" guest=$2,"* ]] || continue
        pid=${proc#/proc/}
        echo "$pid"
    done
}
