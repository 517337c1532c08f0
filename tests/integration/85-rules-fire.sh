#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2317,SC2016,SC2086  # cases call what is defined before them; texts hold what looks like commands; paths are words
# shellcheck source-path=SCRIPTDIR
# Every rule that the lab can show is seen to fire there, on domains that cost nothing to make: most are
# never started. A row "ID|TEXT" below `shows` is a rule, and what its finding must say, so that it is known
# to be about what was spoiled; the plain domain's plan must not have it. The last case holds the rows and
# the two lists here against docs/findings.md: a new rule must choose.
. "$(dirname "$0")/lib.sh"

# Shown by other files, on guests that have to run for it.
ELSEWHERE='
mtu-smaller|80-rules.sh
grows-unseen|90-nfs.sh
drive-arrives-empty|87-mapping.sh
backing-file-not-proved|89-chains.sh
image-replaced|80-rules.sh
base-no-file|89-chains.sh
chain-not-known|89-chains.sh
chain-kept|89-chains.sh
chain-not-kept|89-chains.sh
data-file-not-proved|89-chains.sh
snapshots-in-image|89-chains.sh
device-not-a-device|88-devices.sh
overwrite-not-used|88-devices.sh
device-would-be-overwritten|88-devices.sh
device-overwritten|88-devices.sh
device-size-differs|88-devices.sh
device-too-small|88-devices.sh
device-block-size-differs|88-devices.sh
device-block-size-not-known|88-devices.sh
device-in-use|88-devices.sh
device-use-not-known|88-devices.sh
device-not-told-apart|88-devices.sh
device-format|88-devices.sh
pool-of-another-kind|88-devices.sh
cache-dropped|88-devices.sh
tls-copy-postcopy|72-tls.sh
hosts-machines-differ|95-pair.sh
hosts-pools-differ|95-pair.sh
hosts-networks-differ|95-pair.sh
hosts-clocks-differ|95-pair.sh
hosts-not-looked-into|95-pair.sh
data-address|73-via.sh
data-address-elsewhere|73-via.sh
p2p-not-safe|74-p2p.sh
p2p-channel|74-p2p.sh
p2p-uri|74-p2p.sh
p2p-credentials|74-p2p.sh
lock-to-prove|74-p2p.sh
lock-proved|74-p2p.sh
lock-lives|74-p2p.sh
offline-copy|76-offline.sh
connections-postcopy|72-tls.sh
connections-forward|71-ssh-data.sh
relocate-not-running|99-relocate-off.sh
relocate-starts-paused|99-relocate-off.sh
relocate-snapshots|98-relocate.sh
relocate-transient|98-relocate.sh
relocate-drive|98-relocate.sh
relocate-kind|98-relocate.sh
relocate-flat|98-relocate.sh
relocate-same-place|98-relocate.sh
relocate-image-exists|98-relocate.sh
relocate-image-not-known|98-relocate.sh
relocate-device|98-relocate.sh
relocate-device-overwritten|98-relocate.sh
relocate-format|98-relocate.sh
relocate-length|98-relocate.sh
copy-length|98-relocate.sh
relocate-space|98-relocate.sh
relocate-overcommit|98-relocate.sh
relocate-zeroes|98-relocate.sh
relocate-format-changes|98-relocate.sh
relocate-not-shared|98-relocate.sh
relocate-deleted|98-relocate.sh
'

