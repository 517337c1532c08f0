# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# What is built when a lab comes up: its small C programs, and kernel and initramfs of the guests.
# All of it lies in the state folder, at the same path on every host.
# shellcheck disable=SC2154  # LAB_DIR and STATE come from lab

KERNEL_MODULES='virtio_ring virtio virtio_pci_modern_dev virtio_pci_legacy_dev virtio_pci failover
net_failover virtio_net virtio_blk' # in the order in which they must be inserted

compile() { # NAME [FLAG…]
    local name=$1
    shift
    gcc -std=gnu11 -O2 -Wall -Wextra -Werror -o "$STATE/bin/$name" "$LAB_DIR/$name.c" "$@"
}

tools_build() {
    compile reaper
    compile pinger
    compile stamp-check
}

kernel_release() {
    local kernel
    for kernel in /boot/vmlinuz-*-cloud-amd64 /boot/vmlinuz-*-generic; do
        if [ -r "$kernel" ] && [ -d "/lib/modules/${kernel#/boot/vmlinuz-}" ]; then
            echo "${kernel#/boot/vmlinuz-}"
            return
        fi
    done
    die "no kernel for guests under /boot: contrib/install-deps"
}

# The kernel as QEMU starts it without SeaBIOS reading and the kernel unpacking itself, half a second that the
# emulated processor is spared; the packed one where it is packed otherwise than Debian does.
kernel_unpack() { # BZIMAGE FILE
    local sectors offset length
    sectors=$(od -An -tu1 -j 497 -N 1 "$1") offset=$(od -An -tu4 -j 584 -N 4 "$1") length=$(od -An -tu4 -j 588 -N 4 "$1")
    head -c $(((sectors + 1) * 512 + offset + length - 4)) "$1" | tail -c $((length - 4)) |
        lz4 -dqc >"$2" 2>/dev/null || true
    [ "$(head -c 4 "$2" | tail -c 3)" = ELF ] || cp "$1" "$2"
}

guest_boot_make() {
    local release root=$STATE/boot/root module path applet
    release=$(kernel_release)
    kernel_unpack "/boot/vmlinuz-$release" "$STATE/boot/vmlinuz"
    mkdir -p "$root"/{bin,dev,proc,sys,modules}
    cp "$(command -v busybox)" "$root/bin/busybox"
    for applet in $(busybox --list); do # here, since the guest is the slower of the two
        [ -e "$root/bin/$applet" ] || ln -s busybox "$root/bin/$applet"
    done
    cp "$LAB_DIR/guest-init" "$root/init"
    compile workload -static
    cp "$STATE/bin/workload" "$root/bin/"
    for module in $KERNEL_MODULES; do
        path=$(find "/lib/modules/$release/kernel" -name "$module.ko*" -print -quit)
        case $path in
            *.ko) cp "$path" "$root/modules/" ;;
            *.ko.xz) xz -dc "$path" >"$root/modules/$module.ko" ;;
            *) ;; # built into this kernel
        esac
    done
    echo "$KERNEL_MODULES" >"$root/modules/order"
    (cd "$root" && find . | cpio -o -H newc --quiet | gzip -1) >"$STATE/boot/initramfs"
    rm -r "$root"
    # Empty NVRAM for the pflash recipe; random bytes that --fill writes again and again.
    truncate -s 256K "$STATE/boot/nvram"
    head -c 8M /dev/urandom >"$STATE/boot/random"
}
