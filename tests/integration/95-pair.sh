#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck source-path=SCRIPTDIR
# Two hosts looked at without a domain: `check HOST`. What one has and the other lacks is told, whether any domain
# could move at all, and what to type on which host; nothing is moved, made or left behind.
# shellcheck disable=SC2317  # cases call what is defined before them
. "$(dirname "$0")/lib.sh"

CACHE_FOLDER=/var/cache/libvirt/qemu/capabilities

it "two hosts are judged for any domain, and by name every channel is told"
exits 0 prints 'Domains can move from hostA to hostB, over 1 of 3 channels.' prints 'refuses cleartext (tcp)' \
    prints 'warns tcp-anyone-is-root' lacks hosts- ferry hostA check hostB
exits 0 prints 'over 3 of 3 channels' prints 'notes cleartext-allowed' ferry hostA check hostB --allow-cleartext

it "what two hosts lack between them ends with 3: a channel that may be used"
exits 3 prints 'No domain can move from hostA to hostB' prints 'refuses cleartext' ferry hostA check qemu+tcp://hostB/system
exits 3 prints 'refuses same-host' ferry hostA check hostA

it "a network that is declared trusted makes the clear channel one that may be used"
printf '[security]\ntrusted_networks = 10.0.0.0/8\n' | on hostA sh -c 'cat >/etc/virt-ferry.conf'
finally on hostA sh -c ': >/etc/virt-ferry.conf'
exits 0 prints 'is declared trusted' ferry hostA check qemu+tcp://hostB/system

it "a network, a pool and a path of a pool that only the source has are told"
echo '<network><name>lan</name><forward mode="bridge"/><bridge name="br0"/></network>' | on hostA sh -c 'cat >/run/lan.xml'
on hostA virsh -q net-define /run/lan.xml
finally on hostA virsh -q net-undefine lan
on hostA virsh -q net-start lan
finally on hostA virsh -q net-destroy lan
exits 0 prints 'hosts-networks-differ (hostB)' prints "'lan'" ferry hostA check hostB
on hostA mkdir -p /var/lib/libvirt/one /var/lib/libvirt/two
finally on hostA rmdir /var/lib/libvirt/one /var/lib/libvirt/two
for pool in one two; do
    on hostA virsh -q pool-create-as "$pool" dir --target "/var/lib/libvirt/$pool"
    finally on hostA virsh -q pool-destroy "$pool"
done
on hostB virsh -q pool-create-as two dir --target /var/lib/libvirt/images/..
finally on hostB virsh -q pool-destroy two
exits 0 prints 'hosts-pools-differ (hostB)' prints "'one' is missing" prints "'two' has another path" \
    lacks "'default'" ferry hostA check hostB

it "clocks that are apart are told, by how much"
on hostB sh -c 'printf "%s\n" "#!/bin/sh" "exec /run/date -d \"now + 90 seconds\" \"\$@\"" >/run/slow-date
    cp /bin/date /run/date; chmod 755 /run/slow-date; mount --bind /run/slow-date /usr/bin/date'
finally on hostB sh -c 'umount /usr/bin/date; rm -f /run/slow-date /run/date'
exits 0 prints hosts-clocks-differ prints "the clocks of 'hostA' and 'hostB' are 1 min" prints 'chronyd' ferry hostA check hostB

it "an older QEMU, and machine types that only the source's has"
older_undone() {
    on hostB sh -c "rm -f $CACHE_FOLDER/*.xml"
    start_over hostB
}
finally older_undone
on hostB sh -c "sed -i -e 's#<version>[0-9]*</version>#<version>6002000</version>#' \
    -e \"s/'pc-q35-7.2'/'pc-q35-0.1'/\" $CACHE_FOLDER/*.xml"
start_over hostB
exits 0 prints 'warns older-destination' prints 'warns hosts-machines-differ' prints 'pc-q35-7.2' ferry hostA check hostB

it "ports that a firewall drops refuse the channel whose data goes there"
echo "table inet walled { chain in { type filter hook input priority 0; tcp dport 49152-49215 drop; }; }" |
    timeout 20 "$REPO/tests/lab/lab" on hostB nft -f -
finally on hostB nft delete table inet walled
exits 3 prints 'refuses migration-port-filtered (tcp)' ferry hostA check --allow-cleartext qemu+tcp://hostB/system

it "from a machine that is neither, what could not be looked into is said"
exits 0 prints 'notes hosts-not-looked-into' lacks 'tls-qemu-no' ferry client -c qemu+tcp://hostA/system check \
    --allow-cleartext hostB
exits 0 lacks 'hosts-not-looked-into' ferry client -c qemu+ssh://hostA/system check --allow-cleartext hostB

it "a host that is not there, or is silent, ends with 4"
exits 4 prints 'could not be resolved' ferry hostA check nowhere.example
lab libvirtd hostB stop
finally lab libvirtd hostB cont
exits 4 ferry hostA check hostB

it "the facts of two hosts can be judged again later, alike, as text and as JSON"
ferry hostA survey hostB >"$WORK/pair.json"
is null jq -c .domain.name "$WORK/pair.json"
is true jq -c '.dest.machines | length > 9' "$WORK/pair.json"
ferry hostA --json check hostB | jq -S 'del(.commands)' >"$WORK/first.json"
"$VIRT_FERRY_BUILD/virt-ferry" --json check --facts "$WORK/pair.json" | jq -S 'del(.commands)' >"$WORK/again.json"
is_empty diff "$WORK/first.json" "$WORK/again.json"
is '["can_move","dest","findings","source"]' jq -c keys "$WORK/first.json"

it "each rule that needs no domain is one of the document, and options about a domain are refused"
exits 2 prints "option '--overwrite' is about a domain" ferry hostA check hostB --overwrite vda
exits 2 prints 'needs more operands' ferry hostA check
exits 2 prints 'needs more operands' ferry hostA plan hostB
ferry hostA --json check hostB | jq -r '.findings[].id' | grep -vE '^(tls|ssh|tcp|channel)-' | sort -u >"$WORK/ids"
sed -n 's/^### //p' "$REPO/docs/findings.md" | sort >"$WORK/rules"
is_empty comm -23 "$WORK/ids" "$WORK/rules"

it "with --fix the commands stand under the host where they are to be typed, and nothing was done"
exits 0 prints 'On hostA: virt-ferry-host-setup --apply ca' prints 'On hostB: virt-ferry-host-setup --apply tls /root/hostB.tar' \
    ferry hostA check hostB --fix
is '["hostA","hostB"]' sh -c "'$REPO/tests/lab/lab' on hostA virt-ferry --json check hostB | jq -c '[.commands[].host] | unique'"
exits 1 on hostA test -e /etc/pki/virt-ferry-ca
