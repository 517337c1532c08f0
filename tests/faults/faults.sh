# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# The faults: a row each, then how each begins and ends. One that has a time lasts so long, whatever virt-ferry does; one
# with "end" until it has ended. All is well again before anything is settled.
# shellcheck disable=SC2154,SC2034,SC2317  # of run, deal.sh; functions are called by the names in the rows

# name|seconds that it lasts|"guest" where the guest itself may end by it|disks|moments|ways|channels, if not any
# Post-copy has one moment of its own, whatever stands in the row.
# A QEMU of the destination is there from "$THERE" on.
THERE='copy precopy switch-over ready pass pass-2 suspended started resumed confirm verify'
FAULTS="kill-ferry|0||any|any|any
kill-ferry-and-recovery|0||any|journal-before journal confirm suspended resumed undefine|any
kill-source-libvirtd|2||any|any|any
kill-dest-libvirtd|2||any|any|any
kill-source-qemu|0|guest|any|survey prepare copy precopy switch-over ready pass pass-2 suspended started resumed confirm journal-before journal|any
kill-dest-qemu|0|guest|any|$THERE|any
stop-source-libvirtd|8||any|any|any
stop-dest-libvirtd|8||any|any|any
stop-dest-qemu|8||any|$THERE|any
link-down-1|1||any|any|any
link-down-5|5||any|any|any
link-down-30|30||any|any|any
link-down-90|90||any|any|any
source-link-down|8||any|any|any
source-to-dest-lost|8||any|any|any
dest-to-source-lost|8||any|any|any
client-to-source-lost|8||any|any|third
client-to-dest-lost|8||any|any|third
source-to-client-lost|8||any|any|third
dest-to-client-lost|8||any|any|third
dest-replies-lost|8||any|pass suspended started resumed precopy|direct p2p locked
loss-20|20||any|survey prepare precopy suspended|any
rst|1||any|any|any
rst-client|1||any|any|third
source-dies|2|guest|any|any|any
dest-dies|2|guest|any|any|any
source-reboots|2|guest|any|undefine|any
dest-disk-full|end||copied mixed|prepare copy ready suspended|any
nfs-stops|8||nfs mixed|any|any
ceph-stops|8||rbd mixed|any|any
kill-ssh|0||any|any|direct third|ssh
guest-reboots|0||any|any|any
guest-powers-off|0|guest|any|any|any
guest-panics|0|panic|any|any|any
operator-suspends|0|paused|any|any|any
operator-destroys|0|guest|any|survey prepare copy precopy switch-over ready pass pass-2 suspended started resumed confirm journal-before journal|any
operator-destroys-dest|0|guest|any|$THERE|any
operator-migrates|0||shared nfs rbd|survey prepare precopy pass pass-2 suspended journal-before journal|any
operator-block-copies|end||shared nfs|survey prepare precopy|any
journal-full|end||any|survey prepare precopy suspended resumed journal|any
journal-fails|0||any|journal-before|any
journal-read-only|0||any|journal suspended|any
journal-torn|0||any|journal-before|any
journal-damaged|0||any|journal suspended resumed|any
clock-goes-back|end||any|any|any"

# What is tried while each host has a part of the guest's memory.
IN_POSTCOPY='kill-ferry kill-source-libvirtd kill-dest-libvirtd kill-source-qemu kill-dest-qemu stop-dest-libvirtd stop-dest-qemu
    link-down-1 link-down-5 link-down-30 source-link-down source-to-dest-lost dest-to-source-lost rst source-dies dest-dies'
# A lock goes with the QEMU that has it: what ends that one just after its start is the limit of the hand-over, not a find
# (core/handover/README.md, limit 10).
ENDS_A_LOCK='kill-dest-qemu dest-dies operator-destroys-dest guest-powers-off guest-panics'

fault_field() { awk -F'|' -v name="$1" -v field="$2" '$1 == name { print $field }' <<<"$FAULTS"; }
fault_disks() { # FAULT
    local disks kind
    disks=$(fault_field "$1" 4)
    for kind in ${disks/any/shared nfs rbd copied mixed}; do
        ! disk_is_possible "$kind" || [ -z "$(ways_for "$1" "$kind")" ] || echo "$kind"
    done
}

WAYS='direct third p2p locked postcopy'
way_is_possible() { # WAY FAULT DISK
    case $1:$3 in
        locked:shared | locked:mixed) ! is_word "$2" "$ENDS_A_LOCK" ;;
        locked:*) return 1 ;;
        postcopy:*) is_word "$2" "$IN_POSTCOPY" ;;
    esac
}
is_word() { [[ " ${2//$'\n'/ } " == *" $1 "* ]]; }

# Who names a fault and a way has them, whatever the row says.
ways_for() { # FAULT DISK
    local ways way
    if [ -n "$only_way" ] && [ -n "$only_fault" ]; then
        if [ -n "$only_disk" ] || way_is_possible "$only_way" "$1" "$2"; then echo "$only_way"; fi
        return
    fi
    ways=$(fault_field "$1" 6)
    for way in ${ways/any/$WAYS}; do
        [ -z "$only_way" ] || [ "$way" = "$only_way" ] || continue
        ! way_is_possible "$way" "$1" "$2" || echo "$way"
    done
}

