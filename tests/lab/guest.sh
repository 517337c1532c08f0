# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# shellcheck source-path=SCRIPTDIR
# `lab guest` and `lab rm`: a real guest with its disks, its domain and its pinger, and their end.
# shellcheck disable=SC2154  # LAB_DIR, STATE and others come from lab and base.sh
# shellcheck source=disk.sh
. "$LAB_DIR/disk.sh"

PING_INTERVAL_MS=20
BOOT_SECONDS=120 # 3 are enough on an idle machine

guest_options() {
    while [ $# -gt 0 ]; do
        case $1 in
            --mem | --disk | --disk-size | --fill | --dirty | --vnc | --cache)
                [ $# -ge 2 ] || usage_error "$1 needs a value"
                ;;
        esac
        case $1 in
            --mem) memory=$2; shift ;;
            --disk) disks=$2; shift ;;
            --disk-size) disk_size=$2; shift ;;
            --fill) fill=$2; shift ;;
            --dirty) dirty=$2; shift ;;
            --vnc) vnc=$2; shift ;;
            --cache) cache=$2; shift ;;
            --write-log) write_log=1 ;;
            --cdrom) cdrom=1 ;;
            --nvram) nvram=1 ;;
            --transient) transient=1 ;;
            --paused) paused=1 ;;
            --autostart) autostart=1 ;;
            *) usage_error "no option '$1' of lab guest" ;;
        esac
        shift
    done
    [ -z "$dirty" ] || [[ $dirty =~ ^[0-9]+,[0-9]+$ ]] ||
        usage_error "--dirty takes MiB,MiB/s, such as 64,200"
    case $vnc in
        *[!a-zA-Z0-9]*) usage_error "--vnc takes letters and digits" ;;
    esac
    [ -z "$transient$autostart" ] || [ "$transient$autostart" = 1 ] ||
        usage_error "a transient domain has no autostart"
}

guest_number() {
    local number
    number=$(($(cat "$STATE/guest-count" 2>/dev/null || echo 0) + 1))
    echo "$number" >"$STATE/guest-count"
    echo "$number"
}

# Prints the parts of the domain that options bring in.
extras_xml() {
    if [ -n "$cdrom" ]; then
        cat <<END
    <disk type='file' device='cdrom'>
      <driver name='qemu' type='raw'/>
      <target dev='sda' bus='sata'/>
      <readonly/>
    </disk>
END
    fi
    [ -z "$vnc" ] ||
        echo "    <graphics type='vnc' autoport='yes' listen='127.0.0.1' passwd='$vnc'/>"
}

firmware_xml() {
    [ -z "$nvram" ] || cat <<END
    <loader readonly='yes' type='pflash'>/usr/share/seabios/bios-256k.bin</loader>
    <nvram template='$STATE/boot/nvram'>/var/lib/libvirt/qemu/nvram/${name}_VARS.fd</nvram>
END
}

# What an emulated processor would spend seconds on at each boot, and no guest here needs, is left out: the
# self-tests of ciphers, kernel address randomisation, security modules, tracers.
BOOT_FAST='cryptomgr.notests nokaslr lsm=capability noreplace-smp tsc=reliable rcupdate.rcu_expedited=1'
BOOT_WITHOUT=load_system_certificate_list,init_kprobe_trace,crypto_kdf108_init,cubictcp_register,\
bpf_rstat_kfunc_init,init_blk_tracer,init_trace_printk_function_export,slab_sysfs_init,init_ima,init_evm

kernel_arguments() { # ADDRESS
    echo "console=ttyS0 quiet loglevel=1 mitigations=off no_timer_check $BOOT_FAST" \
        "initcall_blacklist=$BOOT_WITHOUT lab.ip=$1/16" \
        "lab.gateway=$(address_of switch) lab.gateway_mac=$SWITCH_MAC" \
        "${dirty:+lab.dirty=$dirty}" "${write_log:+lab.log=1}"
}

# With ACPI: without it an idle guest burns a whole core.
domain_xml() { # NAME ADDRESS MAC DISKS
    local target location format
    cat <<END
<domain type='qemu'>
  <name>$1</name>
  <memory unit='MiB'>$memory</memory>
  <vcpu>1</vcpu>
  <os>
    <type arch='x86_64' machine='q35'>hvm</type>
$(firmware_xml)
    <kernel>$STATE/boot/vmlinuz</kernel>
    <initrd>$STATE/boot/initramfs</initrd>
    <cmdline>$(kernel_arguments "$2")</cmdline>
  </os>
  <features><acpi/><apic/></features>
  <cpu mode='custom' match='exact' check='none'><model fallback='forbid'>qemu64</model></cpu>
  <devices>
    <emulator>/usr/bin/qemu-system-x86_64</emulator>
$(while IFS='|' read -r target location format; do
        [ -z "$target" ] || disk_xml "$target" "$location" "$format" "$cache"
    done <<<"$4")
$(extras_xml)
    <controller type='usb' model='none'/>
    <interface type='bridge'>
      <mac address='$3'/>
      <source bridge='br0'/>
      <model type='virtio'/>
    </interface>
    <serial type='file'>
      <source path='/var/log/libvirt/qemu/$1-console.log' append='on'/>
      <target port='0'/>
    </serial>
    <console type='file'>
      <source path='/var/log/libvirt/qemu/$1-console.log' append='on'/>
      <target type='serial' port='0'/>
    </console>
  </devices>
</domain>
END
}

