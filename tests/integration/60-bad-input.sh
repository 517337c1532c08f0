#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2317,SC2016  # cases call what is defined before them; names hold what looks like commands
# What is wrong, hostile or silent is told clearly and soon, with what to do, and nothing changes by it.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$(readlink -f "$0")")/lib.sh"

PORT=16600
ESCAPE=$'\e'

# A domain without disks that costs next to nothing, under a name that the lab would not give.
odd_domain() { # NAME [NAME-as-given]: the first as XML has it
    cat >"$WORK/odd.xml" <<END
<domain type='qemu'>
  <name>$1</name>
  <memory unit='MiB'>32</memory>
  <os><type arch='x86_64' machine='q35'>hvm</type></os>
  <devices><emulator>/usr/bin/qemu-system-x86_64</emulator></devices>
</domain>
END
    on hostA virsh -q define "$WORK/odd.xml"
    on hostA virsh -q start -- "${2:-$1}"
}
odd_domain_gone() { # NAME
    local host
    for host in hostA hostB; do
        on "$host" virsh -q destroy -- "$1" >/dev/null 2>&1 || true
        on "$host" virsh -q undefine -- "$1" >/dev/null 2>&1 || true
    done
}

# What was asked of which worker before the first of those answers came, out of a trace.
asked_at_once() { # FILE VERB
    sed "/answer: .* $2:/q" "$1" | grep -c "ask: .* $2\$"
}

silent_listener() { on hostB timeout 60 busybox nc -ll -p "$PORT" -e sleep 60; }
listens() { on hostB bash -c ": <>/dev/tcp/127.0.0.1/$PORT" 2>/dev/null; }

survey() { timeout 20 "$VIRT_FERRY_BUILD/virt-ferry" survey --domain-xml "$1"; }

hundred_disks() {
    local i
    echo "<domain type='kvm'><name>hundred</name><memory>1</memory><os><type>hvm</type></os><devices>"
    for ((i = 0; i < 100; i++)); do
        echo "<disk type='file' device='disk'><driver name='qemu' type='raw'/>" \
            "<source file='/images/$i.img'/><target dev='sd$i' bus='scsi'/></disk>"
    done
    echo '</devices></domain>'
}

it "a domain that is not there: which, where, and how to see those that are"
exits 1 prints "no domain 'nobody'" prints 'Fix:' prints 'list --all' ferry hostA plan nobody hostB
exits 1 prints "no domain 'nobody'" ferry hostA migrate nobody hostB --allow-cleartext

deep "a destination whose packets are lost is given up in 5 s"
guest hostA sound --write-log
lab link hostA hostB drop
finally lab link hostA hostB ok
within 8 exits 4 prints 'did not answer on port 16509' prints 'Fix:' ferry hostA plan sound hostB
within 8 exits 4 ferry hostA migrate sound hostB --allow-cleartext
lives_on hostA sound

it "a destination that accepts and says nothing is given up in 5 s"
guest hostA sound --write-log
silent_listener &
listener=$!
finally kill "$listener"
until listens; do sleep 0.1; done
within 8 exits 4 prints 'libvirt did not answer within' prints 'Fix:' \
    ferry hostA plan sound "qemu+tcp://hostB:$PORT/system"
within 8 exits 4 ferry hostA migrate sound "qemu+tcp://hostB:$PORT/system" --allow-cleartext
lives_on hostA sound

it "a destination whose libvirtd is stopped is given up in 5 s"
guest hostA sound --write-log
lab libvirtd hostB stop
finally lab libvirtd hostB cont
within 8 exits 4 prints 'accepts connections and does not answer' prints 'stopped' ferry hostA plan sound hostB
within 8 exits 4 prints 'libvirt did not answer within' prints 'running and not stopped' \
    ferry hostA plan sound qemu+tcp://hostB/system
within 8 exits 4 ferry hostA migrate sound hostB --allow-cleartext
is hostA lab runners sound

