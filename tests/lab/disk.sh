# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# shellcheck source-path=SCRIPTDIR
# The disks of a guest: where each KIND keeps its images, how one is created and filled, and what
# the domain says of it. A new KIND is a row of kinds; one whose places are no folders also needs its
# own form in image_location, source_xml and images_remove.
# shellcheck disable=SC2154  # STATE and others come from lab and base.sh
# shellcheck source=nfs.sh
. "$LAB_DIR/nfs.sh"
# shellcheck source=ceph.sh
. "$LAB_DIR/ceph.sh"
# shellcheck source=device.sh
. "$LAB_DIR/device.sh"

# kind|where its images live, as QEMU names the place|what it is
kinds() {
    echo "shared|$SHARED_DIR|one directory, bound into every host"
    echo "local|$LOCAL_DIR|a directory of each host alone, pool 'default'"
    echo "block|$DEVICES_DIR|a block device of each host alone, pool 'devices' while there is one"
    ! has_nfs || nfs_kinds
    ! has_ceph || ceph_kinds
}

kind_place() { # KIND
    local kind place
    while IFS='|' read -r kind place _; do
        [ "$kind" = "$1" ] || continue
        echo "$place"
        return
    done < <(kinds)
    case $1 in
        nfs | nfs2) need_nfs ;;
        rbd) need_ceph ;;
    esac
    usage_error "no disk kind '$1'"
}

image_location() { # PLACE NAME FORMAT
    case $1 in
        rbd:*) ceph_location "$1" "$2" ;;
        "$DEVICES_DIR") echo "$1/$2" ;;
        *) echo "$1/$2.${3/raw/img}" ;;
    esac
}

source_xml() { # LOCATION
    case $1 in
        nfs:*) nfs_source_xml "$1" ;;
        rbd:*) ceph_source_xml "$1" ;;
        "$DEVICES_DIR"/*) printf "type='block'|<source dev='%s'/>\n" "$1" ;;
        *) printf "type='file'|<source file='%s'/>\n" "$1" ;;
    esac
}

# All that is written to an image goes through QEMU's tools on the host, by location and format, so
# that it holds for network locations too.
image_create() { # HOST LOCATION FORMAT SIZE [BASE]
    local -a backing=()
    [ -z "${5:-}" ] || backing=(-b "$5" -F qcow2)
    inside "$1" qemu-img create -q -f "$3" "${backing[@]}" "$2" "$4"
}

image_fill() { # HOST LOCATION FORMAT OFFSET-MiB MiB
    local at=$4 end=$(($4 + $5)) step
    local -a commands=()
    while [ "$at" -lt "$end" ]; do
        step=$((end - at < 256 ? end - at : 256))
        commands+=(-c "write -q -s $STATE/boot/random ${at}M ${step}M")
        at=$((at + step))
    done
    [ ${#commands[@]} = 0 ] || inside "$1" qemu-io -f "$3" "${commands[@]}" "$2" >/dev/null
}

# The base has data of its own near its end, which no fill of the overlay covers.
base_create() { # HOST LOCATION SIZE
    local size_mib
    image_create "$1" "$2" qcow2 "$3"
    size_mib=$(($(numfmt --from=iec "${3%iB}") >> 20))
    [ "$size_mib" -lt 256 ] || image_fill "$1" "$2" qcow2 $((size_mib - 80)) 64
}

device_bytes() { # FORMAT SIZE
    local bytes
    bytes=$(numfmt --from=iec "${2%iB}")
    [ "$1" = raw ] || bytes=$((bytes + (4 << 20)))
    echo "$bytes"
}

disk_create() { # HOST GUEST TARGET KIND FORMAT BASE-or-empty SIZE FILL; prints the location
    local place location base=
    place=$(kind_place "$4")
    location=$(image_location "$place" "$2-$3" "$5")
    if [ -n "$6" ]; then
        [ "$6" = base ] || place=$(kind_place shared)
        base=$(image_location "$place" "$2-$3-base" qcow2)
        base_create "$1" "$base" "$7"
    fi
    if [ "$4" = block ]; then
        # A qcow2 image needs room for its tables.
        devices_make "$1" "${location##*/}" "$(device_bytes "$5" "$7")"
        [ "$5" = raw ] || image_create "$1" "$location" "$5" "$7" "$base"
    else
        image_create "$1" "$location" "$5" "$7" "$base"
    fi
    # From 16 MiB on: the ring of --write-log lies before.
    image_fill "$1" "$location" "$5" 16 "$8"
    echo "$location"
}

disk_xml() { # TARGET LOCATION FORMAT CACHE
    local type source
    IFS='|' read -r type source <<<"$(source_xml "$2")"
    cat <<END
    <disk $type device='disk'>
      <driver name='qemu' type='$3' cache='$4'/>
      $source
      <target dev='$1' bus='virtio'/>
    </disk>
END
}

# Reads "KIND[:raw|qcow2][:base|:shared-base],…" and makes each disk; prints TARGET|LOCATION|FORMAT lines.
disks_create() { # HOST GUEST SPEC SIZE FILL
    local disk part kind format base letter=97 target location
    for disk in ${3//,/ }; do
        kind=${disk%%:*} format=qcow2 base=
        case $kind in rbd | block) format=raw ;; esac
        case $disk in
            *:*)
                for part in $(tr : ' ' <<<"${disk#*:}"); do
                    case $part in
                        raw | qcow2) format=$part ;;
                        base | shared-base) base=$part ;;
                        *) usage_error "no disk format '$part'" ;;
                    esac
                done
                ;;
        esac
        [ "$format" != raw ] || [ -z "$base" ] || usage_error "a raw image has no base"
        [ "$kind:$format" != rbd:qcow2 ] || usage_error "an RBD image is raw"
        [ "$kind:$base" != block:base ] || usage_error "a device holds no base"
        # shellcheck disable=SC2059
        target=vd$(printf "\\x$(printf %x "$letter")")
        letter=$((letter + 1))
        location=$(disk_create "$1" "$2" "$target" "$kind" "$format" "$base" "$4" "$5")
        echo "$target|$location|$format"
    done
}

# By the names that disk_create gives, on every host: a copy lies where the guest came to.
images_remove() { # GUEST
    local host
    rm -f "$STATE/shared/$1"-vd[a-z].{img,qcow2} "$STATE/shared/$1"-vd[a-z]-base.qcow2
    for host in $(hosts); do
        rm -f "$STATE/machines/$host/lib-libvirt/images/$1"-vd[a-z].{img,qcow2} \
            "$STATE/machines/$host/lib-libvirt/images/$1"-vd[a-z]-base.qcow2
    done
    devices_remove "$1-vd[a-z]"
    nfs_images_remove "$1"
    ceph_images_remove "$1"
}