pinger_start() { # GUEST ADDRESS MAC
    local folder=$STATE/guests/$1
    # Fixed, so that a gap is never one of address resolution.
    inside switch ip neigh replace "$2" lladdr "$3" dev sw0 nud permanent
    inside_background switch "$folder/pinger.log" \
        "$STATE/bin/pinger" run "$2" "$folder/ping" "$PING_INTERVAL_MS"
    echo $! >"$folder/pinger.pid"
}

domain_start() { # HOST NAME XML
    if [ -n "$transient" ]; then
        virsh_on "$1" create "$3" ${paused:+--paused} >/dev/null
        return
    fi
    virsh_on "$1" define "$3" >/dev/null
    virsh_on "$1" start "$2" ${paused:+--paused} >/dev/null
    [ -z "$autostart" ] || virsh_on "$1" autostart "$2" >/dev/null
}

cmd_guest() {
    local memory=256 disks=shared disk_size=1G fill=0 dirty='' vnc='' cache=none write_log='' cdrom='' \
        nvram='' transient='' paused='' autostart=''
    local host=${1:-} name=${2:-} folder number address mac
    [ $# -ge 2 ] || usage_error "usage: lab guest HOST NAME [OPTION…]"
    shift 2
    guest_options "$@"
    need_up
    need_host "$host"
    [[ $name =~ ^[a-zA-Z0-9][a-zA-Z0-9_.-]*$ ]] || usage_error "'$name' is no name for a guest"
    folder=$STATE/guests/$name
    mkdir "$folder" 2>/dev/null || die "guest '$name' is there already: lab rm $name"
    undo=$name # no local: those are gone when the trap runs
    trap guest_undo EXIT
    trap 'exit 130' INT TERM HUP
    rm -f "$STATE"/machines/*/log/libvirt/qemu/"$name"-console.log
    number=$(locked "$STATE" guest_number)
    address=$(subnet).$((1 + number / 250)).$((1 + number % 250))
    mac=$(printf '52:54:%02x:00:%02x:%02x' "$LAB_ID" $((number / 256)) $((number % 256)))
    echo "$address" >"$folder/address"
    [ "$disks" != none ] || disks=
    disks_create "$host" "$name" "$disks" "$disk_size" "$fill" >"$folder/disks"
    domain_xml "$name" "$address" "$mac" "$(<"$folder/disks")" >"$folder/domain.xml"
    pinger_start "$name" "$address" "$mac"
    domain_start "$host" "$name" "$folder/domain.xml"
    [ -n "$paused" ] || "$STATE/bin/pinger" wait "$folder/ping" "$BOOT_SECONDS" ||
        die "guest '$name' did not answer within $BOOT_SECONDS s"
    trap - EXIT
}

guest_undo() {
    trap - EXIT
    (guest_remove "$undo") || true
    exit 1
}

# libvirt first: a stopped daemon is continued for it. Where none runs, its files go, and a QEMU that
# is left is ended by its pid.
guest_remove() { # GUEST
    local host pid
    pid=$(cat "$STATE/guests/$1/pinger.pid" 2>/dev/null) || pid=
    if [ -n "$pid" ] && grep -qsz "^$STATE/guests/$1/ping\$" "/proc/$pid/cmdline"; then
        kill "$pid"
    fi
    for host in $(hosts); do
        if pid=$(libvirtd_pid "$host"); then
            kill -CONT "$pid"
        else
            rm -f "$STATE/machines/$host"/{etc-libvirt,run/libvirt}/qemu/{,autostart/}"$1.xml"
        fi
        virsh_on "$host" destroy "$1" >/dev/null 2>&1 || true
        virsh_on "$host" undefine "$1" --managed-save --snapshots-metadata \
            --checkpoints-metadata --nvram >/dev/null 2>&1 || true
        for pid in $(qemu_of "$host" "$1"); do
            kill -KILL "$pid"
        done
        rm -f "$STATE/machines/$host/log/libvirt/qemu/$1-console.log" \
            "$STATE/machines/$host/lib-libvirt/qemu/nvram/$1_VARS.fd"
    done
    images_remove "$1"
    # The pools would go on listing what is gone.
    for host in $(hosts); do
        virsh_on "$host" pool-refresh default >/dev/null 2>&1 || true
    done
    rm -rf "${STATE:?}/guests/$1"
}

cmd_rm() {
    [ $# = 1 ] || usage_error "usage: lab rm GUEST"
    need_up
    need_guest "$1"
    guest_remove "$1"
}
