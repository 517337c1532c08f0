#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck source-path=SCRIPTDIR
# Hosts reached by ssh: moves in both directions and from a third machine, nothing of ssh left whatever ends
# the run, and each thing that can stand in the way told by its own name.
# shellcheck disable=SC2086,SC2317  # options that are several words; functions that cases call
. "$(dirname "$0")/lib.sh"

SLOWLY='--bandwidth 8MiB/s'
MIGRATE='migrate --allow-cleartext'
PLAN='plan --allow-cleartext'

quietly() { "$@" >/dev/null 2>&1 || true; }

# ssh of ours in any machine of this lab, programs of its plugin, and sockets that they made.
ssh_left() {
    local machine pid namespaces=' '
    for machine in client $(hosts); do
        namespaces+="$(readlink "/proc/$(<"$STATE/machines/$machine/pid")/ns/net") "
        find "$STATE/machines/$machine/run/virt-ferry" -mindepth 1 2>/dev/null || true
    done
    for pid in $(pgrep -x ssh; pgrep ^transport-ssh; true); do
        [[ $namespaces != *" $(readlink "/proc/$pid/ns/net" || echo none) "* ]] || echo "$(<"/proc/$pid/comm") $pid"
    done
}
nothing_of_ssh() { [ -z "$(ssh_left)" ]; }

sshd_end() { # HOST
    # shellcheck disable=SC2016
    quietly on "$1" sh -c 'kill "$(cat /run/sshd.pid)" && while kill -0 "$(cat /run/sshd.pid)"; do sleep 0.05; done'
}
sshd_start() { # HOST [LINE…]: these lines come before its own, and the first one counts
    local file=$STATE/machines/$1/sshd_config.test
    { printf '%s\n' "${@:2}"; cat "$STATE/machines/$1/sshd_config"; } >"$file"
    on "$1" /usr/sbin/sshd -f "$file" -E /var/log/sshd.log
}
sshd_again() { # HOST [LINE…]
    sshd_end "$1"
    sshd_start "$@"
}
aside() { # HOST FILE: moved away until the case ends
    on "$1" mv "$2" "$2.aside"
    finally on "$1" mv "$2.aside" "$2"
}
shows_key_of() { # HOST: what it shows is this host's own key, whose fingerprint is in the message
    stands_in_the_way ssh-key-not-known "$(ssh-keygen -lf "$STATE/keys/$1.pub" | cut -d' ' -f2)"
}
accept_as_told() { # HOST FILE: runs the command that stands in the message
    on "$1" sh -c "$(grep -o "echo '.*known_hosts" "$2")"
}
know_wrong_key() { # HOST: hostB is known by another host's key
    on "$1" sh -c "echo 'hostB $(cut -d' ' -f1,2 "$STATE/keys/hostA.pub")' >/root/.ssh/known_hosts"
}
# What a user may have for ssh by hand: forwards that cannot be made here (sshd has that port), sessions without a command.
wayward() { # HOST…
    local host
    for host; do
        finally on "$host" rm -f /root/.ssh/config
        printf '%s\n' 'Host *' 'LocalForward 127.0.0.1:22 127.0.0.1:9' 'RemoteForward 127.0.0.1:22 127.0.0.1:9' \
            'ExitOnForwardFailure yes' 'ForkAfterAuthentication yes' 'StdinNull yes' 'SessionType none' |
            on "$host" sh -c 'test ! -e /root/.ssh/config && cat >/root/.ssh/config'
    done
}
one_runner() { [ "$(lab runners "$1" | wc -l)" = 1 ] || complain "runners: $(lab runners "$1")"; }

