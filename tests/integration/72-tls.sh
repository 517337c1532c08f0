#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck source-path=SCRIPTDIR
# lab: --tls
# Hosts reached by TLS: moves without a word of cleartext, with SASL and without, from the source and from a third
# machine; and each certificate, key, port and password that is wrong told by its own name, the guest where it was.
# shellcheck disable=SC2317  # cases call what is defined before them
. "$(dirname "$0")/lib.sh"

B=qemu+tls://hostB/system

spoil() { # MACHINE KIND libvirt|qemu
    lab certificate "$@"
    finally lab certificate "$1" good "$3"
}
ask_for() { # HOST tls|tcp: it asks for SASL until the case ends
    lab auth "$1" "$2" sasl
    finally lab auth "$1" "$2" none
}
password() { # MACHINE PASSWORD: for every host, until the case ends
    on "$1" mkdir -p /root/.config/libvirt
    printf '%s\n' '[credentials-lab]' authname=ferry "password=$2" '[auth-libvirt-hostA]' credentials=lab \
        '[auth-libvirt-hostB]' credentials=lab | on "$1" sh -c 'umask 077; cat >/root/.config/libvirt/auth.conf'
    finally on "$1" rm -f /root/.config/libvirt/auth.conf
}
# Refused before anything is done: by the driver (4), or by the plan (3).
stands_in_the_way() { # CODE ID TEXT HOST DEST
    exits "$1" prints "$3" ferry "$4" migrate web "$5"
    [ "$1" = 4 ] || exits 3 prints "refuses $2 " ferry "$4" plan web "$5"
    lives_on hostA web
}

at_terminal() { # PASSWORD; what is typed before the question is not taken
    : >"$WORK/terminal"
    (await 20 grep -q 'User for' "$WORK/terminal" && sleep 0.3 && echo ferry &&
        await 20 grep -q Password "$WORK/terminal" && sleep 0.3 && echo "$1") | script -qefc \
        "timeout --foreground 30 '$REPO/tests/lab/lab' on hostA virt-ferry migrate web '$B'" "$WORK/terminal"
}

# By a host's name ssh is left where TLS is not.
tls_stands_refused() { # ID TEXT
    exits 0 prints "refuses $1 " prints "$2" ferry hostA plan web hostB
    exits 3 prints 'is refused' ferry hostA migrate --strategy precopy-tls-gated web hostB
    lives_on hostA web
}

# The first connection is QEMU's stream, the others have the memory. COUNT may be there for a moment only.
carried_by() { # COUNT HOST
    await 5 is "$1" connections "$2"
}
connections() { on "$1" ss -Htn state established 'sport >= :49152 and sport <= :49215' | wc -l; }
journal_says() { # TEXT HOST: the newest one
    # shellcheck disable=SC2012,SC2016  # expanded on the host; names of journals are plain
    on "$2" sh -c 'grep -qF -- "$0" "$(ls -t /var/lib/virt-ferry/runs/*.journal | head -1)"' "$1"
}

# ---- moves ----

it "by tls a guest moves there, and by the host's name back, encrypted, and nobody has to allow it"
guest hostA web --write-log
exits 0 prints 'tls-gated' lacks 'in the clear' ferry hostA migrate web "$B"
lives_on hostB web
exits 0 prints 'tls-gated' ferry hostB migrate --strategy precopy-tls-gated web hostA
lives_on hostA web

it "memory goes by two connections over TLS, and back over TCP, where that is asked for"
guest hostA web --write-log
during precopy carried_by 3 hostB
exits 0 prints 'precopy-tls-gated-x2' ferry hostA migrate --connections 2 --bandwidth 64MiB/s web "$B"
lives_on hostB web
journal_says '"connections":2' hostA
during precopy carried_by 3 hostA
exits 0 prints 'precopy-tcp-gated-x2' ferry hostB migrate --allow-cleartext --strategy precopy-tcp-gated-x2 \
    --bandwidth 64MiB/s web hostA
