#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2317  # cases call what is defined before them
# Names and folders that the destination has otherwise: refused without a map, moved with it, there and back;
# the domain's XML, live and persistent, has the destination's, and nothing else is changed in it.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$(readlink -f "$0")")/lib.sh"

IMAGES=/var/lib/libvirt/images
OTHER=/var/lib/libvirt/other # a folder of hostB's own

bridge_up() { on "$1" ip link add "$2" type bridge && on "$1" ip link set "$2" up; } # HOST NAME
bridge_down() { on "$1" ip link del "$2"; }

# The guest's interface is put on another bridge while it runs, and for its next start.
sits_on() { # HOST GUEST BRIDGE
    on "$1" virsh -q dumpxml "$2" | sed -n '/<interface /,/<\/interface>/p' |
        sed -e "s/<source bridge='[^']*'/<source bridge='$3'/" -e '/<alias /d' >"$WORK/interface.xml"
    on "$1" virsh -q update-device "$2" /dev/stdin --live --config <"$WORK/interface.xml"
}

# Of the running guest, then of its definition.
both_xml() { on "$1" virsh -q dumpxml "$2" && on "$1" virsh -q dumpxml "$2" --inactive; } # HOST GUEST
bridges_of() { both_xml "$1" "$2" | sed -n "s/.*<source bridge='\([^']*\)'.*/\1/p" | tr '\n' ' '; }
images_of() { both_xml "$1" "$2" | sed -n "s/.*<source file='\([^']*\)'.*/\1/p" | tr '\n' ' '; }
kernels_of() { both_xml "$1" "$2" | sed -n 's/.*<kernel>\(.*\)<.*/\1/p' | tr '\n' ' '; }

# What libvirt gives a guest anew on each host, and what a map is there to change.
same_but_for_names() { # HOST GUEST >
    on "$1" virsh -q dumpxml "$2" --inactive --security-info |
        sed -e "s/<source bridge='[^']*'/<source bridge=''/" -e "s/<source file='[^']*'/<source file=''/" \
            -e 's/<kernel>.*</<kernel></' -e 's/<initrd>.*</<initrd></' -e '/<metadata\/>/d'
}

folder_on() { on "$1" mkdir -p "$2"; }
folder_gone() { on "$1" rm -rf "$2"; }

dir_pool() { # HOST NAME FOLDER
    on "$1" mkdir -p "$3" && on "$1" virsh -q pool-create-as "$2" dir --target "$3"
}
pool_gone() { on "$1" virsh -q pool-destroy "$2" && on "$1" rm -rf "$3"; } # HOST NAME FOLDER
volumes_of() { both_xml "$1" "$2" | sed -n "s/.*<source pool='\([^']*\)' volume='\([^']*\)'.*/\1:\2/p" | tr '\n' ' '; }

treatment() { # HOST GUEST DEST OPTION…
    ferry "$1" --json plan "${@:2}" --allow-cleartext | jq -r '.strategies[0].disks[0].treatment'
}
says() { # ID HOST GUEST DEST OPTION…: the findings of the plan with this id
    ferry "$2" --json plan "${@:3}" --allow-cleartext |
        jq -r --arg id "$1" '.findings[] | select(.id == $id) | .what'
}

newest_journal() { # HOST
    find "$STATE/machines/$1/lib-virt-ferry/runs" -name '*.journal' | sort | tail -n 1 | xargs cat
}

it "a map that cannot be one is a usage error with its form"
for map in br0 =br1 br0= br0=br0 br/0=br1 $'br0=br\n1'; do
    exits 2 prints 'Write FROM=TO' ferry hostA migrate any hostB --map-network "$map"
done
for map in a=/b /a=b /a/../b=/c /=/a /a=/ /a//b=/c; do
    exits 2 prints 'Write FROM=TO' ferry hostA plan any hostB --map-storage "$map"
done
exits 2 prints 'mapped to two names' ferry hostA check any hostB --map-network a=b --map-network a=c

it "a bridge that is called otherwise there: refused without the map, moved with it, and back"
guest hostA lan --write-log --vnc secret
bridge_up hostA left
finally bridge_down hostA left
bridge_up hostB right
finally bridge_down hostB right
sits_on hostA lan left
exits 3 prints "bridge 'left' is missing" prints '--map-network left=' \
    ferry hostA migrate lan hostB --allow-cleartext