# What the lab cannot show, and why. The unit tests have these on both sides of their border.
CANNOT='
domain-not-running|libvirt tells the state of every domain that it has
hugepages|which size is the default of a machine with several, the lab cannot choose
interface-direct|libvirt is built with its interface driver, so a device is there or is not
sharing-contradicted|no driver at hand proves an image that the destination does not find
cache-mode-old-qemu|libvirt 9.0 runs no QEMU before 4.2
cannot-create|the one storage driver at hand creates
device-size-not-known|whatever tells of a device there tells its size
channel-without-disks|all transport drivers at hand carry disks
channel-without-postcopy|all transport drivers at hand carry post-copy
lock-not-proved|the lab shares by a file system that enforces locks: tests/matrix/locks.sh makes one that does not
session-postcopy|a user has no session on these hosts: tests/matrix/daemons.sh makes one
connections-channel|all transport drivers at hand carry several connections
connections-version|it is about libvirt before 5.2, and QEMU before 5.2
connections-idle|what else the machine does, the lab cannot choose
relocate-synchronous-writes|it is about libvirt before 8.0
relocate-size-not-known|QEMU tells the size of each disk that it has
relocate-inner-snapshots|a running guest with snapshots in its image is refused for its snapshots first
relocate-delete|the drivers at hand remove images, and what QEMU has open is seen in the lab
relocate-no-driver|every location that can be named has a driver
relocate-cannot-create|the storage drivers at hand create
tls-copy-name|it is about QEMU before 7.0
tls-copy-libvirt|it is about libvirt before 4.4
unix-libvirt|it is about libvirt before 6.8
tls-copy-hang|it is about QEMU before 6.0
tls-copy-crash|it is about QEMU 8.2 to 9.0
hosts-cpu-differ|both hosts have the processor of this machine
hosts-mounts-differ|the kernel here has no client of a network file system
hosts-selinux-nfs|SELinux is not on here
selinux-nfs|SELinux is not on here
unix-selinux|SELinux is not on here
unix-apparmor|the kernel here has no AppArmor: tests/matrix/apparmor.sh has one that does
'

IMAGES=/var/lib/libvirt/images
PLAIN=plain

# ---- domains ----

odd_xml() { # NAME [TOP [DEVICES [MEMORY-in-MiB [OS]]]]
    cat <<END
<domain type='qemu'>
  <name>$1</name>
  <memory unit='MiB'>${4:-32}</memory>
  ${2:-}
  <os><type arch='x86_64' machine='q35'>hvm</type>${5:-}</os>
  <devices><emulator>/usr/bin/qemu-system-x86_64</emulator>
  ${3:-}
  </devices>
</domain>
END
}
file_disk() { # TARGET FILE FORMAT [MORE [INSIDE-source]]
    echo "<disk type='file'><driver name='qemu' type='$3' ${CACHE:+cache='$CACHE'}/>" \
        "<source file='$2'>${5:-}</source><target dev='$1' bus='virtio'/>${4:-}</disk>"
}
cdrom() { # FILE
    echo "<disk type='file' device='cdrom'><driver name='qemu' type='raw'/><source file='$1'/>" \
        "<target dev='sda' bus='sata'/><readonly/></disk>"
}
define() { # HOST NAME …: as odd_xml
    odd_xml "${@:2}" >"$WORK/odd.xml"
    on "$1" virsh -q define "$WORK/odd.xml"
}
gone() { # HOST NAME
    on "$1" virsh -q destroy "$2" 2>/dev/null || true
    on "$1" virsh -q undefine "$2" --managed-save --snapshots-metadata --checkpoints-metadata
}

# ---- plans ----

# Every finding of a plan into FILE, as lines "ID|WHERE|WHAT". Refused or not, it must have been made.
on_a_shared_disk() { # domain 'odd' at hostA, defined
    on hostA qemu-img create -q -f qcow2 /srv/shared/odd-s.qcow2 1M
    finally on hostA rm -f /srv/shared/odd-s.qcow2
    define hostA odd '' "$(CACHE=none file_disk vda /srv/shared/odd-s.qcow2 qcow2)"
    finally gone hostA odd
}
judge() { # FILE HOST ARGUMENT…
    local code=0
    ferry "$2" --json "${@:3}" >"$WORK/plan.json" || code=$?
    [ "$code" = 0 ] || [ "$code" = 3 ] || complain "exit code $code: $(head -c 500 "$WORK/plan.json")"
    jq -r '[.findings[], .strategies[].findings[]] | unique | .[] | "\(.id)|\(.where // "")|\(.what)"' \
        "$WORK/plan.json" >"$1"
    cat "$1"
}

