# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# shellcheck disable=SC2016,SC2034,SC2317  # for the files that read this; what is run on hosts is quoted
# Disks of a guest of the lab's hostA: where they are, and the guest as it was, before each case. Read behind lib.sh.

SERVER=10.$((100 + LAB_ID)).0.1
NFS=nfs://$SERVER/export
IMAGES=/var/lib/libvirt/images

relocate() { ferry hostA relocate "$@"; } # DOMAIN OPTION…

# Where the disk is, and in what format: as QEMU has it now, or as it will start with.
disk_at() { # GUEST TARGET [--inactive]
    on hostA virsh dumpxml "${@:3}" -- "$1" | awk -v target="$2" -F"'" '
        /<disk / { source = format = "" }
        /<driver / { for (i = 1; i < NF; i += 2) if ($i ~ / type=$/) format = $(i + 1) }
        /<source / && source == "" { for (i = 1; i < NF; i += 2) if ($i ~ / (file|dev|name)=$/) source = $(i + 1) }
        /<target / && $2 == target { print source, format }'
}
is_at() { # GUEST TARGET "PLACE FORMAT"
    is "$3" disk_at "$1" "$2"
    is "$3" disk_at "$1" "$2" --inactive
    lives_on hostA "$1"
}
# What a relocation made, and a case has seen.
nfs_gone() { lab nfs run sh -c 'rm -f one/r-*; rm -f two/r-*'; }
on_nfs() { lab nfs run find one two -name 'r-*'; }
rbd_images() { lab ceph run rbd ls ferry | grep '^r-' || true; }
# The guest back as it was: its images go with it.
fresh() { # DISKS OPTION…
    needs_all
    [ ! -d "$STATE/guests/r" ] || lab rm r
    nfs_gone
    for image in $(rbd_images); do lab ceph run rbd rm --no-progress "ferry/$image"; done
    on hostA sh -c "rm -f $IMAGES/r-* /srv/shared/r-*; rm -rf /srv/other; mkdir /srv/other; virsh -q pool-refresh default"
    finally on hostA rm -rf /srv/other
    guest hostA r --disk "$1" --write-log "${@:2}"
}

signal_on_a() { on_machine pkill hostA "-$1" -x virt-ferry; }

# The findings of a dry run, by their ids.
found() { { ferry hostA --json relocate r --dry-run "$@" 2>/dev/null || true; } | jq -r '.findings[].id' | tr '\n' ' '; }
finds() { # ID OPTION…
    local id=$1
    shift
    grep -qw -e "$id" <<<"$(found "$@")" || complain "wanted finding '$id', got: $(found "$@")"
}