exits 3 prints "bridge 'wrong' is missing" ferry hostA migrate lan hostB --allow-cleartext --map-network left=wrong
lives_on hostA lan
same_but_for_names hostA lan >"$WORK/before"
prints "for 'right'" ferry hostA check lan hostB --allow-cleartext --map-network left=right
ferry hostA migrate lan hostB --allow-cleartext --map-network left=right
lives_on hostB lan
is 'right right ' bridges_of hostB lan
same_but_for_names hostB lan | diff "$WORK/before" -
ferry hostB migrate lan hostA --allow-cleartext --map-network right=left
lives_on hostA lan
is 'left left ' bridges_of hostA lan
sits_on hostA lan br0

it "a map that the domain has nothing for is a warning, and nothing is rewritten"
guest hostA lan --write-log --vnc secret
is "nothing of the domain is called so on the source: --map-network 'bro'" \
    says map-not-used hostA lan hostB --map-network bro=br1
is_empty says map-not-used hostA lan hostB
ferry hostA migrate lan hostB --allow-cleartext --map-network bro=br1
lives_on hostB lan
is 'br0 br0 ' bridges_of hostB lan

deep "a local disk is copied to another folder, and back"
guest hostA local --disk local:raw,local:qcow2 --fill 16 --write-log
exits 3 prints 'destination-directory-missing' \
    ferry hostA check local hostB --allow-cleartext --map-storage "$IMAGES=$OTHER"
lives_on hostA local
folder_on hostB "$OTHER"
finally folder_gone hostB "$OTHER"
same_but_for_names hostA local >"$WORK/before"
ferry hostA migrate local hostB --allow-cleartext --map-storage "$IMAGES/=$OTHER/"
lives_on hostB local
is "$OTHER/local-vda.img $OTHER/local-vdb.qcow2 $OTHER/local-vda.img $OTHER/local-vdb.qcow2 " images_of hostB local
same_but_for_names hostB local | diff "$WORK/before" -
is_empty on hostB find "$IMAGES" -name 'local-*'
# What stands there is not overwritten, whatever map leads to it.
on hostA virsh -q pool-refresh default
exits 3 prints 'an image stands at' \
    ferry hostB migrate local hostA --allow-cleartext --map-storage "$OTHER=$IMAGES"
on hostA virsh -q vol-delete --pool default local-vda.img
on hostA virsh -q vol-delete --pool default local-vdb.qcow2
ferry hostB migrate local hostA --allow-cleartext --map-storage "$OTHER=$IMAGES"
lives_on hostA local
is "$IMAGES/local-vda.img $IMAGES/local-vdb.qcow2 $IMAGES/local-vda.img $IMAGES/local-vdb.qcow2 " images_of hostA local

deep "a move that is given up leaves nothing in the other folder, nor does one that dies"
guest hostA local --disk local:raw,local:qcow2 --fill 16 --write-log
folder_on hostB "$OTHER"
finally folder_gone hostB "$OTHER"
exits 5 ferry hostA migrate local hostB --allow-cleartext --map-storage "$IMAGES=$OTHER" --bandwidth 1MiB/s \
    --timeout 8
is_empty on hostB ls -A "$OTHER"
lives_on hostA local
# The next one dies where this one asked libvirt; what it made is found and removed by the one after it.
needs_faults
asked=$(newest_journal hostA | grep -n '"step":"migrate"' | cut -d: -f1)
VIRT_FERRY_FAULT=kill:journal:$((asked - 1)) exits 137 ferry hostA migrate local hostB --allow-cleartext \
    --map-storage "$IMAGES=$OTHER"
on hostB test -e "$OTHER/local-vda.img"
prints 'is undone' ferry hostA migrate local hostB --allow-cleartext --map-storage "$IMAGES=$OTHER"
lives_on hostB local