# The other side of each row: the plain domain, off and running, before a case spoils anything.
plain_plans() {
    [ ! -s "$WORK/plain" ] || return 0
    define hostA "$PLAIN"
    finally gone hostA "$PLAIN"
    judge "$WORK/plain-off" hostA plan "$PLAIN" hostB
    on hostA virsh -q start "$PLAIN"
    judge "$WORK/plain-on" hostA plan --allow-cleartext "$PLAIN" hostB
    cat "$WORK/plain-off" "$WORK/plain-on" >"$WORK/plain"
}

# Rows on standard input; FILE is what judge wrote.
shows() { # FILE
    local id text code=0
    while IFS='|' read -r id text; do
        grep -qF -e "$text" <<<"$(grep "^$id|" "$1")" || complain "wanted: $id, saying: $text" || code=1
        case $id in # each has one of the two, by what the user says; the third by what history says of the link
            cleartext | cleartext-allowed | may-not-end) continue ;;
        esac
        ! grep "^$id|" "$WORK/plain" || complain "fires on the plain domain too: $id" || code=1
    done
    return "$code"
}

it "nothing is in the way of a plain domain, off or running"
plain_plans
# The lab's TCP lets everybody in, and it has no certificates here: both are said of every domain.
is 'cleartext|tcp' sh -c "cut -d'|' -f1,2 '$WORK/plain-off' | grep -vE '^(tcp-anyone-is-root|tls-own-ca-missing)'"
is cleartext-allowed sh -c \
    "cut -d'|' -f1 '$WORK/plain-on' | grep -vE '^(may-not-end|tcp-anyone-is-root|tls-own-ca-missing)' | sort -u"

it "what a domain needs and the destination lacks"
plain_plans
stand_in=$(mktemp -d "$STATE/machines/hostA/log/odd.XXXXXX")
finally rm -rf "$stand_in"
# An emulator of TPMs that can do no more than say what it could; seen by hostA alone.
for program in swtpm swtpm_setup swtpm_ioctl; do
    printf '#!/bin/sh\necho %s\n' "'{ \"type\": \"swtpm\", \"features\": [ \"tpm-1.2\", \"tpm-2.0\" ] }'" \
        >"$stand_in/$program"
    chmod 755 "$stand_in/$program"
done
on hostA mount --bind "/var/log/${stand_in##*/}" /usr/local/bin
finally on hostA umount /usr/local/bin
define hostA odd "
  <metadata><o:vm xmlns:o='http://ovirt.org/vm/1.0'/></metadata><features><acpi/></features>
  <memoryBacking><hugepages><page size='1' unit='GiB'/></hugepages></memoryBacking>
  <cputune><vcpupin vcpu='0' cpuset='1000'/></cputune>
  <numatune><memory mode='strict' nodeset='63'/></numatune>
  <cpu mode='custom' match='exact' check='none'><model fallback='forbid'>qemu64</model>
    <feature policy='require' name='invtsc'/><feature policy='require' name='avx512f'/></cpu>" "
  <interface type='bridge'><source bridge='br7'/></interface>
  <interface type='network'><source network='nowhere'/></interface>
  <interface type='direct'><source dev='eth7' mode='bridge'/></interface>
  <interface type='vdpa'><source dev='/dev/vhost-vdpa-7'/></interface>
  <graphics type='vnc' autoport='yes'><listen type='network' network='nowhere'/></graphics>
  <tpm model='tpm-crb'><backend type='emulator' version='2.0'/></tpm>
  <shmem name='odd-shm'><model type='ivshmem-plain'/><size unit='M'>4</size></shmem>
  <serial type='dev'><source path='/dev/ttyS7'/></serial>
  <disk type='volume'><driver name='qemu' type='raw'/><source pool='nowhere' volume='v'/>
    <target dev='vda' bus='virtio'/></disk>
  <disk type='network'><driver name='qemu' type='raw'/>
    <auth username='u'><secret type='ceph' usage='odd-secret'/></auth>
    <source protocol='rbd' name='p/i'><host name='hostB'/></source><target dev='vdb' bus='virtio'/></disk>
  <disk type='network'><driver name='qemu' type='raw'/>
    <source protocol='iscsi' name='iqn.2013-07.org:odd/1'><host name='hostB'/></source><target dev='vdd' bus='virtio'/></disk>
  $(cdrom $IMAGES/odd.iso)
  $(file_disk vdc $IMAGES/odd-t.img raw '<transient/>')" $((1024 * 1024)) "
  <loader readonly='yes' type='pflash'>/usr/share/seabios/bios-256k.bin</loader><kernel>/boot/odd</kernel>"
