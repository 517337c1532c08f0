# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# The NFS server of a lab: rpcbind and nfs-ganesha on the switch, its exports, and its faults.
# Each export is a file system of its own in a sparse file, mounted where only the switch sees it: it
# can be filled, and it is gone with the switch's last process. What is deleted on it behind the
# server's back stays open there: see nfs_images_remove.
# shellcheck disable=SC2153,SC2154  # LAB_DIR, STATE and others come from lab and base.sh

NFS_DIR=$STATE/nfs
NFS_USAGE="usage: lab nfs stop|cont|kill|start, squash|readonly|only4|full on|off [EXPORT…], \
export|unexport [EXPORT…], run COMMAND…"

# pseudo path|number|file system. Clients know an export by its pseudo path alone.
NFS_EXPORTS='/export|1|one
/export2|2|two
/alias|3|one'
# file system|size
NFS_DISKS='one|16G
two|2G'

has_nfs() { [ -d "$NFS_DIR" ]; }
need_nfs() { has_nfs || die "lab $LAB_ID has no NFS server: lab up --nfs"; }

nfs_faults() { # EXPORT: prints its faults, one a line
    cat "$NFS_DIR/faults${1//\//.}" 2>/dev/null || true
}

nfs_versions() { # EXPORT…: that one of them at least has
    local path
    for path; do
        [[ $(nfs_faults "$path") == *only4* ]] || { echo 3, 4; return; }
    done
    echo 4
}

nfs_configure() {
    local path number disk faults
    # shellcheck disable=SC2046  # paths without blanks
    cat <<END
NFS_CORE_PARAM {
    Protocols = $(nfs_versions $(cut -d'|' -f1 <<<"$NFS_EXPORTS"));
    Bind_addr = $(address_of switch);
    MNT_Port = 20048;
    Enable_NLM = false;
    Enable_RQUOTA = false;
    mount_path_pseudo = true;
}
NFSv4 { Graceless = true; RecoveryRoot = $NFS_DIR/recovery; Only_Numeric_Owners = true; }
NFS_KRB5 { Active_krb5 = false; }
END
    while IFS='|' read -r path number disk; do
        faults=$(nfs_faults "$path")
        [[ $faults != *unexport* ]] || continue
        cat <<END
EXPORT {
    Export_Id = $number;
    Path = $NFS_DIR/$disk;
    Pseudo = $path;
    Tag = ${path#/};
    Protocols = $(nfs_versions "$path");
    Transports = TCP;
    SecType = sys;
    Access_Type = $([[ $faults == *readonly* ]] && echo RO || echo RW);
    Squash = $([[ $faults == *squash* ]] && echo Root_Squash || echo No_Root_Squash);
    FSAL { Name = VFS; }
}
END
    done <<<"$NFS_EXPORTS"
}

nfs_kinds() {
    echo "nfs|nfs://$(address_of switch)/export|an export of the lab's NFS server"
    echo "nfs2|nfs://$(address_of switch)/export2|another one, a small file system"
}

nfs_source_xml() { # LOCATION
    local server=${1#nfs://}
    printf "type='network'|<source protocol='nfs' name='/%s'><host name='%s'/>" \
        "${server#*/}" "${server%%/*}"
    printf "<identity user='+0' group='+0'/></source>\n"
}

nfs_pid() {
    local pid
    pid=$(cat "$NFS_DIR/ganesha.pid" 2>/dev/null) || return 1
    [ "$(cat "/proc/$pid/comm" 2>/dev/null)" = ganesha.nfsd ] || return 1
    # A dead one that nobody has reaped has no namespaces any more.
    [ "$(readlink "/proc/$pid/ns/net")" = "$(readlink "/proc/$(holder switch)/ns/net")" ] || return 1
    echo "$pid"
}

# Ready when it answers as a client would ask.
nfs_start() {
    local tries version
    nfs_pid >/dev/null && return
    # shellcheck disable=SC2046  # paths without blanks
    version=$(nfs_versions $(cut -d'|' -f1 <<<"$NFS_EXPORTS"))
    rm -f "$NFS_DIR/ganesha.pid"
    nfs_configure >"$NFS_DIR/ganesha.conf"
    inside_background switch "$NFS_DIR/ganesha.out" /usr/bin/ganesha.nfsd -F -f "$NFS_DIR/ganesha.conf" \
        -L "$NFS_DIR/ganesha.log" -p "$NFS_DIR/ganesha.pid" -N NIV_EVENT
    for ((tries = 0; tries < 500; tries++)); do
        ! inside switch timeout 5 rpcinfo -T tcp "$(address_of switch)" nfs "${version%%,*}" >/dev/null 2>&1 || return 0
        kill -0 $! 2>/dev/null || break
        sleep 0.02
    done
    tail -n 3 "$NFS_DIR/ganesha.out" "$NFS_DIR/ganesha.log" >&2 || true
    die "the NFS server does not answer"
}

nfs_up() { # --nfs|--nfs-in-memory
    local disk size options=loop,noatime disks=$NFS_DIR/disks run=$STATE/machines/switch/run
    mkdir -p "$NFS_DIR/recovery" "$disks" "$run"
    if [ "$1" = --nfs-in-memory ]; then
        inside switch mount -t tmpfs none "$disks"
        options+=,discard # what is deleted is memory again
    fi
    compile nfs-remove -lnfs
    compile rpc-count
    while IFS='|' read -r disk size; do
        mkdir "$NFS_DIR/$disk"
        inside switch truncate -s "$size" "$disks/$disk"
        inside switch mkfs.ext4 -q -F -O ^has_journal -E nodiscard,lazy_itable_init=1 -m 0 "$disks/$disk"
        inside switch mount -o "$options" "$disks/$disk" "$NFS_DIR/$disk"
        inside switch rmdir "$NFS_DIR/$disk/lost+found"
    done <<<"$NFS_DISKS"
    inside switch mount --bind "$run" /run
    inside_background switch "$NFS_DIR/rpcbind.log" /sbin/rpcbind -f -w
    until [ -S "$run/rpcbind.sock" ]; do
        kill -0 $! 2>/dev/null || die "rpcbind ended:" "$(<"$NFS_DIR/rpcbind.log")"
        sleep 0.01
    done
    nfs_start
}

nfs_kill() {
    local pid
    pid=$(nfs_pid) || die "no NFS server runs in lab $LAB_ID"
    kill -KILL "$pid"
    while nfs_pid >/dev/null; do
        sleep 0.01
    done
}

nfs_signal() { # SIGNAL
    local pid
    pid=$(nfs_pid) || die "no NFS server runs in lab $LAB_ID"
    kill "-$1" "$pid"
}

nfs_rereads() { grep -c 'Reread exports complete' "$NFS_DIR/ganesha.log" || true; }

# A server that is not there, or stopped, finds the configuration when it is back.
nfs_reconfigure() {
    local before tries pid state
    before=$(nfs_rereads)
    nfs_configure >"$NFS_DIR/ganesha.conf"
    pid=$(nfs_pid) || return 0
    kill -HUP "$pid"
    state=$(cut -d' ' -f3 "/proc/$pid/stat")
    for ((tries = 0; tries < 500; tries++)); do
        [ "$state" != T ] && [ "$(nfs_rereads)" -le "$before" ] || return 0
        sleep 0.01
    done
    die "the NFS server did not read its exports again"
}

nfs_disk_of() { # EXPORT
    awk -F'|' -v path="$1" '$1 == path { print $3 }' <<<"$NFS_EXPORTS"
}

nfs_exports_named() { # [EXPORT…]; without one, all
    local path
    if [ $# = 0 ]; then
        cut -d'|' -f1 <<<"$NFS_EXPORTS"
        return
    fi
    for path; do
        [ -n "$(nfs_disk_of "$path")" ] || usage_error "no export '$path' of the lab's server"
        echo "$path"
    done
}

nfs_fault() { # FAULT on|off [EXPORT…]
    local fault=$1 state=$2 exports path faults
    case $state in
        on | off) ;;
        *) usage_error "$NFS_USAGE" ;;
    esac
    shift 2
    exports=$(nfs_exports_named "$@")
    for path in $exports; do
        faults=$(nfs_faults "$path" | grep -vx "$fault" || true)
        [ "$state" = off ] || faults+=$'\n'$fault
        echo "$faults" >"$NFS_DIR/faults${path//\//.}"
    done
    nfs_reconfigure
}

# All of it but 64 KiB, which a file system needs to say so. Nothing is written for it.
nfs_disk_fill() { # DISK
    local size
    size=$(inside switch stat -f -c '%a * %S - 65536' "$NFS_DIR/$1")
    [ $((size)) -le 0 ] ||
        inside switch fallocate -l $((size)) "$NFS_DIR/$1/.filler.$EPOCHREALTIME"
}

nfs_full() { # on|off [EXPORT…]
    local state=$1 exports path disk
    shift
    exports=$(nfs_exports_named "$@")
    for path in $exports; do
        disk=$(nfs_disk_of "$path")
        case $state in
            on) nfs_disk_fill "$disk" ;;
            off) inside switch find "$NFS_DIR/$disk" -maxdepth 1 -name '.filler.*' -delete ;;
            *) usage_error "$NFS_USAGE" ;;
        esac
    done
}