# virt-ferry on hostA with an ssh that writes down the words of its masters, and of what else it is run for.
SEEN=/run/ssh-seen
see_ssh() {
    finally on hostA rm -r $SEEN
    # shellcheck disable=SC2016
    on hostA sh -euc 'mkdir "$0"; printf "%s\n" "#!/bin/sh" "case \$* in *-M*) echo \$* >>$0/masters;; *-G*) ;; *) echo \$* >>$0/others;; esac" \
        "exec /usr/bin/ssh \"\$@\"" >"$0/ssh"; chmod 755 "$0/ssh"' $SEEN
}
seen_ferry() { # [NAME=VALUE…] -- WORD…
    local settings=()
    while [ "$1" != -- ]; do settings+=("$1"); shift; done
    shift
    on hostA rm -f $SEEN/masters $SEEN/others
    # shellcheck disable=SC2016
    on hostA env "${settings[@]}" sh -c 'PATH=$0:$PATH exec virt-ferry "$@"' $SEEN "$@"
}
masters_dialled() { # WORD…: yes or no, for each master
    local dialled
    dialled=$(on hostA sed 's/.*ProxyUseFdpass=yes.*/yes/; t; s/.*/no/' $SEEN/masters | xargs)
    [ "$dialled" = "$*" ] || complain "masters that were to be handed a socket: $dialled"
}
# A move that is in its login for the 5 s for which a host is waited for that says nothing: the last job.
log_in_to_silence() {
    guest hostA web --write-log
    lab link hostA hostB drop
    finally lab link hostA hostB ok
    FERRY_SECONDS=20 ferry hostA migrate --allow-cleartext web qemu+ssh://hostB/system >"$WORK/first" 2>&1 &
    await 3 is_marked hostA web || complain "the domain is not marked"
}
is_marked() { grep -q virt-ferry.dev/ns/run <<<"$(on "$1" virsh -q dumpxml "$2")"; } # HOST GUEST
# shellcheck disable=SC2016
connections_taken() { on hostB awk '/^Tcp: [0-9]/ { print $7 }' /proc/net/snmp; }

# By ssh alone it is why there is no way (exit 4); beside another channel it is a note with this id.
stands_in_the_way() { # ID TEXT
    exits 4 prints "$2" ferry hostA $PLAN web qemu+ssh://hostB/system
    prints "notes $1 (hostB)" ferry hostA $PLAN web hostB
    nothing_of_ssh
}

# ---- moves ----

it "by ssh a guest moves there and back, gated, and nothing of ssh stays"
guest hostA web --write-log
exits 0 prints 'ssh-gated' ferry hostA migrate web qemu+ssh://hostB/system
lives_on hostB web
is_empty ssh_left
exits 0 prints 'ssh-gated' ferry hostB migrate web qemu+ssh://root@hostA:22/system
lives_on hostA web
is_empty ssh_left

it "by its name alone a host is controlled through ssh, and the plan says what that protects"
guest hostA web --write-log
exits 0 prints 'ssh-gated' prints 'tcp-gated' prints 'Channel ssh: encrypted' ferry hostA $PLAN web hostB
exits 0 prints 'ssh-gated' ferry hostA migrate web hostB
lives_on hostB web
is_empty ssh_left

it "ssh is handed a connected socket, but where its configuration says how to connect"
guest hostA web --write-log
see_ssh
taken=$(connections_taken)
exits 0 seen_ferry -- $PLAN web qemu+ssh://hostB/system
masters_dialled yes
[ $(($(connections_taken) - taken)) = 1 ] || complain "sshd was connected to $(($(connections_taken) - taken)) times"
exits 0 seen_ferry SHELL=/bin/false -- $PLAN web qemu+ssh://hostB/system
masters_dialled yes no
finally on hostA rm -f /root/.ssh/config
printf 'Host *\n  BindAddress %s\n' "$(address_of hostA)" | "$REPO/tests/lab/lab" on hostA tee /root/.ssh/config
taken=$(connections_taken)
exits 0 seen_ferry -- $PLAN web qemu+ssh://hostB/system
masters_dialled yes no
# The master's, and one to see how far it is for each of two channels: the first ssh was told of no host.
[ $(($(connections_taken) - taken)) = 3 ] || complain "sshd was connected to $(($(connections_taken) - taken)) times"
nothing_of_ssh

