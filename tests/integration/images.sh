# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# shellcheck disable=SC2016,SC2317  # for the files that read this; what is run on hosts is quoted
# Images that no domain has open: copied, compared and removed, on the storages of the lab. Read behind lib.sh.

copy() { ferry hostA relocate --image "$@"; }
sum_of() { on hostA sh -c 'sha256sum <"$0"' "$1" | cut -d' ' -f1; } # PATH, that may have a newline
sum_on_nfs() { lab nfs run sha256sum "$1" | cut -d' ' -f1; } # PATH
sum_in_rbd() { lab ceph run rbd export --no-progress "ferry/$1" - | sha256sum | cut -d' ' -f1; } # IMAGE
# A file of the export can be removed through the server alone.
nfs_gone() { on hostA qemu-img info "nfs://$SERVER/export/$1" >/dev/null 2>&1 || true; lab nfs run rm -f "one/$1" "two/$1"; }
rbd_gone() { lab ceph run rbd rm --no-progress "ferry/$1" >/dev/null 2>&1 || true; }
# Whom Ceph knows, where no domain's XML tells.
ceph_user() {
    finally on hostA rm -f /etc/virt-ferry.conf.before
    finally on hostA sh -c 'cat /etc/virt-ferry.conf.before >/etc/virt-ferry.conf'
    on hostA sh -c 'cp /etc/virt-ferry.conf /etc/virt-ferry.conf.before; printf "[ceph]\nuser = libvirt\n" >>/etc/virt-ferry.conf'
}