deep "a shared directory that is mounted elsewhere there is proved shared, and nothing is copied"
guest hostA share --write-log
folder_on hostB "$OTHER"
finally folder_gone hostB "$OTHER"
on hostB mount --bind /srv/shared "$OTHER"
finally on hostB umount "$OTHER"
# So that without a map the path leads to nothing.
on hostB mount -t tmpfs none /srv/shared
finally on hostB umount /srv/shared
is copy treatment hostA share hostB
is shared treatment hostA share hostB --map-storage "/srv/shared=$OTHER"
ferry hostA migrate share hostB --allow-cleartext --map-storage "/srv/shared=$OTHER"
lives_on hostB share
is "$OTHER/share-vda.qcow2 $OTHER/share-vda.qcow2 " images_of hostB share
is_empty on hostB ls -A /srv/shared
ferry hostB migrate share hostA --allow-cleartext --map-storage "$OTHER=/srv/shared"
lives_on hostA share
is '/srv/shared/share-vda.qcow2 /srv/shared/share-vda.qcow2 ' images_of hostA share

it "another folder with a file of that name is no proof: refused, and the file stays"
guest hostA share --write-log
folder_on hostB "$OTHER"
finally folder_gone hostB "$OTHER"
on hostB bash -c "yes precious | head -c 1M >$OTHER/share-vda.qcow2"
before=$(on hostB sha256sum "$OTHER/share-vda.qcow2")
exits 3 prints 'an image stands at' ferry hostA migrate share hostB --allow-cleartext \
    --map-storage "/srv/shared=$OTHER"
is "$before" on hostB sha256sum "$OTHER/share-vda.qcow2"
lives_on hostA share

it "a CD-ROM image that is missing there: copied, ejected or mapped"
guest hostA drive --cdrom --write-log
on hostA bash -c "head -c 1M /dev/zero >$IMAGES/disc.iso"
finally on hostA rm -f "$IMAGES/disc.iso"
on hostA virsh -q change-media drive sda "$IMAGES/disc.iso" --insert --live --config
exits 3 prints 'Copy the file to' prints '--eject' prints '--map-storage' \
    ferry hostA migrate drive hostB --allow-cleartext
folder_on hostB "$OTHER"
finally folder_gone hostB "$OTHER"
on hostB bash -c "head -c 1M /dev/zero >$OTHER/cd.iso"
ferry hostA migrate drive hostB --allow-cleartext --map-storage "$IMAGES/disc.iso=$OTHER/cd.iso"
lives_on hostB drive
prints "$OTHER/cd.iso" images_of hostB drive
on hostB virsh -q change-media drive sda --eject --live --config

it "a CD-ROM image that its startupPolicy lets be missing: the drive arrives empty, live, and keeps it for the next start"
guest hostA drive --cdrom --write-log
on hostA bash -c "head -c 1M /dev/zero >$IMAGES/disc.iso"
finally on hostA rm -f "$IMAGES/disc.iso"
on hostA virsh -q update-device drive /dev/stdin --live --config <<END
<disk type='file' device='cdrom'><driver name='qemu' type='raw'/><source file='$IMAGES/disc.iso' startupPolicy='requisite'/>
  <target dev='sda' bus='sata'/><readonly/></disk>
END
exits 0 prints drive-arrives-empty lacks readonly-image-missing ferry hostA check drive hostB --allow-cleartext
ferry hostA migrate drive hostB --allow-cleartext
lives_on hostB drive
is 1 sh -c "$REPO/tests/lab/lab on hostB virsh dumpxml drive --inactive | grep -c disc.iso"
is 0 sh -c "$REPO/tests/lab/lab on hostB virsh dumpxml drive | grep -c disc.iso"
on hostB virsh -q change-media drive sda --eject --config

deep "kernel and initrd are looked for where the map says, for a domain that is shut off too"
guest hostA boot --write-log
on hostB mkdir -p "$OTHER/kernel"
finally folder_gone hostB "$OTHER"
on hostB cp "$STATE/boot/vmlinuz" "$STATE/boot/initramfs" "$OTHER/kernel"
ferry hostA migrate boot hostB --allow-cleartext --map-storage "$STATE/boot=$OTHER/kernel"
lives_on hostB boot
is "$OTHER/kernel/vmlinuz $OTHER/kernel/vmlinuz " kernels_of hostB boot
on hostB virsh -q destroy boot
ferry hostB migrate boot hostA --allow-cleartext --map-storage "$OTHER/kernel=$STATE/boot"
is "$STATE/boot/vmlinuz $STATE/boot/vmlinuz " kernels_of hostA boot
on hostA virsh -q start boot

