# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# The block devices of guests: loop devices, of which each host has its own under a link of the same name, as
# LVM's volumes have theirs. Each holds 0xff all over where the guest was not made, so that what a copy leaves
# out shows. Over TCP a host tells of them through a pool; there is none while there is no device.
# shellcheck disable=SC2154  # STATE and others come from lab and base.sh

DEVICES_DIR=/var/lib/libvirt/devices

device_file() { echo "$STATE/machines/$1/devices/$2.img"; } # HOST NAME

# The record is the link: a loop device that has none has the name of its file.
device_make() { # HOST NAME SIZE
    local file device
    file=$(device_file "$1" "$2")
    mkdir -p "${file%/*}" "$STATE/machines/$1/lib-libvirt/${DEVICES_DIR##*/}"
    truncate -s "$3" "$file"
    device=$(losetup --find --show "$file")
    ln -s "$device" "$STATE/machines/$1/lib-libvirt/${DEVICES_DIR##*/}/$2"
}

# On the host of the guest, and on all others for it to come to.
devices_make() { # HOST NAME SIZE
    local each
    for each in $(hosts); do
        device_make "$each" "$2" "$3"
        [ "$each" = "$1" ] || device_spoil "$each" "$2"
        virsh_on "$each" pool-info devices >/dev/null 2>&1 ||
            virsh_on "$each" pool-create-as devices dir --target "$DEVICES_DIR" >/dev/null
        virsh_on "$each" pool-refresh devices >/dev/null
    done
}

device_spoil() { # HOST NAME; 0xff all over
    local device bytes
    device=$(readlink "$STATE/machines/$1/lib-libvirt/${DEVICES_DIR##*/}/$2")
    bytes=$(blockdev --getsize64 "$device")
    head -c "$bytes" /dev/zero | tr '\0' '\377' >"$device"
}

device_remove() { # HOST NAME
    local file device
    file=$(device_file "$1" "$2")
    for device in $(losetup --noheadings --output NAME --associated "$file" 2>/dev/null); do
        losetup --detach "$device" || true
    done
    rm -f "$file" "$STATE/machines/$1/lib-libvirt/${DEVICES_DIR##*/}/$2"
}

# Patterns of names. With the last one the pool and the folders go too.
devices_remove() { # PATTERN
    local host file folder
    for host in $(hosts); do
        folder=$STATE/machines/$host/devices
        [ -d "$folder" ] || continue
        # shellcheck disable=SC2086
        for file in "$folder"/$1.img; do
            [ ! -e "$file" ] || device_remove "$host" "$(basename "$file" .img)"
        done
        if rmdir "$folder" 2>/dev/null; then
            virsh_on "$host" pool-destroy devices >/dev/null 2>&1 || true
            rmdir "$STATE/machines/$host/lib-libvirt/${DEVICES_DIR##*/}" 2>/dev/null || true
        else
            virsh_on "$host" pool-refresh devices >/dev/null 2>&1 || true
        fi
    done
}
