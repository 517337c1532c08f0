#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck source-path=SCRIPTDIR
# lab: --tls --second-net
# A network for migrations: RAM and disks to another address than control, IPv4 and IPv6, seen by what each cable
# carried; trusted and checked by that address; found in a network; and what is wrong with it told by its name.
# shellcheck disable=SC2317  # cases call what is defined before them
. "$(dirname "$0")/lib.sh"

SECOND=172.31.$LAB_ID SECOND6=fd31:$LAB_ID:
B4=$SECOND.11 B6=$SECOND6:11 # hostB's
FIRST_B=10.$((100 + LAB_ID)).0.11
MOST_BESIDE=$((12 << 20)) # of control's talk and of the guest's own frames

sent() { on "$1" cat "/sys/class/net/$2/statistics/tx_bytes"; }

# At least that much by the second cable of HOST, and little by the first.
by_second() { # HOST LEAST-BYTES COMMAND…
    local host=$1 least=$2 first second
    shift 2
    first=$(sent "$host" eth0) second=$(sent "$host" eth1)
    "$@"
    first=$(($(sent "$host" eth0) - first)) second=$(($(sent "$host" eth1) - second))
    echo "by the first cable $first bytes, by the second $second"
    [ "$second" -ge "$least" ] || complain "the second cable carried $second bytes"
    [ "$first" -le "$MOST_BESIDE" ] || complain "the first cable carried $first bytes"
}
moves() { # GUEST ADDRESS OPTION…: as the plan says; hostA to hostB, and the plain way back
    exits 0 prints " via $2 " prints "go to $2 of 'hostB', control to $FIRST_B" ferry hostA plan "$1" hostB --allow-cleartext "${@:3}"
    exits 0 by_second hostA $((20 << 20)) ferry hostA migrate "$1" hostB --allow-cleartext "${@:3}"
    lives_on hostB "$1"
    guest hostA "$1" --write-log
}

it "RAM goes to the address that is given, by every channel, control where the name leads"
guest hostA web --write-log
moves web "$B4" --via "$B4" --strategy precopy-ssh-clear-gated
moves web "$B4" --via "$B4" --strategy precopy-ssh-gated
moves web "$B4" --via "$B4" --strategy precopy-tcp-held

it "and to an IPv6 address"
guest hostA web --write-log
moves web "$B6" --via "$B6" --strategy precopy-tcp-gated
moves web "$B6" --via "$B6" --strategy precopy-tls-gated

deep "copied disks go there too"
for channel in tls ssh; do
    guest hostA copied --disk local:raw --fill 24 --write-log
    exits 0 by_second hostA $((40 << 20)) ferry hostA migrate copied hostB --allow-cleartext --via "$B6" \
        --strategy "precopy-$channel-gated-copy"
    lives_on hostB copied
    lab rm copied
    old_images_gone hostA copied
done

deep "from a third machine the source sends it there"
guest hostA web --write-log
plain_shell hostA hostB
exits 0 prints ssh-gated by_second hostA $((20 << 20)) \
    ferry client -c qemu+ssh://hostA/system migrate web qemu+ssh://root@hostB/system --via "$B6"
lives_on hostB web

deep "of a network the address is the destination's own in it; where nobody tells, the move is refused"
guest hostA web --write-log
moves web "$B4" --via "$SECOND.0/24" --strategy precopy-tls-gated
moves web "$B6" --via "$SECOND6:/64" --strategy precopy-ssh-gated
exits 3 prints "no address of 'hostB' in network 192.0.2.0/24 is known" prints "--via ADDRESS" \
    ferry hostA plan web hostB --via 192.0.2.0/24
exits 3 prints 'known are' ferry hostA migrate web hostB --via 192.0.2.0/24
# By its URI no command runs there: its name is all that is known, and that leads to the first network.
exits 3 prints "known are $FIRST_B" ferry hostA plan web qemu+tcp://hostB/system --via "$SECOND.0/24"
lives_on hostA web

it "the configuration of a host says it for every move, and the command line for one"
guest hostA web --write-log
printf '[hosts]\nhostB.via = %s:/64\n' "$SECOND6" | settings hostA
finally no_settings hostA
moves web "$B6" --strategy precopy-tls-gated
moves web "$B4" --via "$B4" --strategy precopy-tls-gated

it "trust is asked of the network that is crossed: data's for data, control's for the definition"
guest hostA web --write-log
printf '[security]\ntrusted_networks = %s.0/24\n' "$SECOND" | settings hostA
finally no_settings hostA
exits 3 prints "add $FIRST_B or its network" prints 'so does control' ferry hostA plan web qemu+tcp://hostB/system --via "$B4"
exits 0 prints 'that network is declared trusted' ferry hostA plan web hostB --via "$B4" --strategy precopy-ssh-clear-gated
is true sh -c "'$REPO/tests/lab/lab' on hostA virt-ferry --json plan web hostB --via $B4 |
    jq '.strategies[] | select(.id == \"precopy-ssh-clear-gated\") | .valid'"
is false sh -c "'$REPO/tests/lab/lab' on hostA virt-ferry --json plan web hostB --via $B6 |
    jq '.strategies[] | select(.id == \"precopy-ssh-clear-gated\") | .valid'"
exits 0 by_second hostA $((20 << 20)) ferry hostA migrate web hostB --via "$B4" --strategy precopy-ssh-clear-gated
lives_on hostB web

it "the certificate is held against the name that will be asked for"
guest hostA web --write-log
exits 0 prints 'refuses tls-qemu-name' ferry hostA plan web hostB --via "$B4" --tls-destination elsewhere.example
exits 0 prints 'refuses tls-qemu-name' ferry hostA plan web hostB --via "$B4" --tls-destination "$B4"
exits 0 lacks tls-qemu ferry hostA plan web hostB --via "$B4" --tls-destination hostB

deep "a port that is filtered on that network is told by that address, and an sshd that does not listen there too"
guest hostA web --write-log
on hostB nft 'table inet second { chain in { type filter hook input priority -10; iifname eth1 tcp dport { 22, 49152-49215 } drop; }; }'
finally on hostB nft delete table inet second
exits 3 prints "port 49215 of $B4" prints 'ssh-via-closed' ferry hostA plan web hostB --via "$B4"
exits 3 prints 'is refused' ferry hostA migrate web hostB --allow-cleartext --via "$B4" --strategy precopy-tls-gated
lives_on hostA web

it "a saved plan keeps the address"
guest hostA web --write-log
exits 0 ferry hostA plan -o /root/.cache/saved web hostB --via "$SECOND.0/24" --strategy precopy-tls-gated
exits 2 prints 'takes no other' ferry hostA migrate --plan /root/.cache/saved --via "$B6"
exits 0 by_second hostA $((20 << 20)) ferry hostA migrate --plan /root/.cache/saved
lives_on hostB web

it "an address of another host is refused"
guest hostA web --write-log
exits 0 prints 'data-address-elsewhere (tls)' prints "$SECOND.10 is no address of 'hostB'" ferry hostA plan web hostB --via "$SECOND.10" --allow-cleartext
exits 3 prints 'is refused' ferry hostA migrate web hostB --via "$SECOND.10" --strategy precopy-tls-gated
lives_on hostA web

it "what could be no address of another host is refused before any is asked"
for word in hostB 127.0.0.1 ::1 fe80::5 10.9.0.5/16 -oProxyCommand=x '10.9.0.5 '; do
    exits 2 prints "of option '--via'" ferry hostA plan web hostB --via "$word"
done
