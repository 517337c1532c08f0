# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# shellcheck source-path=SCRIPTDIR
# A lab's own CA, a certificate for each machine, spoiled ones for tests of faults, and who libvirtd lets in.
# shellcheck disable=SC2154  # STATE and others come from lab and base.sh
# shellcheck source=libvirtd.sh
. "$LAB_DIR/libvirtd.sh"

SASL_USER=ferry
SASL_PASSWORD=across-the-river

# RSA for machines: libvirt 9.0 wants a certificate that may encipher keys, and certtool gives none such to ECDSA.
tls_key() { # FILE rsa|ecdsa
    certtool --generate-privkey --key-type="$2" --sec-param=medium --outfile "$1" 2>/dev/null
    chmod 600 "$1"
}

tls_ca_make() { # FOLDER NAME
    mkdir -p "$1"
    tls_key "$1/key.pem" ecdsa
    printf '%s\n' "cn = $2" ca cert_signing_key 'expiration_days = 3650' >"$1/template"
    certtool --generate-self-signed --load-privkey "$1/key.pem" --template "$1/template" --outfile "$1/cert.pem" 2>/dev/null
}

# One certificate serves both ends of a connection, of libvirt and of QEMU.
tls_cert_make() { # FOLDER CA-FOLDER NAME ADDRESS LINE…
    mkdir -p "$1"
    tls_key "$1/key.pem" rsa
    printf '%s\n' "cn = $3" "dns_name = $3" "${4:+ip_address = $4}" signing_key encryption_key "${@:5}" >"$1/template"
    certtool --generate-certificate --load-privkey "$1/key.pem" --load-ca-privkey "$2/key.pem" \
        --load-ca-certificate "$2/cert.pem" --template "$1/template" --outfile "$1/cert.pem" 2>/dev/null
}

# Where libvirt and QEMU look for them.
tls_place() { # MACHINE CERTIFICATE-FOLDER CA-FOLDER libvirt|qemu
    local pki=$STATE/machines/$1/etc-pki
    if [ "$4" = libvirt ]; then
        cp "$3/cert.pem" "$pki/CA/cacert.pem"
        cp "$2/cert.pem" "$pki/libvirt/servercert.pem"
        cp "$2/cert.pem" "$pki/libvirt/clientcert.pem"
        cp -p "$2/key.pem" "$pki/libvirt/private/serverkey.pem"
        cp -p "$2/key.pem" "$pki/libvirt/private/clientkey.pem"
        return
    fi
    cp "$3/cert.pem" "$pki/qemu/ca-cert.pem"
    cp "$2/cert.pem" "$pki/qemu/server-cert.pem"
    cp "$2/cert.pem" "$pki/qemu/client-cert.pem"
    cp -p "$2/key.pem" "$pki/qemu/server-key.pem"
    cp -p "$2/key.pem" "$pki/qemu/client-key.pem"
}

tls_make() { # MACHINE…
    local machine
    local -a pids=()
    tls_ca_make "$STATE/tls/ca" "virt-ferry lab $LAB_ID"
    for machine; do
        tls_cert_make "$STATE/tls/$machine" "$STATE/tls/ca" "$machine" "$(address_of "$machine")" \
            tls_www_server tls_www_client 'expiration_days = 3000' &
        pids+=($!)
    done
    for machine in "${pids[@]}"; do
        wait "$machine"
    done
}

# Called in `up`, before the machine's libvirtd is started.
tls_give() { # MACHINE
    [ -d "$STATE/tls/$1" ] || return 0
    tls_place "$1" "$STATE/tls/$1" "$STATE/tls/ca" libvirt
    tls_place "$1" "$STATE/tls/$1" "$STATE/tls/ca" qemu
    is_host "$1" || return 0
    printf '%s\n' 'listen_tls = 1' 'tls_no_sanity_certificate = 1' >>"$STATE/machines/$1/etc-libvirt/libvirtd.conf"
    sed -i '/^listen_tls = 0$/d' "$STATE/machines/$1/etc-libvirt/libvirtd.conf"
    printf 'mech_list: scram-sha-256\nsasldb_path: /etc/libvirt/passwd.db\n' >"$STATE/machines/$1/etc-sasl2/libvirt.conf"
    printf %s "$SASL_PASSWORD" |
        inside "$1" saslpasswd2 -p -c -f /etc/libvirt/passwd.db -a libvirt "$SASL_USER"
}