# What the lab has no servers for is not dealt.
disk_is_possible() {
    case $1 in
        nfs) [ -d "$STATE/nfs" ] ;;
        rbd) [ -d "$STATE/ceph" ] ;;
        mixed) [ -d "$STATE/nfs" ] && [ -d "$STATE/ceph" ] ;;
    esac
}

faults_for() { # FAULT-or-empty DISK-or-empty
    local name
    for name in $(cut -d'|' -f1 <<<"$FAULTS"); do
        [ -z "$1" ] || [ "$1" = "$name" ] || continue
        if [ -n "$2" ]; then
            fault_disks "$name" | grep -x "$2" >/dev/null || continue
        else
            [ -n "$(fault_disks "$name")" ] || continue
        fi
        echo "$name"
    done
}

# ---- the machines, entered without a shell between: some moments are short ----

holder_of() { echo "$(<"$STATE/machines/$1/pid")"; }
in_net() { nsenter -t "$(holder_of "$1")" -n -- "${@:2}"; }
qemu_on() { # HOST: the guest's QEMU there
    local pid namespace
    namespace=$(readlink "/proc/$(holder_of "$1")/ns/net")
    for pid in $(pgrep -f "^/usr/bin/qemu-system-x86_64 -name guest=$guest,"); do
        [ "$(readlink "/proc/$pid/ns/net")" != "$namespace" ] || echo "$pid"
    done
}
libvirtd_on() { cat "$STATE/machines/$1/run/libvirtd.pid"; }
signal() { # SIGNAL PID…: 1 where there is none
    [ $# -ge 2 ] && kill "-$1" "${@:2}" 2>/dev/null
}
loses() { lab link "$1" "$2" drop; }
hears() { lab link "$1" "$2" ok; }
address() { awk -v host="$1" '$2 == host { print $1 }' "$STATE/keys/hosts"; }
virsh_soon() { on "$1" timeout 20 virsh -q "${@:2}"; }

# ---- what needs a place of its own before the guest is there ----

prepare() {
    case $fault in
        dest-disk-full)
            rm -f "$STATE/faults.disk"
            truncate -s 600M "$STATE/faults.disk"
            mkfs.ext4 -q -F -m 0 "$STATE/faults.disk"
            on "$dest" mount -o loop "$STATE/faults.disk" /var/lib/libvirt/images
            virsh_soon "$dest" pool-refresh default
            ;;
        journal-full)
            # In small blocks: what is left of the last one takes a few records more, on a tmpfs a whole run of them.
            rm -f "$STATE/faults.disk"
            truncate -s 2M "$STATE/faults.disk"
            mkfs.ext2 -q -F -b 1024 -m 0 "$STATE/faults.disk"
            on "$client" sh -c "mount -o loop '$STATE/faults.disk' /var/lib/virt-ferry && chmod 700 /var/lib/virt-ferry"
            ;;
        journal-*) on "$client" mount -t tmpfs -o size=1m,mode=700 journal /var/lib/virt-ferry ;;
        clock-goes-back)
            rm -f "$case_dir/clock"
            ferry_env=(env "LD_PRELOAD=$bin/clock.so" "FAULTS_CLOCK=$case_dir/clock")
            ;;
    esac
}

unprepare() {
    ferry_env=()
    [ "$way" != postcopy ] || lab link "$source" rate none
    case $fault in
        dest-disk-full)
            lab rm "$guest"
            on "$dest" sh -c 'rm -f /var/lib/libvirt/images/*; umount /var/lib/libvirt/images'
            virsh_soon "$dest" pool-refresh default
            ;;
        journal-*) on "$client" umount /var/lib/virt-ferry ;;
    esac
}

# ---- each ----

begin_fault() { # 1: there was nothing that it could have broken
    local host
    case $fault in
        kill-ferry | kill-ferry-and-recovery | journal-damaged) signal KILL "$ferry" ;;
        kill-source-libvirtd) signal KILL "$(libvirtd_on "$source")" ;;
        kill-dest-libvirtd) signal KILL "$(libvirtd_on "$dest")" ;;
        kill-source-qemu) signal KILL $(qemu_on "$source") ;;
        kill-dest-qemu) signal KILL $(qemu_on "$dest") ;;
        stop-source-libvirtd) signal STOP "$(libvirtd_on "$source")" ;;
        stop-dest-libvirtd) signal STOP "$(libvirtd_on "$dest")" ;;
        stop-dest-qemu) signal STOP $(qemu_on "$dest") ;;
        link-down-*) in_net switch ip link set "$dest" down ;;
        source-link-down) in_net switch ip link set "$source" down ;;
        source-to-dest-lost) loses "$source" "$dest" ;;
        dest-to-source-lost) loses "$dest" "$source" ;;
        client-to-source-lost) loses client "$source" ;;
        client-to-dest-lost) loses client "$dest" ;;
        source-to-client-lost) loses "$source" client ;;
        dest-to-client-lost) loses "$dest" client ;;
        dest-replies-lost)
            in_net "$client" nft "table inet deaf { chain in { type filter hook input priority 0;
                ip saddr $(address "$dest") tcp sport { 22, 16509 } drop; }; }"
            ;;
        loss-20) lab link "$dest" loss 20 ;;
        rst) lab link "$source" "$dest" rst; lab link "$dest" "$source" rst ;;
        rst-client) for host in $source $dest; do lab link client "$host" rst; lab link "$host" client rst; done ;;
        source-dies | source-reboots) lab power "$source" off ;;
        dest-dies) lab power "$dest" off ;;
        dest-disk-full) on "$dest" sh -c 'fallocate -l $(($(stat -f -c "%a * %S" /var/lib/libvirt/images) - 65536)) \
            /var/lib/libvirt/images/.filler' ;;
        nfs-stops) lab nfs stop ;;
        ceph-stops) lab ceph osd stop ;;
        *) begin_other ;;
    esac
}