deep "a saved plan keeps its maps, and takes no others"
guest hostA lan --write-log --vnc secret
bridge_up hostA left
finally bridge_down hostA left
bridge_up hostB right
finally bridge_down hostB right
sits_on hostA lan left
ferry hostA plan lan hostB --allow-cleartext --map-network left=right -o /tmp/mapped.plan
finally on hostA rm -f /tmp/mapped.plan
exits 2 prints 'has its maps in it' ferry hostA migrate --plan /tmp/mapped.plan --map-network left=br0
ferry hostA migrate --plan /tmp/mapped.plan
lives_on hostB lan
is 'right right ' bridges_of hostB lan
sits_on hostB lan br0

deep "a volume's pool is called otherwise there: refused without the map, moved with it, and back"
guest hostA drive --cdrom --write-log
dir_pool hostA left /var/lib/libvirt/left
finally pool_gone hostA left /var/lib/libvirt/left
dir_pool hostB right /var/lib/libvirt/right
finally pool_gone hostB right /var/lib/libvirt/right
on hostA virsh -q vol-create-as left disc.iso 1M
on hostB virsh -q vol-create-as right disc.iso 1M
cat >"$WORK/drive.xml" <<'END'
<disk type='volume' device='cdrom'>
  <driver name='qemu' type='raw'/>
  <source pool='left' volume='disc.iso'/>
  <target dev='sda' bus='sata'/>
  <readonly/>
</disk>
END
on hostA virsh -q update-device drive /dev/stdin --live --config <"$WORK/drive.xml"
is 'left:disc.iso left:disc.iso ' volumes_of hostA drive
exits 3 prints "pool 'left' of disk 'sda' is missing" prints '--map-storage pool:left=' \
    ferry hostA migrate drive hostB --allow-cleartext
exits 2 prints 'two kinds' ferry hostA migrate drive hostB --allow-cleartext --map-storage left=/var/lib/libvirt/right
exits 2 prints "no pool's name has a slash" ferry hostA migrate drive hostB --allow-cleartext --map-storage left=right/
is "disk 'sda' leaves 'pool:left/disc.iso' for 'pool:right/disc.iso' (--map-storage)" \
    says storage-mapped hostA drive hostB --map-storage left=right
ferry hostA migrate drive hostB --allow-cleartext --map-storage left=right
lives_on hostB drive
is 'right:disc.iso right:disc.iso ' volumes_of hostB drive
ferry hostB migrate drive hostA --allow-cleartext --map-storage pool:right/disc.iso=pool:left/disc.iso
lives_on hostA drive
is 'left:disc.iso left:disc.iso ' volumes_of hostA drive
on hostA virsh -q change-media drive sda --eject --live --config

deep "maps of the configuration: of every move, of a pair of hosts, and the command line over both"
guest hostA lan --write-log --vnc secret
bridge_up hostA left
finally bridge_down hostA left
bridge_up hostB right
finally bridge_down hostB right
sits_on hostA lan left
finally no_settings hostA
printf '[map]\nnetwork left = wrong\nstorage nobody = here\n' | settings hostA
exits 3 prints "bridge 'wrong' is missing" ferry hostA migrate lan hostB --allow-cleartext
is_empty says map-not-used hostA lan hostB
prints "for 'right' (--map-network)" ferry hostA check lan hostB --allow-cleartext --map-network left=right
printf '[map]\nnetwork left = wrong\n[map hostB hostA]\nnetwork left = wrong\n[map hostA hostB]\nnetwork left = right\n' |
    settings hostA
prints "for 'right' (/etc/virt-ferry.conf:6)" ferry hostA check lan hostB --allow-cleartext
ferry hostA plan lan hostB --allow-cleartext -o /tmp/mapped.plan
finally on hostA rm -f /tmp/mapped.plan
# The plan has them: what the configuration says meanwhile is for other moves.
printf '[map]\nnetwork left = wrong\n' | settings hostA
on hostA grep -q /etc/virt-ferry.conf:6 /tmp/mapped.plan
ferry hostA migrate --plan /tmp/mapped.plan
lives_on hostB lan
is 'right right ' bridges_of hostB lan
sits_on hostB lan br0
printf '[map]\nnetwork left/0 = right\n' | settings hostA
exits 2 prints '/etc/virt-ferry.conf:2' ferry hostA plan lan hostB --allow-cleartext
