#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck source-path=SCRIPTDIR source=../integration/lib.sh
# shellcheck disable=SC2317,SC2016  # cases call what is defined before them; texts hold what looks like commands
# Plain TCP with SASL's GSSAPI: a KDC of its own on the third machine, hosts made ready by contrib/host-setup, and a
# guest moved by a ticket; no ticket, one that has expired, and one of a user whom libvirt does not know.
. "$(dirname "$(readlink -f "$0")")/../integration/lib.sh"

REALM=FERRY.TEST
# Debian keeps them where no lab looks; on this machine nothing of Kerberos is changed.
KDC=(env KRB5_CONFIG=/run/krb5/krb5.conf KRB5_KDC_PROFILE=/run/krb5/kdc.conf)
TCP=qemu+tcp://hostB/system

need_kerberos() {
    if ! command -v krb5kdc >/dev/null || ! command -v kinit >/dev/null; then
        DEBIAN_FRONTEND=noninteractive apt-get -q -y install --no-install-recommends krb5-kdc krb5-admin-server \
            krb5-user libsasl2-modules-gssapi-mit >"$WORK/apt" 2>&1 || skip 'Kerberos cannot be installed here'
    fi
    compgen -G '/usr/lib/*/sasl2/libgssapiv2.so' >/dev/null || skip 'there is no GSSAPI for SASL'
}
krb5_conf() { # ADDRESS of the KDC
    printf '%s\n' '[libdefaults]' "default_realm = $REALM" 'dns_lookup_kdc = false' 'dns_lookup_realm = false' \
        'rdns = false' 'dns_canonicalize_hostname = false' 'udp_preference_limit = 1' 'default_ccache_name = FILE:/run/krb5/cc' '[realms]' \
        "$REALM = {" "kdc = $1:88" '}' '[domain_realm]' "hosta = $REALM" "hostb = $REALM"
}
kdc_up() {
    local address machine
    address=$(on client hostname -I 2>/dev/null | tr -d ' \n')
    [ -n "$address" ] || address=$(on client ip -o -4 addr show dev br0 | sed 's/.* inet \([0-9.]*\).*/\1/')
    for machine in client hostA hostB; do
        on "$machine" mkdir -p /run/krb5
        finally on "$machine" rm -rf /run/krb5
        krb5_conf "$address" | on "$machine" tee /run/krb5/krb5.conf >/dev/null
        on "$machine" mount --bind /run/krb5/krb5.conf /etc/krb5.conf
        finally on "$machine" umount /etc/krb5.conf
    done
    printf '%s\n' '[realms]' "$REALM = {" 'database_name = /run/krb5/principal' 'key_stash_file = /run/krb5/stash' \
        'acl_file = /run/krb5/acl' 'kdc_listen = 88' 'kdc_tcp_listen = 88' 'max_life = 1h' '}' '[logging]' \
        'kdc = FILE:/run/krb5/kdc.log' | on client tee /run/krb5/kdc.conf >/dev/null
    on client "${KDC[@]}" kdb5_util create -s -r "$REALM" -P master-of-the-river
    on client "${KDC[@]}" kadmin.local -q 'addprinc -pw across-the-river ferry'
    # Kerberos writes hosts in small letters.
    for machine in hostA hostB; do
        on client "${KDC[@]}" kadmin.local -q "addprinc -randkey libvirt/${machine,,}"
        on client "${KDC[@]}" kadmin.local -q "ktadd -k /run/krb5/$machine.tab libvirt/${machine,,}"
        on client cat "/run/krb5/$machine.tab" | on "$machine" sh -c 'umask 077; cat >/etc/libvirt/krb5.tab'
        finally on "$machine" rm -f /etc/libvirt/krb5.tab
    done
    on client "${KDC[@]}" sh -c 'setsid krb5kdc -n -P /run/krb5/kdc.pid </dev/null >/run/krb5/kdc.out 2>&1 &'
    finally on client sh -c 'kill "$(cat /run/krb5/kdc.pid)"'
    await 5 on client bash -c ": <>/dev/tcp/$address/88"
}
# /etc/default is this machine's: the host gets a copy of its own.
by_kerberos() { # HOST: its libvirt asks for tickets until the case ends
    on "$1" sh -c 'mkdir -p /run/etc-default && cp -a /etc/default/. /run/etc-default/ && mount --bind /run/etc-default /etc/default'
    finally on "$1" sh -c 'umount /etc/default; rm -rf /run/etc-default'
    finally start_over "$1"
    finally on "$1" "$REPO/contrib/host-setup" --apply --yes undo all
    on "$1" "$REPO/contrib/host-setup" --apply --yes tcp
    start_over "$1"
}
ticket() { # HOST LIFETIME
    printf 'across-the-river\n' | on "$1" kinit -l "$2" ferry
    finally on "$1" kdestroy -q
}

it "by a Kerberos ticket a guest moves over plain TCP, control encrypted, data only where it is allowed"
need_kerberos
guest hostA web --write-log
kdc_up
by_kerberos hostB
exits 4 prints "asks for a Kerberos ticket (SASL: GSSAPI), and there is none" prints 'kinit USER' ferry hostA plan web "$TCP"
ticket hostA 4s
sleep 5
exits 4 prints 'the one on this machine has expired' ferry hostA plan web "$TCP"
ticket hostA 1h
exits 3 prints 'in the clear to' prints 'control, with the domain' lacks tcp-anyone-is-root ferry hostA plan web "$TCP"
exits 0 prints 'tcp' ferry hostA migrate web "$TCP" --allow-cleartext
lives_on hostB web
grep -q libvirt/hostb <<<"$(on hostA klist)"