libvirtd_again() { # HOST
    if libvirtd_pid "$1" >/dev/null; then
        libvirtd_kill "$1"
    fi
    libvirtd_start "$1"
}

# A certificate of each kind is made when it is first asked for.
tls_kind_make() { # FOLDER MACHINE KIND
    local ca=$STATE/tls/ca name=$2 address both=(tls_www_server tls_www_client 'expiration_days = 3000')
    address=$(address_of "$2")
    case $3 in
        expired) both=(tls_www_server tls_www_client 'activation_date = "2020-01-01"' 'expiration_date = "2021-01-01"') ;;
        soon) both=(tls_www_server tls_www_client 'expiration_days = 10') ;;
        foreign)
            ca=$STATE/tls/other-ca
            [ -d "$ca" ] || tls_ca_make "$ca" "another CA"
            ;;
        nameless) name=elsewhere.example address= ;;
        no-address) address= ;;
        client-only) both=(tls_www_client 'expiration_days = 3000') ;;
        server-only) both=(tls_www_server 'expiration_days = 3000') ;;
    esac
    tls_cert_make "$1" "$ca" "$name" "$address" "${both[@]}"
}

certificate_usage='usage: lab certificate MACHINE good|expired|soon|foreign|nameless|no-address|client-only|server-only|keyless|missing [libvirt|qemu]'

cmd_certificate() {
    local machine=${1:-} kind=${2:-} which folder
    local -a whose=(libvirt qemu)
    [ $# = 2 ] || [ $# = 3 ] || usage_error "$certificate_usage"
    need_up
    holder "$machine" >/dev/null
    [ -d "$STATE/tls" ] || die "this lab has no certificates: lab up --tls"
    [ $# = 2 ] || whose=("$3")
    folder=$STATE/tls/$machine
    case $kind in
        good | keyless | missing) ;;
        expired | soon | foreign | nameless | no-address | client-only | server-only)
            folder=$folder.$kind
            [ -d "$folder" ] || tls_kind_make "$folder" "$machine" "$kind"
            ;;
        *) usage_error "$certificate_usage" ;;
    esac
    for which in "${whose[@]}"; do
        case $which in libvirt | qemu) ;; *) usage_error "$certificate_usage" ;; esac
        # Its own CA goes on being trusted: what is foreign is the certificate.
        tls_place "$machine" "$folder" "$STATE/tls/ca" "$which"
        [ "$which-$kind" != qemu-keyless ] || rm -f "$STATE/machines/$machine/etc-pki/qemu/"*-key.pem
        [ "$which-$kind" != qemu-missing ] || rm -f "$STATE/machines/$machine/etc-pki/qemu/"*.pem
        [ "$which-$kind" != libvirt-keyless ] || rm -f "$STATE/machines/$machine/etc-pki/libvirt/private/clientkey.pem"
        [ "$which-$kind" != libvirt-missing ] || rm -f "$STATE/machines/$machine/etc-pki/libvirt/clientcert.pem"
        if [ "$which" = libvirt ] && is_host "$machine"; then
            libvirtd_again "$machine"
        fi
    done
}

cmd_auth() {
    local usage='usage: lab auth HOST tls|tcp none|sasl' conf mechanism=scram-sha-256
    [ $# = 3 ] || usage_error "$usage"
    need_up
    need_host "$1"
    case $2-$3 in
        tls-none | tls-sasl | tcp-none) ;;
        tcp-sasl) mechanism=digest-md5 ;; # SCRAM gives no layer that encrypts, and without TLS libvirt wants one
        *) usage_error "$usage" ;;
    esac
    conf=$STATE/machines/$1/etc-libvirt/libvirtd.conf
    sed -i "/^auth_$2 = /d" "$conf"
    echo "auth_$2 = \"$3\"" >>"$conf"
    printf 'mech_list: %s\nsasldb_path: /etc/libvirt/passwd.db\n' "$mechanism" >"$STATE/machines/$1/etc-sasl2/libvirt.conf"
    libvirtd_again "$1"
}