finally gone hostA odd
judge "$WORK/odd" hostA plan odd hostB
shows "$WORK/odd" <<'END'
managed-domain|is managed by oVirt
destination-memory|needs 1 TiB
hugepages-missing|huge pages of 1 GiB
pinned-processors|bound to processors 1000
numa-nodes|NUMA nodes 63
cpu-not-suited|avx512f
invtsc|'invtsc'
direct-boot|'/boot/odd'
firmware|bios-256k.bin
bridge-missing|bridge 'br7' is missing
network-missing|network 'nowhere' is missing
interface-device-missing|network device 'eth7'
interface-tied|'vdpa'
graphics-address|network 'nowhere'
tpm-state|TPM moves with it
tpm-missing|no emulator
device-tied|odd-shm
device-host-side|/dev/ttyS7
pool-missing|pool 'nowhere' of disk 'vda'
secret-missing|secret of ceph 'odd-secret'
no-driver|disk 'vdd'
transient-disk|disk 'vdc'
readonly-image-missing|odd.iso
copy-size-not-known|disk 'vdc'
END

it "disks that cannot be copied, and a destination without the room"
plain_plans
on hostA sh -c "cd $IMAGES; head -c 2M /dev/urandom >odd-1.img; 
    truncate -s 4M odd-1.img odd-2.vmdk; cp odd-2.vmdk odd-4.img"
