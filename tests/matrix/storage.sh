#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2317,SC2034  # cases call and read what is defined before them
# lab: --nfs --ceph
# Each kind of storage by each transport, there and back: how the plan treats the disk, whether libvirt's check
# is lifted for it, and that no acknowledged write is lost. With MATRIX_TABLE set, its rows go into that file.
# shellcheck source-path=SCRIPTDIR source=../integration/lib.sh
. "$(dirname "$(readlink -f "$0")")/../integration/lib.sh"

chosen() { # JQ-TEXT HOST GUEST URI [OPTION…]
    ferry "$2" --json plan "$3" "$4" "${@:5}" 2>/dev/null |
        jq -r ".chosen as \$id | .strategies[] | select(.id == \$id) | $1"
}
row() { [ -z "${MATRIX_TABLE:-}" ] || printf '| %s | %s | %s | %s | %s | %s | %s |\n' "$@" >>"$MATRIX_TABLE"; }

there_and_back() { # KIND DISK-OPTION TREATMENT UNSAFE SCHEME [OPTION…]
    local name=${2//[:,]/-} from=hostA to=hostB uri way=$5 said options=("${@:6}") strategies=() times=()
    name=x-$name
    # By ssh all of it is inside: else the cheaper of two channels would be taken.
    [ "$way" = ssh ] || options+=(--allow-cleartext)
    guest hostA "$name" --disk "$2" --fill 16 --write-log
    for _ in there back; do
        old_images_gone "$to" "$name"
        uri=qemu+$way://$to/system
        is "vda=$3" chosen '.disks[] | "\(.target)=\(.treatment)"' "$from" "$name" "$uri" "${options[@]}"
        is "$4" chosen .needs_unsafe "$from" "$name" "$uri" "${options[@]}"
        said=$(ferry "$from" --json migrate "$name" "$uri" "${options[@]}")
        lives_on "$to" "$name"
        strategies+=("$(jq -r .strategy <<<"$said")")
        times+=("$(jq -r '"\(.actual.time_ms) ms, \((.actual.downtime_ms // "?")) ms"' <<<"$said")")
        from=$to to=$([ "$to" = hostB ] && echo hostA || echo hostB)
    done
    [ "${strategies[0]}" != "${strategies[1]}" ] || unset 'strategies[1]'
    row "$1" "$way" "$3" "${strategies[*]}" "$([ "$4" = true ] && echo 'lifted, with proof' || echo kept)" "${times[@]}"
    lab rm "$name"
}

it "a raw file of the host's own, by TCP"
there_and_back "a raw file of the host's own" local:raw copy false tcp

it "a raw file of the host's own, by SSH"
there_and_back "a raw file of the host's own" local:raw copy false ssh

it "a qcow2 file of the host's own, by TCP"
there_and_back "a qcow2 file of the host's own" local:qcow2 copy false tcp

it "a qcow2 file of the host's own, by SSH"
there_and_back "a qcow2 file of the host's own" local:qcow2 copy false ssh

it "a block device of the host's own, by TCP"
there_and_back "a block device of the host's own" block copy false tcp --overwrite vda

it "a block device of the host's own, by SSH"
there_and_back "a block device of the host's own" block copy false ssh --overwrite vda

it "a raw file in a shared folder, by TCP"
there_and_back "a raw file in a shared folder" shared:raw shared true tcp

it "a raw file in a shared folder, by SSH"
there_and_back "a raw file in a shared folder" shared:raw shared true ssh

it "a qcow2 file in a shared folder, by TCP"
there_and_back "a qcow2 file in a shared folder" shared:qcow2 shared true tcp

it "a qcow2 file in a shared folder, by SSH"
there_and_back "a qcow2 file in a shared folder" shared:qcow2 shared true ssh

it "a qcow2 file on a base, both in a shared folder, by TCP"
there_and_back "a qcow2 file on a base, both in a shared folder" shared:qcow2:base shared true tcp

it "a qcow2 file on a base, both in a shared folder, by SSH"
there_and_back "a qcow2 file on a base, both in a shared folder" shared:qcow2:base shared true ssh

it "a raw file on an NFS server, as a network disk, by TCP"
there_and_back "a raw file on an NFS server, as a network disk" nfs:raw shared false tcp

it "a raw file on an NFS server, as a network disk, by SSH"
there_and_back "a raw file on an NFS server, as a network disk" nfs:raw shared false ssh

it "an RBD image, by TCP"
there_and_back "an RBD image" rbd shared false tcp

it "an RBD image, by SSH"
there_and_back "an RBD image" rbd shared false ssh

it "a qcow2 file of the host's own on a shared base, by TCP"
there_and_back "a qcow2 file of the host's own on a base in a shared folder" local:qcow2:shared-base overlay false tcp

it "a qcow2 file of the host's own on a shared base, by SSH"
there_and_back "a qcow2 file of the host's own on a base in a shared folder" local:qcow2:shared-base overlay false ssh