begin_other() {
    case $fault in
        kill-ssh) signal KILL $(ssh_of "$client") ;;
        guest-reboots) lab tell "$guest" reboot ;;
        guest-powers-off) lab tell "$guest" poweroff ;;
        guest-panics) lab tell "$guest" panic ;;
        operator-suspends) virsh_soon "$source" suspend "$guest" || virsh_soon "$dest" suspend "$guest" ;;
        operator-destroys) virsh_soon "$source" destroy "$guest" ;;
        operator-destroys-dest) virsh_soon "$dest" destroy "$guest" ;;
        operator-migrates) virsh_soon "$source" migrate --live --persistent --unsafe "$guest" \
            "qemu+tcp://$dest/system" || true ;; # that it is refused is well
        operator-block-copies)
            virsh_soon "$source" blockcopy "$guest" vda --dest "/var/lib/libvirt/images/$guest-operator.img" \
                --format raw --transient-job || true
            ;;
        journal-full) on "$client" sh -c 'dd if=/dev/zero of=/var/lib/virt-ferry/filler bs=1k 2>/dev/null; true' ;;
        journal-fails) ;; # virt-ferry's own
        journal-read-only)
            signal KILL "$ferry"
            on "$client" mount -o remount,ro /var/lib/virt-ferry
            ;;
        # Half a record: what a kill in the middle of the write leaves.
        journal-torn)
            signal KILL "$ferry"
            on "$client" sh -c 'for f in /var/lib/virt-ferry/runs/*.journal; do
                tail -n1 "$f" | head -c 25 >/run/half; cat /run/half >>"$f"; done'
            ;;
        clock-goes-back) : >"$case_dir/clock" ;;
        *) echo "no fault $fault"; return 1 ;;
    esac
}

ssh_of() { # MACHINE
    local pid namespace
    namespace=$(readlink "/proc/$(holder_of "$1")/ns/net")
    for pid in $(pgrep -x ssh); do
        [ "$(readlink "/proc/$pid/ns/net")" != "$namespace" ] || echo "$pid"
    done
}

end_fault() {
    local host
    case $fault in
        kill-source-libvirtd) lab libvirtd "$source" start ;;
        kill-dest-libvirtd) lab libvirtd "$dest" start ;;
        stop-source-libvirtd) lab libvirtd "$source" cont ;;
        stop-dest-libvirtd) lab libvirtd "$dest" cont ;;
        stop-dest-qemu) signal CONT $(qemu_on "$dest") || true ;; # it may have been ended meanwhile
        link-down-*) in_net switch ip link set "$dest" up ;;
        source-link-down) in_net switch ip link set "$source" up ;;
        source-to-dest-lost) hears "$source" "$dest" ;;
        dest-to-source-lost) hears "$dest" "$source" ;;
        client-to-source-lost) hears client "$source" ;;
        client-to-dest-lost) hears client "$dest" ;;
        source-to-client-lost) hears "$source" client ;;
        dest-to-client-lost) hears "$dest" client ;;
        dest-replies-lost) in_net "$client" nft delete table inet deaf ;;
        loss-20) lab link "$dest" loss 0 ;;
        rst) hears "$source" "$dest"; hears "$dest" "$source" ;;
        rst-client) for host in $source $dest; do hears client "$host"; hears "$host" client; done ;;
        source-dies | source-reboots) lab power "$source" on ;;
        dest-dies) lab power "$dest" on ;;
        dest-disk-full) on "$dest" rm -f /var/lib/libvirt/images/.filler ;;
        nfs-stops) lab nfs cont ;;
        ceph-stops) lab ceph osd cont ;;
        operator-block-copies)
            virsh_soon "$source" blockjob "$guest" vda --abort 2>/dev/null
            on "$source" rm -f "/var/lib/libvirt/images/$guest-operator.img"
            ;;
        journal-full)
            # What was left of the last block took all of the run.
            [ -n "$(journals_open)" ] || grep -q 'No space left' "$case_dir/said" || hit=no
            on "$client" rm -f /var/lib/virt-ferry/filler
            ;;
    esac
}
