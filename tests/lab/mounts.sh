# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# The folders that each machine has for itself, and the mount points the lab had to make for them.
# Removing a folder that is a mount point in another namespace succeeds and unmounts it there: so
# only the last lab to go down removes what any lab made.
# shellcheck disable=SC2154  # STATE and MADE come from lab and base.sh

# mount point|folder of the machine|type
PRIVATE='/etc/libvirt|etc-libvirt|dir
/etc/sasl2|etc-sasl2|dir
/etc/pki|etc-pki|dir
/etc/ceph|etc-ceph|dir
/etc/hosts|etc-hosts|file
/etc/virt-ferry.conf|etc-virt-ferry.conf|file
/root/.ssh|root-ssh|dir
/root/.config|root-config|dir
/root/.cache|root-cache|dir
/root/.local|root-local|dir
/var/lib/libvirt|lib-libvirt|dir
/var/lib/virt-ferry|lib-virt-ferry|dir
/var/cache/libvirt|cache-libvirt|dir
/var/log|log|dir
/srv/shared|../../shared|dir
/run|run|dir'

# Called under the lock. The record comes first: a kill in between must not leave a folder unknown.
mount_points_make() {
    local point type path
    mkdir "$STATE" || exit 1
    while IFS='|' read -r point _ type; do
        path=
        while [ "$path" != "$point" ]; do
            path=$path/$(cut -d/ -f1 <<<"${point#"$path"/}")
            [ ! -e "$path" ] || continue
            echo "$path" >>"$MADE"
            if [ "$path" = "$point" ] && [ "$type" = file ]; then
                : >"$path"
            else
                mkdir "$path"
            fi
        done
    done <<<"$PRIVATE"
}

# Called under the lock. What somebody filled meanwhile is no longer ours and stays.
mount_points_remove() {
    local path
    rm -rf --one-file-system "$STATE"
    compgen -G "${STATE%.*}.[0-9]*" >/dev/null && return
    [ -e "$MADE" ] || return 0
    while read -r path; do
        if [ -d "$path" ]; then
            rmdir "$path" 2>/dev/null || true
        elif [ -f "$path" ] && [ ! -s "$path" ]; then
            rm -f "$path"
        fi
    done < <(tac "$MADE")
    rm -f "$MADE"
}

mounts_bind() { # FOLDER of the machine
    local point source
    while IFS='|' read -r point source _; do
        mount --bind "$1/$source" "$point"
    done <<<"$PRIVATE"
}