lives_on hostA web
exits 0 prints '"tls x2"' ferry hostA --json history

it "several connections go with no post-copy, and their number is one that QEMU takes"
guest hostA web --write-log
exits 0 prints 'refuses connections-postcopy' prints 'by 3 connections' \
    lacks 'tls-gated ' ferry hostA plan --connections 3 web hostB
exits 3 prints 'is refused' ferry hostA migrate --strategy postcopy-tls-gated-x3 web "$B"
for number in 0 256 two -1; do
    exits 2 prints "'--connections'" ferry hostA plan --connections "$number" web "$B"
done
exits 2 prints 'is one of 2 connections' ferry hostA migrate --connections 3 --strategy precopy-tls-gated-x2 web "$B"
lives_on hostA web

it "by its name alone a host is reached by all that there is, and each channel says what it protects"
guest hostA web --write-log
exits 0 prints 'Channel ssh: encrypted' prints 'Channel tls: encrypted' prints 'Channel tcp: in the clear' \
    prints 'warns tcp-anyone-is-root' lacks tls-qemu ferry hostA plan web hostB

it "nothing of the guest's memory and disks is seen on the wire by tls, with SASL and without"
guest hostA sealed --disk shared:raw,local:raw --dirty 32,10 --write-log
is '0 0 much' seen hostB ferry hostA migrate sealed "$B"
lives_on hostB sealed
on hostA sh -c 'rm -f /var/lib/libvirt/images/sealed-*; virsh -q pool-refresh default'
for machine in hostA hostB; do
    ask_for "$machine" tls
    password "$machine" across-the-river
done
is '0 0 much' seen hostA ferry hostB migrate sealed qemu+tls://hostA/system
lives_on hostA sealed
lab rm sealed

it "copied disks travel by tls, and never with post-copy"
guest hostA copied --disk local,shared --fill 16 --write-log
exits 0 prints 'tls-copy-postcopy' ferry hostA plan copied "$B"
exits 0 prints 'tls-gated-mixed' ferry hostA migrate copied "$B"
lives_on hostB copied
lab rm copied

deep "from a third machine, with both hosts by tls, the hand-over is held"
guest hostA web --write-log
exits 0 prints 'tls-held' prints 'notes tls-qemu-not-checked' ferry client -c qemu+tls://hostA/system plan web "$B"
exits 0 prints 'tls-held' ferry client -c qemu+tls://hostA/system migrate web "$B"
lives_on hostB web

deep "a certificate without the address is met by its name, for memory and for disks"
guest hostA named --disk local --fill 16 --write-log
spoil hostB no-address qemu
spoil hostB no-address libvirt
is '{"name":"tls.destination","value":"hostB"}' sh -c \
    "'$REPO/tests/lab/lab' on hostA virt-ferry survey named '$B' | jq -c '.channels[0].parameters[1]'"
exits 0 ferry hostA migrate named "$B"
lives_on hostB named
lab rm named

deep "the name in the certificate can be given, and a wrong one is refused before anything moves"
guest hostA web --write-log
exits 0 prints 'refuses tls-qemu-name' ferry hostA plan web hostB --tls-destination elsewhere.example
exits 3 prints 'is refused' ferry hostA migrate --strategy precopy-tls-gated web hostB --tls-destination elsewhere.example
exits 2 ferry hostA plan web hostB --tls-destination '-oProxyCommand=x'
spoil hostB nameless qemu
exits 0 ferry hostA migrate --strategy precopy-tls-gated web hostB --tls-destination elsewhere.example
lives_on hostB web

# ---- who connects ----

deep "with SASL over tls a guest moves by the password of libvirt's own file, and from a third machine"
guest hostA web --write-log
ask_for hostB tls
ask_for hostA tls
password hostA across-the-river
password client across-the-river
exits 0 prints 'tls-gated' ferry hostA migrate web "$B"
lives_on hostB web
exits 0 prints 'tls-held' ferry client -c "$B" migrate web qemu+tls://hostA/system
lives_on hostA web