it "by a host's name nothing is waited for beyond 2 s where packets are lost, from the source and from elsewhere"
guest hostA sound --write-log
echo "table inet walled { chain in { type filter hook input priority 0; iif != lo drop; }; }" |
    timeout 20 "$REPO/tests/lab/lab" on hostB nft -f -
finally on hostB nft delete table inet walled
within 4 exits 4 prints 'did not answer by ssh within 2 s' prints 'did not answer on port 16509 within 2 s' \
    ferry hostA plan sound hostB
within 4 exits 4 prints 'within 2 s' ferry hostA check hostB
within 5 exits 4 prints 'within 2 s' ferry client -c qemu+ssh://hostA/system plan sound hostB
lives_on hostA sound

it "by a host's name nothing is waited for beyond 2 s where everybody accepts and is silent, all asked at once"
guest hostA sound --write-log
lab libvirtd hostB stop
finally lab libvirtd hostB cont
within 4 exits 4 prints 'accepts connections and does not answer' prints 'does not answer as libvirt does within 2 s' \
    ferry hostA plan sound hostB
on hostB sh -c 'kill -STOP $(cat /run/sshd.pid)'
finally on hostB sh -c 'kill -CONT $(cat /run/sshd.pid)'
within 4 exits 4 prints 'did not answer by ssh within 2 s' prints 'does not answer as libvirt does within 2 s' \
    ferry hostA plan sound hostB
on hostA env VIRT_FERRY_TRACE=/run/trace virt-ferry plan sound hostB || true
finally on hostA rm -f /run/trace
on hostA cat /run/trace >"$WORK/trace"
is 2 asked_at_once "$WORK/trace" probe
grep -q "ask: .* way-open" <(sed "/ask: .* probe\$/q" "$WORK/trace")
is hostA lab runners sound

it "one service that is silent leaves the others"
guest hostA sound --write-log
on hostB sh -c 'kill -STOP $(cat /run/sshd.pid)'
finally on hostB sh -c 'kill -CONT $(cat /run/sshd.pid)'
within 5 exits 0 prints 'notes ssh-timeout' ferry hostA plan sound hostB --allow-cleartext
is hostA lab runners sound

it "Ctrl-C while a host is silent ends at once, and nothing stays"
guest hostA sound --write-log
lab libvirtd hostB stop
finally lab libvirtd hostB cont
for command in plan migrate; do
    within 4 exits 5 prints 'cancelled' lab on hostA timeout --preserve-status -s INT 1.5 \
        virt-ferry "$command" sound hostB --allow-cleartext
done
is hostA lab runners sound

it "a destination without libvirtd, and one without a name"
guest hostA sound --write-log
within 3 exits 4 prints 'refuses connections to port 16510' prints 'Fix:' \
    ferry hostA plan sound qemu+tcp://hostB:16510/system
exits 4 prints "host name 'nowhere.invalid' could not be resolved" prints 'Fix:' \
    ferry hostA migrate sound nowhere.invalid --allow-cleartext
exits 4 prints 'Fix:' ferry hostA -c qemu+unix:///system?socket=/nowhere plan sound hostB
lives_on hostA sound

it "a destination that is the source is refused"
guest hostA sound --write-log
exits 3 prints 'Fix:' ferry hostA migrate sound hostA --allow-cleartext
lives_on hostA sound

it "a host name that would be an option of another program is refused before anything is run"
guest hostA sound --write-log
for name in '-oProxyCommand=touch /srv/shared/pwned' 'qemu+ssh://-oProxyCommand=touch%20x/system' \
    'qemu+tcp://-x@hostB/system' 'host;touch /srv/shared/pwned' '$(touch /srv/shared/pwned)' ''; do
    exits 2 prints 'virt-ferry:' ferry hostA plan -- sound "$name"
    exits 2 ferry hostA migrate -- sound "$name"
done
exits 2 ferry hostA -c '-oProxyCommand=touch /srv/shared/pwned' plan sound hostB
is_empty on hostA find /srv/shared -name pwned
lives_on hostA sound

