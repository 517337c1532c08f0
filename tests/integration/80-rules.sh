#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck source-path=SCRIPTDIR
# shellcheck disable=SC2317  # cases call what is defined before them
# The rules on real hosts: what would fail in the middle of a move is found before it, and a survey on file
# gives the plan that was made live.
. "$(dirname "$0")/lib.sh"

CHECK='check --allow-cleartext'

filter_migration_ports() { # HOST
    echo "table inet walled { chain in { type filter hook input priority 0; tcp dport 49152-49215 drop; }; }" |
        lab on "$1" nft -f -
}
unfilter() { lab on "$1" nft delete table inet walled 2>/dev/null || true; }

it "the plan of a file is the plan that was made live, to the byte"
guest hostA ruled
facts=/tmp/virt-ferry-lab.$LAB_ID/machines/hostA/log/facts.json
finally rm -f "$facts" "$WORK/live" "$WORK/replayed"
# shellcheck disable=SC2024
for form in -q --json; do
    ferry hostA "$form" plan --allow-cleartext --save-facts "$facts" ruled hostB >"$WORK/live"
    ferry hostA "$form" plan --allow-cleartext --facts "$facts" >"$WORK/replayed"
    cmp "$WORK/live" "$WORK/replayed"
done
prints '"suits_cpu": "yes"' ferry hostA survey ruled hostB
prints '"data_port_open": "yes"' ferry hostA survey ruled hostB

it "nothing is in the way of a guest on shared storage"
guest hostA ruled
# shellcheck disable=SC2086
exits 0 prints 'can move' lacks refuses ferry hostA $CHECK ruled hostB

it "a bridge of another name is found before the move, with the destination's own"
guest hostA ruled
lab on hostA ip link add br7 type bridge
finally lab on hostA ip link delete br7
lab on hostA ip link set br7 up
lab on hostA virsh attach-interface ruled bridge br7 --model virtio --mac 52:54:00:77:00:01 --live
finally lab on hostA virsh detach-interface ruled bridge --mac 52:54:00:77:00:01 --live
# shellcheck disable=SC2086
exits 3 prints "bridge 'br7' is missing on the destination" prints 'The destination has br0' \
    ferry hostA $CHECK ruled hostB

it "an MTU that is smaller at the destination is warned of"
guest hostA ruled
lab on hostB ip link set br0 mtu 1400
finally lab on hostB ip link set br0 mtu 1500
# shellcheck disable=SC2086
exits 0 prints mtu-smaller ferry hostA $CHECK ruled hostB

it "a firewall before the migration ports is found before the move, and its absence too"
guest hostA ruled
filter_migration_ports hostB
finally unfilter hostB
# shellcheck disable=SC2086
exits 3 prints migration-port-filtered prints '49152-49215/tcp' ferry hostA $CHECK --fix ruled qemu+tcp://hostB/system
unfilter hostB
# shellcheck disable=SC2086
exits 0 lacks migration-port ferry hostA $CHECK ruled qemu+tcp://hostB/system

it "a domain of the same name and a host that is down each have their answer"
guest hostA ruled
lab on hostB sh -c 'printf "<domain type=\"qemu\"><name>ruled</name><memory>1024</memory><os><type>hvm</type></os></domain>" >/tmp/twin.xml; virsh define /tmp/twin.xml; rm /tmp/twin.xml'
finally lab on hostB virsh undefine ruled
# shellcheck disable=SC2086
exits 3 prints name-taken ferry hostA $CHECK ruled hostB
lab libvirtd hostB kill
finally lab libvirtd hostB start
# shellcheck disable=SC2086
exits 4 ferry hostA $CHECK ruled hostB

it "a file that was put in the place of a running guest's image is not taken for it"
guest hostA swapped --disk shared:raw,shared:qcow2 --write-log
await 60 lab verify swapped
# shellcheck disable=SC2086
exits 0 lacks image-replaced ferry hostA $CHECK swapped hostB
for image in swapped-vda.img swapped-vdb.qcow2; do
    on hostA sh -c "cd /srv/shared && cp --sparse=always $image copy && mv $image kept && mv copy $image"
    sleep 1 # the guest writes on, to what it has open
    # shellcheck disable=SC2086
    exits 3 prints 'image-replaced' prints "$image" ferry hostA $CHECK swapped hostB
    on hostA sh -c "cd /srv/shared && mv kept $image"
done
# shellcheck disable=SC2086
exits 0 lacks image-replaced ferry hostA $CHECK swapped hostB
# shellcheck disable=SC2086
exits 0 ferry hostA migrate --allow-cleartext swapped hostB
lives_on hostB swapped
lab rm swapped