cmd_nfs() {
    need_up
    need_nfs
    case $#:${1:-} in
        1:stop) nfs_signal STOP ;;
        1:cont) nfs_signal CONT ;;
        1:kill) nfs_kill ;;
        1:start) nfs_start ;;
        [2-9]:squash | [2-9]:readonly | [2-9]:only4) nfs_fault "$@" ;;
        [2-9]:full) nfs_full "${@:2}" ;;
        [1-9]:unexport) nfs_fault unexport on "${@:2}" ;;
        [1-9]:export) nfs_fault unexport off "${@:2}" ;;
        1:run) usage_error "$NFS_USAGE" ;;
        *:run) nfs_run "${@:2}" ;;
        *) usage_error "$NFS_USAGE" ;;
    esac
}

# On the server, in its folder of file systems.
nfs_run() { # COMMAND…
    exec nsenter -t "$(holder switch)" -m -n -u --wdns="$NFS_DIR" -- "${CLEAN[@]}" "$@"
}

# Through NFS, for the sake of the server's open files; when it refuses, by its end and a new one.
nfs_images_remove() { # GUEST
    local path disk file ran=
    local -a files=() urls=()
    has_nfs || return 0
    while IFS='|' read -r path _ disk; do
        [ "$path" != /alias ] || continue
        while read -r file; do
            files+=("$NFS_DIR/$disk/$file")
            urls+=("nfs://$(address_of switch)$path/$file")
        done < <(inside switch find "$NFS_DIR/$disk" -maxdepth 1 \
            '(' -name "$1-vd[a-z].*" -o -name "$1-vd[a-z]-base.*" ')' -printf '%f\n')
    done <<<"$NFS_EXPORTS"
    [ ${#files[@]} -gt 0 ] || return 0
    if nfs_pid >/dev/null; then
        nfs_signal CONT
        ! inside switch timeout 10 "$STATE/bin/nfs-remove" "${urls[@]}" 2>/dev/null || return 0
        nfs_kill
        ran=1
    fi
    inside switch rm -f "${files[@]}"
    [ -z "$ran" ] || nfs_start
}
