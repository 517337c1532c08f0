# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# shellcheck source-path=SCRIPTDIR
# `lab verify`: every write that the guest reported on any console must be on the disks it has now.
# Where it is and what its disks are is read from QEMU and libvirt at that moment, since a move or a
# relocation may have changed host, location and format.
# shellcheck disable=SC2154  # LAB_DIR, STATE and others come from lab and base.sh
# shellcheck source=status.sh
. "$LAB_DIR/status.sh"

RING_END=2M # the first bytes of a disk that stamp-check reads

# The hosts that hold the guest, by the strongest claim that any has: a running virtual CPU, a QEMU,
# a definition.
holders_of() { # GUEST
    local host found
    found=$(runners "$1")
    [ -n "$found" ] || found=$(for host in $(hosts); do
        [ -z "$(qemu_of "$host" "$1")" ] || echo "$host"
    done)
    [ -n "$found" ] || found=$(for host in $(hosts); do
        ! virsh_on "$host" dominfo "$1" >/dev/null 2>&1 || echo "$host"
    done)
    echo "$found"
}

# From a domain's XML, as libvirt prints it, to TARGET|FORMAT|LOCATION lines. The first source of a
# disk is the image in use; those of its backing chain and of a block job follow it. What is read
# after that of a network disk is its first host. A volume is one of pool 'default'.
disks_of_xml() {
    awk -F"'" -v user="$CEPH_USER" -v images="$LOCAL_DIR" '
        /<disk / { is_disk = /device=.disk./; source = format = target = protocol = host = "" }
        /<driver / && is_disk { for (i = 1; i < NF; i += 2) if ($i ~ / type=$/) format = $(i + 1) }
        /<source / && is_disk && source == "" {
            for (i = 1; i < NF; i += 2) {
                if ($i ~ / (file|dev)=$/) source = $(i + 1)
                if ($i ~ / protocol=$/) protocol = $(i + 1)
                if ($i ~ / name=$/) source = $(i + 1)
                if ($i ~ / volume=$/) source = images "/" $(i + 1)
            }
        }
        /<host / && is_disk && host == "" {
            for (i = 1; i < NF; i += 2) if ($i ~ / name=$/) host = $(i + 1)
        }
        /<target / && is_disk { target = $2 }
        /<\/disk>/ && is_disk && source != "" {
            if (protocol == "nfs") source = "nfs://" host source
            if (protocol == "rbd") source = "rbd:" source ":id=" user
            print target "|" format "|" source
        }'
}

# A network disk has no descriptor of its own: that QEMU was started with it is all that can be seen.
image_is_open() { # PID LOCATION
    local name=${2#rbd:*/}
    case $2 in
        nfs:*) grep -qszF "\"path\":\"/${2#nfs://*/}\"" "/proc/$1/cmdline" ;;
        rbd:*) grep -qszF "\"image\":\"${name%%:*}\"" "/proc/$1/cmdline" ;;
        *)
            # A device is open by the name that its link leads to.
            { readlink "/proc/$1/fd/"* || true; } |
                grep -xF -e "$2" -e "$(readlink "/proc/$1/root$2" || echo "$2")" >/dev/null
            ;;
    esac
}

# Without libvirt: what the lab created, if that QEMU has it open.
disks_of_qemu() { # HOST GUEST
    local pid target location format
    pid=$(qemu_of "$1" "$2")
    while IFS='|' read -r target location format; do
        ! image_is_open "${pid:-none}" "$location" || echo "$target|$format|$location"
    done <"$STATE/guests/$2/disks"
}

disks_of() { # HOST GUEST
    local xml
    if xml=$(virsh_on "$1" dumpxml "$2" 2>/dev/null); then
        disks_of_xml <<<"$xml"
    else
        disks_of_qemu "$1" "$2"
    fi
}

verify_on() { # HOST GUEST FOLDER
    local target format location ring
    local -a rings=()
    while IFS='|' read -r target format location; do
        [ -n "$target" ] || continue
        ring=$3/$target
        # Shared mode: the guest may have the image open and go on writing.
        inside "$1" qemu-img dd -U -f "$format" -O raw bs="$RING_END" count=1 \
            if="$location" of="$ring" >/dev/null || die "could not read '$location' on '$1'"
        rings+=("$(($(printf %d "'${target#vd}") - 97))=$ring")
    done < <(disks_of "$1" "$2")
    "$STATE/bin/stamp-check" "$2" "$3"/console-* -- "${rings[@]}"
}

cmd_verify() {
    local folder host where
    [ $# = 1 ] || usage_error "usage: lab verify GUEST"
    need_up
    need_guest "$1"
    folder=$(mktemp -d "$STATE/guests/$1/verify.XXXXXX")
    # shellcheck disable=SC2064
    trap "rm -rf '$folder'" EXIT
    # The consoles first: the guest goes on, so what is on the disk may only be newer.
    for host in $(hosts); do
        cat "$STATE/machines/$host/log/libvirt/qemu/$1-console.log" >"$folder/console-$host" 2>/dev/null ||
            true
    done
    where=$(holders_of "$1")
    case $where in
        '') die "verify $1: no host has this guest" ;;
        *$'\n'*) die "verify $1: more than one host has it:" "${where//$'\n'/ }" ;;
    esac
    verify_on "$where" "$1" "$folder"
}
