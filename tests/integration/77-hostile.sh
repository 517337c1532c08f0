#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck source-path=SCRIPTDIR
# lab: --tls
# Destinations that are not what they should be: names that lead elsewhere first, servers that say nothing or anything.
# Each is told in bounded time, nothing of it reaches the terminal raw, the guest stays, and nothing of ours is left.
# shellcheck disable=SC2317  # cases call what is defined before them
. "$(dirname "$0")/lib.sh"

NET=10.$((100 + LAB_ID)).0
OTHER=$NET.200 # a second address of hostB
SILENT=2200 HOSTILE=2201 # ports

# "two" is hostB by two addresses, the other one first, for whoever asks on hostA; until the case ends.
name_of_two() {
    on hostB ip address add "$OTHER/16" dev br0
    finally on hostB ip address delete "$OTHER/16" dev br0
    on hostA cp /etc/hosts /run/hosts.before
    finally on hostA sh -c 'cat /run/hosts.before >/etc/hosts; rm /run/hosts.before'
    on hostA sh -c "printf '%s two\n' $OTHER $NET.11 >>/etc/hosts"
    # By ssh it is known, as hostB is.
    on hostA cp /root/.ssh/known_hosts /run/known_hosts.before
    finally on hostA mv /run/known_hosts.before /root/.ssh/known_hosts
    on hostA sh -c "echo 'two,$OTHER $(cut -d' ' -f1,2 "$STATE/keys/hostB.pub")' >>/root/.ssh/known_hosts"
}
at_other() { # RULE for what comes to the other address
    on hostB nft "table inet two { chain in { type filter hook input priority -10; ip daddr $OTHER $1; }; }"
    finally on hostB nft delete table inet two
}
# libvirt listens at the other address too, but the first who knocks, which is the look, is refused and goes on.
first_look_refused() {
    on hostB nft "table ip two { chain pre { type nat hook prerouting priority -100
        ip daddr $OTHER tcp dport 16509 numgen inc mod 1000 < 1 dnat to $NET.11:1
        ip daddr $OTHER tcp dport 16509 dnat to $NET.11:16509; }; }"
}
# Accepts on hostB, says TEXT (as perl has it), and nothing more.
serve() { # PORT TEXT
    # shellcheck disable=SC2016
    "$REPO/tests/lab/lab" on hostB perl -MIO::Socket::INET -e '
        $SIG{PIPE} = "IGNORE"; $s = IO::Socket::INET->new(LocalPort => shift, Listen => 9, ReuseAddr => 1) or die;
        $text = eval qq("$ARGV[0]"); while ($c = $s->accept) { push @all, $c; $c->autoflush; print $c $text; }' \
        "$1" "$2" >/dev/null 2>&1 </dev/null &
    finally kill $!
    await 10 on hostA bash -c ": <>/dev/tcp/hostB/$1"
}
asked() { # KIND PORT
    ferry hostA plan --allow-cleartext web "qemu+$1://hostB:$2/system" >"$WORK/said-$1-$2" 2>&1
    echo "exit $?" >>"$WORK/said-$1-$2"
}
all_asked() { # both, each way, all at once
    local kind port pids=()
    for kind in ssh tls tcp; do
        for port in $SILENT $HOSTILE; do
            asked "$kind" "$port" &
            pids+=($!)
        done
    done
    wait "${pids[@]}"
}
left_of_ssh() {
    local pid here
    here=$(readlink "/proc/$(<"$STATE/machines/hostA/pid")/ns/net")
    find "$STATE/machines/hostA/run/virt-ferry" -mindepth 1 2>/dev/null || true
    for pid in $(pgrep -x ssh || true); do
        [ "$(readlink "/proc/$pid/ns/net")" != "$here" ] || echo "ssh $pid"
    done
}
raw() { grep -c "[$(printf '\001-\010\013-\037')]" "$@" || true; }

it "a name whose first address is dead: libvirt would wait for it, so that is said, and the move goes by ssh"
guest hostA web --write-log
name_of_two
at_other drop
exits 0 prints 'notes tcp-address-silent (two)' prints 'notes tls-address-silent (two)' \
    prints "name 'two' leads to $OTHER first, which does not answer" prints "qemu+tls://$NET.11/system" \
    ferry hostA plan web two
within 8 exits 4 prints 'libvirt would wait for the first' ferry hostA plan web qemu+tls://two/system
exits 0 prints 'by postcopy-ssh-gated' ferry hostA migrate web qemu+ssh://two/system
lives_on hostB web
is_empty left_of_ssh

it "trust is of the address that libvirt came to, not of the one that was looked at"
guest hostA web --write-log
name_of_two
printf '[security]\ntrusted_networks = %s.11/32\n' "$NET" | on hostA sh -c 'cat >/etc/virt-ferry.conf'
finally on hostA sh -c ': >/etc/virt-ferry.conf'
first_look_refused
finally on hostB nft delete table ip two
exits 1 prints "in the clear to $OTHER, which is in no trusted network" ferry hostA migrate web qemu+tcp://two/system
lives_on hostA web
# Now the look sees what libvirt will see.
exits 3 prints 'in the clear' ferry hostA plan web qemu+tcp://two/system
# Peer to peer libvirt at the source is given the address itself.
on hostB nft delete table ip two
first_look_refused
exits 0 prints 'held-p2p' ferry hostA migrate --p2p web qemu+tcp://two/system
lives_on hostB web

it "servers that accept and say nothing, or anything: each way ends in time, and nothing raw reaches the terminal"
guest hostA web --write-log
serve "$SILENT" ''
serve "$HOSTILE" '\e[2J\e]0;owned\a\r\nSSH-2.0-\e[31mEvil\e[0m\r\n\x00\x00\xff\xff'
within 14 all_asked
for said in "$WORK"/said-*; do
    prints 'exit 4' cat "$said"
    is 0 raw "$said"
done
prints 'did not answer by ssh within 5 s' cat "$WORK/said-ssh-$SILENT"
prints "accepts connections to port $SILENT and does not answer" cat "$WORK/said-tls-$SILENT"
prints 'did not answer within' cat "$WORK/said-tcp-$SILENT"
prints 'does not speak TLS' cat "$WORK/said-tls-$HOSTILE"
lives_on hostA web
is_empty left_of_ssh