it "without a password, and with a wrong one, SASL says so at once, and never prints it"
guest hostA web --write-log
ask_for hostB tls
stands_in_the_way 4 sasl-no-credentials 'asks for a user and a password (SASL: SCRAM-SHA-256)' hostA "$B"
password hostA down-the-drain
within 8 exits 4 prints 'user or password' lacks down-the-drain ferry hostA migrate web "$B"
lives_on hostA web

it "on a terminal the user and the password are asked for, once, and shown nowhere"
guest hostA web --write-log
ask_for hostB tls
exits 4 prints "User for libvirt on 'hostB'" prints 'our user or password' lacks down-the-drain at_terminal down-the-drain
lives_on hostA web
exits 0 prints 'tls-gated' lacks across-the-river at_terminal across-the-river
lives_on hostB web

it "a run that died once libvirt had let it in by a password is settled by the next, which asks for that once"
grep -qs VIRT_FERRY_FAULT "$VIRT_FERRY_BUILD/virt-ferry" || skip "this build has no fault points"
guest hostA web --write-log
ask_for hostB tls
password hostA across-the-river
# libvirt was about to be asked: what became of the guest, both hosts must tell.
VIRT_FERRY_FAULT=kill:journal-migrate:1 exits 137 ferry hostA -q migrate web "$B"
on hostA rm /root/.config/libvirt/auth.conf
exits 0 prints "User for libvirt on 'hostB'" prints 'died; it is settled first' lacks across-the-river at_terminal across-the-river
is 1 grep -c 'User for' "$WORK/terminal"
lives_on hostB web

it "SASL on plain tcp: control is protected, data is not"
guest hostA web --write-log
ask_for hostB tcp
password hostA across-the-river
exits 3 prints 'in the clear' lacks tcp-anyone-is-root ferry hostA plan web qemu+tcp://hostB/system
exits 0 ferry hostA migrate web qemu+tcp://hostB/system --allow-cleartext
lives_on hostB web

# ---- what can stand in the way ----

it "libvirt's certificate is expired, of another CA, or of another name: each is told"
guest hostA web --write-log
for kind in expired foreign nameless; do
    spoil hostB "$kind" libvirt
    case $kind in
        expired) text='the certificate that libvirt on '"'hostB'"' shows expired on 2021-01-01' ;;
        foreign) text='was not signed by the CA that is trusted here' ;;
        nameless) text="does not bear the name 'hostB', but elsewhere.example" ;;
    esac
    stands_in_the_way 4 '' "$text" hostA "$B"
done
exits 0 prints 'notes tls-peer-name (hostB)' ferry hostA plan web hostB

it "our own certificate is expired, has no key, or is not there: each is told"
guest hostA web --write-log
spoil hostA expired libvirt
stands_in_the_way 4 '' "'/etc/pki/libvirt/clientcert.pem' on this machine expired on 2021-01-01" hostA "$B"
lab certificate hostA keyless libvirt
stands_in_the_way 4 '' "'/etc/pki/libvirt/private/clientkey.pem' on this machine cannot be used" hostA "$B"
lab certificate hostA missing libvirt
stands_in_the_way 4 '' "wants a client certificate, and there is no '/etc/pki/libvirt/clientcert.pem'" hostA "$B"
lab certificate hostA good libvirt
on hostA mv /etc/pki/CA/cacert.pem /etc/pki/CA/aside
finally on hostA mv /etc/pki/CA/aside /etc/pki/CA/cacert.pem
stands_in_the_way 4 '' "'/etc/pki/CA/cacert.pem' on this machine cannot be used" hostA "$B"

it "a CA that signs for the web is a warning"
guest hostA web --write-log
system=$(find /etc/ssl/certs -name '*.pem' -print -quit)
[ -n "$system" ] || skip 'this machine trusts no CA of the web'
finally lab certificate hostA good libvirt
on hostA sh -c "cat '$system' >>/etc/pki/CA/cacert.pem"
exits 0 prints 'warns tls-ca-public' ferry hostA plan web "$B"