it "what is no command, no option, or one operand short is told with what there is"
exits 2 prints "Did you mean 'plan'?" ferry hostA plna sound hostB
exits 2 prints 'Fix:' ferry hostA plan sound
exits 2 prints 'Fix:' ferry hostA migrate sound hostB --allow-cleartex
exits 2 prints 'Fix:' ferry hostA migrate sound hostB --timeout soon

it "bytes that would steer a terminal never reach one"
red=${ESCAPE}[31mred
exits 2 prints '\x1b[31mred' lacks "$ESCAPE" ferry hostA plan "$red" hostB
exits 2 prints '31mred' lacks "$ESCAPE" ferry hostA plan sound "$red"
exits 2 prints '31mred' lacks "$ESCAPE" ferry hostA "$red"
exits 2 prints '31mred' lacks "$ESCAPE" ferry hostA plan sound hostB "--$red"
exits 2 prints '31mred' lacks "$ESCAPE" ferry hostA --json plan "$red" hostB
printf '<domain type="kvm"><name>x&#155;31m</name></domain>' >"$WORK/odd.xml"
lacks $'\xc2\x9b' survey "$WORK/odd.xml" || true

it "a domain whose name is a command of the shell moves, and is no command"
name='$(touch pwned);`touch pwned`&&x'
odd_domain "${name//&/&amp;}" "$name"
finally odd_domain_gone "$name"
cd "$WORK"
ferry hostA migrate "$name" hostB --allow-cleartext
is running on hostB virsh -q domstate "$name"
lacks touch on hostA virsh -q list --all --name
[ ! -e "$WORK/pwned" ]

it "a domain whose name begins with a dash moves, behind two dashes"
odd_domain '-name'
finally odd_domain_gone '-name'
exits 2 ferry hostA migrate -name hostB --allow-cleartext
ferry hostA migrate --allow-cleartext -- -name hostB
is running on hostB virsh -q domstate -- -name

it "a domain of a hundred disks is read"
hundred_disks >"$WORK/hundred.xml"
survey "$WORK/hundred.xml" | jq -e '.domain.disks | length == 100'

it "XML with a document type, with entities, without an end, or without a domain is refused"
printf '<!DOCTYPE domain SYSTEM "http://hostB/x.dtd"><domain type="kvm"><name>x</name></domain>' >"$WORK/bad.xml"
exits 1 prints 'virt-ferry:' prints 'bad.xml' survey "$WORK/bad.xml"
printf '<!DOCTYPE d [<!ENTITY e SYSTEM "file:///etc/hostname">]><domain type="kvm"><name>&e;</name></domain>' \
    >"$WORK/bad.xml"
exits 1 lacks "$(hostname)" survey "$WORK/bad.xml"
printf '<domain type="kvm"><name>x' >"$WORK/bad.xml"
exits 1 survey "$WORK/bad.xml"
printf '<pool><name>x</name></pool>' >"$WORK/bad.xml"
exits 1 survey "$WORK/bad.xml"
exits 1 survey "$WORK/nothing.xml"
exits 1 survey /

it "settings that cannot be read stop the command, with file and line"
guest hostA sound --write-log
printf '[security]\ntrusted_networks = anywhere\n' | on hostA tee /etc/virt-ferry.conf
finally on hostA cp /dev/null /etc/virt-ferry.conf
exits 2 prints '/etc/virt-ferry.conf:2' prints 'Fix:' ferry hostA plan sound hostB
printf '[security\n' | on hostA tee /etc/virt-ferry.conf
exits 2 prints '/etc/virt-ferry.conf:1' ferry hostA migrate sound hostB --allow-cleartext
printf '[securty]\ntrusted_networks = 10.0.0.0/8\n' | on hostA tee /etc/virt-ferry.conf
exits 2 prints "security" ferry hostA migrate sound hostB --allow-cleartext
lives_on hostA sound

it "settings that are a folder stop the command"
guest hostA sound --write-log
on hostA mkdir /root/.config/virt-ferry.conf
finally on hostA rmdir /root/.config/virt-ferry.conf
exits 2 prints '/root/.config/virt-ferry.conf' ferry hostA migrate sound hostB --allow-cleartext
lives_on hostA sound