it "commands are run there without another ssh, and by ssh where the program for that is not there"
guest hostA web --write-log
see_ssh
kernel_there() { seen_ferry "$@" survey web qemu+ssh://hostB/system 2>/dev/null | jq -r .dest.kernel_release; }
is "$(uname -r)" kernel_there --
is_empty on hostA sh -c "cat $SEEN/others 2>/dev/null || true"
# The plugins alone, without what stands beside them.
# shellcheck disable=SC2016
on hostA sh -euc 'mkdir "$0/plugins"; cp "$1"/*.so "$0/plugins"' $SEEN "$VIRT_FERRY_BUILD/plugins"
is "$(uname -r)" kernel_there VIRT_FERRY_PLUGIN_PATH=$SEEN/plugins --
masters_dialled no
on hostA grep -q ' -S .* hostB ' $SEEN/others
nothing_of_ssh

it "data in the clear is refused by ssh as by any other channel"
guest hostA web --write-log
exits 3 prints 'is refused' ferry hostA migrate --strategy precopy-ssh-clear-gated web qemu+ssh://hostB/system
lives_on hostA web

it "from a third machine by ssh the hand-over is gated, not held"
guest hostA web --write-log
plain_shell hostA
exits 0 prints 'by postcopy-ssh-gated' ferry client -c qemu+ssh://root@hostA/system migrate web qemu+ssh://hostB/system
lives_on hostB web
is_empty ssh_left

it "with a source behind ssh the address for data is tried from there"
guest hostA web --write-log
plain_shell hostA
exits 0 lacks 'address-not-checked' ferry client -c qemu+ssh://hostA/system $PLAN web qemu+tcp://hostB/system

it "where the source runs no commands the address is said not to be checked, and the guest can move"
guest hostA web --write-log
finally sshd_again hostA
sshd_again hostA 'ForceCommand exit 1'
exits 0 prints 'address-not-checked' ferry client -c qemu+ssh://hostA/system $PLAN web qemu+tcp://hostB/system

deep "the gate holds for a source behind ssh: killing the destination's libvirtd never leaves two runners"
guest hostA web --write-log
plain_shell hostA hostB
kill_at_resume hostB
ferry client -c qemu+ssh://hostA/system $MIGRATE web qemu+ssh://hostB/system || true
one_runner web
lab libvirtd hostB start || true
exits 0 ferry client -c qemu+ssh://hostA/system $MIGRATE web qemu+ssh://hostB/system
lives_on hostB web
is_empty ssh_left

# ---- the end of a run ----

it "kill -9 of virt-ferry leaves no ssh and no socket, and the next run settles"
guest hostA web --write-log
"$REPO/tests/lab/lab" on hostA virt-ferry $MIGRATE $SLOWLY web qemu+ssh://hostB/system >"$WORK/said" 2>&1 &
run=$!
await 60 grep -q pre-copy "$WORK/said"
exits 1 nothing_of_ssh
kill -9 "$run"
await 5 nothing_of_ssh
is_empty ssh_left
exits 0 ferry hostA $MIGRATE web qemu+ssh://hostB/system
lives_on hostB web

it "Ctrl-C leaves no ssh and no socket"
guest hostA web --write-log
# One signal: timeout gives its own group another, and a second Ctrl-C does not wait for what the first one began.
: >"$WORK/ferry-ran"
lab on hostA timeout --foreground -s INT 4 virt-ferry $MIGRATE $SLOWLY web qemu+ssh://hostB/system || true
lives_on hostA web
is_empty ssh_left

# ---- what can stand in the way ----

it "what a user's ssh forwards, and how its sessions are, is not ours: by one ssh, and by several"
guest hostA web --write-log
wayward hostA
exits 0 prints 'ssh-gated-x2' ferry hostA migrate --strategy precopy-ssh-gated-x2 web hostB
lives_on hostB web
await 5 nothing_of_ssh

deep "nor is it from a third machine, or of the ssh that the source starts"
guest hostA web --write-log
wayward hostA client
plain_shell hostA hostB
exits 0 prints 'ssh-gated' ferry client -c qemu+ssh://hostA/system migrate --strategy precopy-ssh-gated web hostB
lives_on hostB web
await 5 nothing_of_ssh

it "a host key that is not known is shown with its fingerprint and the command that accepts it"
guest hostA web --write-log
aside hostA /root/.ssh/known_hosts
shows_key_of hostB
exits 4 ferry hostA $PLAN web qemu+ssh://hostB/system >"$WORK/said" 2>&1
accept_as_told hostA "$WORK/said"
exits 0 ferry hostA $PLAN web qemu+ssh://hostB/system

it "a host key that changed is no reason to accept another"
guest hostA web --write-log
aside hostA /root/.ssh/known_hosts
know_wrong_key hostA
stands_in_the_way ssh-key-changed 'is another than the one that is known here'

it "a key that is refused is told from a user that is"
guest hostA web --write-log
exits 4 prints "user 'nosuch' cannot log in on 'hostB'" ferry hostA plan web qemu+ssh://nosuch@hostB/system
aside hostB /root/.ssh/authorized_keys
stands_in_the_way ssh-key-refused "accepts none of our keys for user 'root'"

it "a host that forbids forwarding is asked, and says so"
guest hostA web --write-log
plain_shell hostB
finally sshd_again hostB
sshd_again hostB 'AllowStreamLocalForwarding no'
stands_in_the_way ssh-forwarding-forbidden 'forbids forwarding'

it "a host whose libvirt is down is not taken for one that forbids"
guest hostA web --write-log
plain_shell hostB
lab libvirtd hostB kill
finally lab libvirtd hostB start
exits 4 prints 'no libvirt listens' ferry hostA plan web qemu+ssh://hostB/system

it "a libvirt that is stopped is told after seconds, not never"
guest hostA web --write-log
lab libvirtd hostB stop
finally lab libvirtd hostB cont
within 12 exits 4 prints 'does not answer' ferry hostA plan web qemu+ssh://hostB/system

it "a host that keeps silent is given up after 5 s"
guest hostA web --write-log
lab link hostA hostB drop
finally lab link hostA hostB ok
within 12 exits 4 prints 'did not answer by ssh within 5 s' ferry hostA plan web qemu+ssh://hostB/system

it "while a login is under way the domain is held, and no longer than that"
log_in_to_silence
within 3 exits 8 prints "holds domain 'web'" ferry hostA migrate --allow-cleartext web qemu+ssh://hostB/system
exits 4 wait $!
grep -q 'did not answer by ssh within 5 s' "$WORK/first" || complain "$(cat "$WORK/first")"
! is_marked hostA web || complain "the domain is marked still"
exits 0 prints 'No run is open' ferry hostA recover
lives_on hostA web

it "killed while a login is under way, the run is undone although the destination is silent still"
log_in_to_silence
on_machine pkill hostA -KILL -x virt-ferry
exits 137 wait $!
is_marked hostA web || complain "the mark went by itself"
within 20 exits 0 ferry hostA recover web
! is_marked hostA web || complain "the domain is marked still"
exits 0 prints 'No run is open' ferry hostA recover
lives_on hostA web
# The folder that its sockets were to lie in goes with the next way.
lab link hostA hostB ok
exits 0 ferry hostA $PLAN web qemu+ssh://hostB/system
is_empty ssh_left

it "a host without sshd is reached by another channel, and that is said"
guest hostA web --write-log
finally sshd_start hostB
sshd_end hostB
stands_in_the_way ssh-port-refused 'no sshd listens'

it "a machine without ssh says so"
guest hostA web --write-log
mkdir "$WORK/none"
exits 4 prints 'there is no ssh on this machine' lab on hostA env PATH="$VIRT_FERRY_BUILD" \
    virt-ferry plan web qemu+ssh://hostB/system

it "a name that is no host never reaches ssh"
guest hostA web --write-log
# shellcheck disable=SC2016
exits 2 ferry hostA plan web 'qemu+ssh://-oProxyCommand=touch${IFS}x/system'
exits 2 ferry hostA plan web 'qemu+ssh://-oProxyCommand=x@hostB/system'
exits 4 prints 'parameters are not understood' ferry hostA plan web 'qemu+ssh://hostB/system?command=/bin/x'
lab rm web