it "our certificate is of a CA that the host does not know"
guest hostA web --write-log
on hostB cp /etc/pki/CA/cacert.pem /etc/pki/CA/aside
finally lab certificate hostB good libvirt
on hostB cp "$STATE/tls/other-ca/cert.pem" /etc/pki/CA/cacert.pem
lab libvirtd hostB kill
lab libvirtd hostB start
stands_in_the_way 4 '' "does not accept our certificate '/etc/pki/libvirt/clientcert.pem'" hostA "$B"

it "QEMU's certificates on the destination are read there: expired, of another CA, without a key, not there"
guest hostA web --write-log
spoil hostB expired qemu
tls_stands_refused tls-qemu-expired "QEMU's certificate '/etc/pki/qemu/server-cert.pem' on 'hostB' expired"
lab certificate hostB foreign qemu
tls_stands_refused tls-qemu-foreign 'was not signed by the CA that is trusted there'
lab certificate hostB keyless qemu
tls_stands_refused tls-qemu-key "'/etc/pki/qemu/server-key.pem' on 'hostB' cannot be used"
on hostB mv /etc/pki/qemu /etc/pki/aside
finally on hostB mv /etc/pki/aside /etc/pki/qemu
tls_stands_refused tls-qemu-no-folder "QEMU's folder of certificates, '/etc/pki/qemu', is not there on 'hostB'"

it "QEMU's certificates at the source are read too"
guest hostA web --write-log
spoil hostA expired qemu
stands_in_the_way 3 tls-qemu-expired "'/etc/pki/qemu/client-cert.pem' on 'hostA' expired" hostA "$B"
lab certificate hostA missing qemu
stands_in_the_way 3 tls-qemu-missing "'/etc/pki/qemu/ca-cert.pem' on 'hostA' cannot be used" hostA "$B"

it "what could not be read is refused by QEMU, and the guest stays"
guest hostA web --write-log
spoil hostB expired qemu
exits 1 ferry hostA migrate web "$B"
lives_on hostA web

it "certificates that expire within 30 days, or were made for the other end, are a warning"
guest hostA web --write-log
spoil hostB soon qemu
exits 0 prints 'warns tls-qemu-expires-soon' ferry hostA plan web hostB
lab certificate hostB client-only qemu
spoil hostA server-only qemu
exits 0 prints "'/etc/pki/qemu/server-cert.pem' on 'hostB' was not made to be that of a server" \
    prints "'/etc/pki/qemu/client-cert.pem' on 'hostA' was not made to be that of a client" ferry hostA plan web hostB

it "a port that is filtered, one where nobody listens, and a libvirt that is silent are told apart, in time"
guest hostA web --write-log
within 8 exits 4 prints 'does not listen for TLS' ferry hostA plan web qemu+tls://hostB:16515/system
within 8 exits 4 prints 'does not speak TLS' ferry hostA plan web qemu+tls://hostB:22/system
lab libvirtd hostB stop
finally lab libvirtd hostB cont
within 12 exits 4 prints 'accepts connections to port 16514 and does not answer' ferry hostA plan web "$B"
lab link hostA hostB drop
finally lab link hostA hostB ok
within 12 exits 4 prints 'did not answer on port 16514' ferry hostA plan web "$B"

it "a source behind tls is explained in the same words"
guest hostA web --write-log
spoil hostA expired libvirt
exits 4 prints "the certificate that libvirt on 'hostA' shows expired" \
    ferry client -c qemu+tls://hostA/system plan web "$B"
lab certificate hostA good libvirt
spoil client missing libvirt
exits 4 prints 'wants a client certificate' ferry client -c qemu+tls://hostA/system plan web "$B"

it "parameters that would take verification away are refused"
guest hostA web --write-log
exits 4 prints "parameter 'no_verify'" ferry hostA plan web "$B?no_verify=1"
exits 4 prints "parameter 'command'" ferry hostA plan web "$B?command=/bin/x"