finally on hostA sh -c "rm -f $IMAGES/odd-*"
on hostB mount -t tmpfs -o size=1m none "$IMAGES"
finally on hostB sh -c "umount $IMAGES; virsh -q pool-refresh default"
on hostB virsh -q pool-refresh default
define hostA odd "<memoryBacking><hugepages><page size='2' unit='MiB'/></hugepages></memoryBacking><cpu mode='maximum'/>" "
  <graphics type='vnc' autoport='yes' listen='192.0.2.7'/>
  $(file_disk vda $IMAGES/odd-1.img raw '<shareable/>')
  $(file_disk vdb $IMAGES/odd-2.vmdk vmdk)
  $(file_disk vdc $IMAGES/odd-3.qcow2 qcow2 "<backingStore type='file'><format type='raw'/><source
    file='$IMAGES/odd-base.img'/></backingStore>")
  $(file_disk vdd $IMAGES/odd-4.img raw '' "<encryption format='luks'><secret type='passphrase'
    uuid='0a81f5b2-8403-7b23-c8d6-21ccc2f80d6f'/></encryption>")
  <disk type='block'><driver name='qemu' type='raw'/><source dev='/dev/odd7'/>
    <target dev='vde' bus='virtio'/></disk>
  <disk type='block' device='lun'><driver name='qemu' type='raw'/><source dev='/dev/odd8'/>
    <target dev='sda' bus='scsi'/></disk>"
finally gone hostA odd
judge "$WORK/odd" hostA plan odd hostB
shows "$WORK/odd" <<'END'
hugepages-missing|of 2 MiB
cpu-of-source|'maximum'
graphics-address|192.0.2.7, which the destination lacks
copy-shareable|disk 'vda'
copy-format|'vmdk'
copied-flat|odd-base.img
copy-encrypted|disk 'vdd'
encrypted-disk|disk 'vdd'
secret-missing|0a81f5b2-8403-7b23-c8d6-21ccc2f80d6f
destination-space|'default' has
device-missing|no device '/dev/odd7'
copy-lun|disk 'sda'
END
# Room for what is occupied, not for what it may grow to.
on hostB mount -o remount,size=3m "$IMAGES"
on hostB virsh -q pool-refresh default
judge "$WORK/odd" hostA plan odd hostB
shows "$WORK/odd" <<'END'
destination-overcommit|disk 'vda'
END
lacks 'destination-space|' cat "$WORK/odd"

it "what is under way on a domain, and what the user does not want"
plain_plans
on hostA sh -c "qemu-img create -q -f qcow2 /srv/shared/odd-s.qcow2 1M
    mkdir /srv/shared/odd; truncate -s 1M $IMAGES/odd-l.img /srv/shared/odd/odd-p.img /srv/shared/odd/odd.iso"
finally on hostA sh -c "rm -rf /srv/shared/odd* $IMAGES/odd-*"
on hostB truncate -s 1M $IMAGES/odd-l.img
finally on hostB sh -c "rm -f $IMAGES/odd-*; virsh -q pool-refresh default; virsh -q pool-undefine odd-off"
on hostB sh -c 'virsh -q pool-refresh default; virsh -q pool-define-as odd-off dir --target /srv/shared/odd'
define hostA odd "<metadata><o:vm xmlns:o='http://ovirt.org/vm/1.0'/></metadata>" "
  $(CACHE=writeback file_disk vda /srv/shared/odd-s.qcow2 qcow2)
  $(CACHE=none file_disk vdb $IMAGES/odd-l.img raw)
  $(CACHE=none file_disk vdc /srv/shared/odd/odd-p.img raw)
  $(cdrom /srv/shared/odd/odd.iso)"
finally gone hostA odd
on hostA sh -c 'virsh -q start --paused odd; virsh -q autostart odd'
judge "$WORK/odd" hostA plan --force-managed odd hostB
shows "$WORK/odd" <<'END'
paused-arrival|'odd' is paused
autostart|starts with its host
managed-domain-forced|oVirt
cache-mode|disk 'vda' has cache mode 'writeback'
already-shared|disk 'vda'
not-shared|disk 'vdb'
destination-image-exists|odd-l.img
sharing-not-proved|disk 'vdc'
destination-image-not-known|odd-p.img
destination-space-not-known|disk 'vdc'
readonly-image-not-known|odd.iso
cleartext|guest's memory and the copied disk 'vdb' would cross
END
on hostA sh -c "virsh -q resume odd
    virsh -q checkpoint-create-as odd c1 --diskspec vda --diskspec vdb,checkpoint=no --diskspec vdc,checkpoint=no
    virsh -q blockcopy odd vdb $IMAGES/odd-copy.img --transient-job --format raw"
judge "$WORK/odd" hostA plan --allow-cleartext --force-managed --no-postcopy --no-throttle --deadline 1 \
    --max-downtime 1 odd hostB
shows "$WORK/odd" <<'END'
checkpoints|'odd' has checkpoints
job-in-progress|block job
cleartext-allowed|--allow-cleartext was given
postcopy-not-wanted|--no-postcopy
throttle-not-wanted|--no-throttle
deadline-missed|1 s are allowed
downtime-too-long|1 ms are allowed
may-not-end|not measured
END
lacks 'paused-arrival|' cat "$WORK/odd"

it "a deadline that may be missed, and a guest that writes faster than the link carries"
plain_plans
guest hostA odd-busy --mem 256 --disk none --dirty 128,400
finally lab rm odd-busy
facts=/tmp/virt-ferry-lab.$LAB_ID/machines/hostA/log/busy.json
finally rm -f "$facts"
judge "$WORK/odd" hostA plan --allow-cleartext --save-facts "$facts" odd-busy hostB
between=$(jq '[.strategies[].time_ms | select(.high / 1000 > (.likely / 1000 | ceil))][0].likely / 1000 | ceil' \
    "$WORK/plan.json")
# On the same facts: a second survey would predict a little more or less.
judge "$WORK/odd" hostA plan --allow-cleartext --deadline "$between" --facts "$facts"
shows "$WORK/odd" <<END
deadline-near|longer than the $between s
END
lab link hostB rate 20mbit
finally lab link hostB rate none
judge "$WORK/odd" hostA plan --allow-cleartext --bandwidth 20mbit --measure-dirty 3 odd-busy hostB
shows "$WORK/odd" <<'END'
never-ends|faster than channel
END

it "states on file that would come back: a snapshot, and a saved guest"
plain_plans
on_a_shared_disk
on hostA sh -c 'virsh -q snapshot-create-as odd s1; virsh -q start odd; virsh -q managedsave odd'
judge "$WORK/odd" hostA plan odd hostB
shows "$WORK/odd" <<'END'
snapshots|'odd' has snapshots
managed-save|managed-save image
END

it "a source that is reached from elsewhere, and a firewall before the migration ports"
plain_plans
on_a_shared_disk
on hostA virsh -q start odd
judge "$WORK/odd" client -c qemu+tcp://hostA/system plan --allow-cleartext odd qemu+tcp://hostB/system
shows "$WORK/odd" <<'END'
no-gate|'hostA': its libvirt is not reached
address-not-checked|was not checked from the source
migration-port-not-checked|could not be tried
END
echo "table inet walled { chain in { type filter hook input priority 0; tcp dport 49152-49215 drop; }; }" |
    timeout 20 "$REPO/tests/lab/lab" on hostB nft -f -
finally on hostB nft delete table inet walled
judge "$WORK/odd" client -c qemu+ssh://hostA/system plan --allow-cleartext odd hostB
shows "$WORK/odd" <<'END'
migration-port-filtered|filtered: no answer came
END
judge "$WORK/odd" hostA plan --allow-cleartext odd hostB
shows "$WORK/odd" <<'END'
migration-port-filtered|filtered: no answer came
unsafe-with-proof|of disk 'vda'
END

it "a way without an address, no way at all, and a destination that is no other host"
plain_plans
define hostA odd
finally gone hostA odd
on hostA virsh -q start odd
printf 'Host hostB\n  ProxyCommand busybox nc %%h %%p\n' |
    timeout 20 "$REPO/tests/lab/lab" on hostA tee /root/.ssh/config
finally on hostA rm -f /root/.ssh/config
judge "$WORK/odd" hostA plan --allow-cleartext odd qemu+ssh://hostB/system
shows "$WORK/odd" <<'END'
channel-no-address|no address for data
END
judge "$WORK/odd" hostA plan --allow-cleartext odd qemu:///system
shows "$WORK/odd" <<'END'
no-channel|no channel leads
destination-memory-not-known|is not known
END
judge "$WORK/odd" hostA plan --allow-cleartext odd hostA
shows "$WORK/odd" <<'END'
same-host|are the same host
name-taken|stands on the destination already
END

it "settings of the two hosts that do not fit each other"
plain_plans
define hostA odd
finally gone hostA odd
on hostA virsh -q start odd
for host in hostA hostB; do
    on "$host" cp -a /etc/libvirt/qemu.conf /run/qemu.conf.odd
    finally on "$host" mv /run/qemu.conf.odd /etc/libvirt/qemu.conf
done
on hostA sed -i '1i lock_manager = "lockd"' /etc/libvirt/qemu.conf
on hostB sed -i 's/^user = .*/user = "libvirt-qemu"/' /etc/libvirt/qemu.conf
judge "$WORK/odd" hostA plan --allow-cleartext odd qemu+ssh://hostB/system
shows "$WORK/odd" <<'END'
lock-manager-differs|the source's lock manager is 'lockd', the destination's 'none'
END
if [ "$(cat /proc/sys/vm/unprivileged_userfaultfd)" = 0 ]; then
    shows "$WORK/odd" <<'END'
userfaultfd|lets only root use userfaultfd
postcopy-userfaultfd|lets only root use userfaultfd
END
fi
judge "$WORK/odd" hostA plan --allow-cleartext odd qemu+tcp://hostB/system
shows "$WORK/odd" <<'END'
lock-manager-not-known|the destination's is not known
END
define hostA odd-show '' "<graphics type='vnc' autoport='yes' listen='192.0.2.7'/>"
finally gone hostA odd-show
judge "$WORK/odd" hostA plan odd-show qemu+tcp://hostB/system
shows "$WORK/odd" <<'END'
graphics-address-not-known|192.0.2.7
END

it "names that are others at the destination"
plain_plans
define hostA odd '' "
  <interface type='bridge'><source bridge='br7'/></interface>
  $(file_disk vda $IMAGES/odd-a.img raw)
  $(file_disk vdb $IMAGES/odd-b.img raw)"
finally gone hostA odd
judge "$WORK/odd" hostA plan odd hostB --map-storage "$IMAGES/odd-a.img=$IMAGES/odd-c.img" \
    --map-storage "$IMAGES/odd-b.img=$IMAGES/odd-c.img" --map-network br7=br8 --map-network typo=br9
shows "$WORK/odd" <<'END'
mapped-together|one place at the destination
storage-mapped|odd-c.img
network-mapped|leaves 'br7' for 'br8'
map-not-used|'typo'
END

it "a destination whose QEMU is older, and lacks the machine type"
plain_plans
define hostA odd
finally gone hostA odd
CACHE_FOLDER=/var/cache/libvirt/qemu/capabilities
# libvirt believes what it noted of a QEMU as long as the program is the same.
on hostB cp -a $CACHE_FOLDER /run/odd-capabilities
older_undone() {
    on hostB sh -c "rm -rf $CACHE_FOLDER; mv /run/odd-capabilities $CACHE_FOLDER"
    lab libvirtd hostB kill
    lab libvirtd hostB start
}
finally older_undone
machine=$(on hostA virsh dumpxml odd | sed -n "s/.*machine='\([^']*\)'.*/\1/p")
on hostB sh -c "sed -i -e 's#<version>[0-9]*</version>#<version>6002000</version>#' \
    -e \"s/'$machine'/'pc-q35-0.1'/\" $CACHE_FOLDER/*.xml"
lab libvirtd hostB kill
lab libvirtd hostB start
judge "$WORK/odd" hostA plan odd hostB
shows "$WORK/odd" <<'END'
older-destination|QEMU 6.2 is older
machine-type-missing|machine type 'pc-q35-
END

it "each rule of the document is shown here, elsewhere, or has its reason why it cannot be"
listed() { sed -n 's/^\([a-z0-9-]*\)|.*/\1/p'; }
sed -n '/^[a-z0-9-]*|/p' "$FILE" | listed | sort -u >"$WORK/listed"
sed -n 's/^### //p' "$REPO/docs/findings.md" | sort >"$WORK/rules"
is_empty comm -13 "$WORK/listed" "$WORK/rules"
is_empty comm -23 "$WORK/listed" "$WORK/rules"
# In one place only: what cannot be shown is not.
is_empty sh -c "printf '%s\n' '$(listed <<<"$CANNOT")' '$(listed <<<"$ELSEWHERE")' | sort | uniq -d"
while IFS='|' read -r id file; do
    [ -z "$id" ] || grep -qF -e "$id" "$HERE/$file" || complain "'$id' is not shown by $file"
done <<<"$ELSEWHERE"
