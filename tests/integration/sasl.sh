# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# For files that move guests where libvirt asks for a user and a password. They source it behind lib.sh.

# Until the case ends both hosts ask, by TLS, and every machine knows the answer.
ask_for_passwords() {
    local machine
    for machine in hostA hostB; do
        lab auth "$machine" tls sasl
        finally lab auth "$machine" tls none
    done
    for machine in hostA hostB client; do
        on "$machine" mkdir -p /root/.config/libvirt
        printf '%s\n' '[credentials-lab]' authname=ferry password=across-the-river '[auth-libvirt-hostA]' \
            credentials=lab '[auth-libvirt-hostB]' credentials=lab |
            on "$machine" sh -c 'umask 077; cat >/root/.config/libvirt/auth.conf'
        finally on "$machine" rm -f /root/.config/libvirt/auth.conf
    done
}
