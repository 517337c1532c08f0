#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck source-path=SCRIPTDIR
# contrib/host-setup: on made-up systems of several kinds, file by file; then on hosts that have no certificate and
# ask nobody who connects, which it makes ready for TLS and SASL, over which a guest moves; and all of it undone.
# shellcheck disable=SC2317,SC2016  # cases call what is defined before them; texts hold what looks like commands
. "$(dirname "$0")/lib.sh"

SETUP=$REPO/contrib/host-setup
R=$WORK/root
setup() { "$SETUP" --root "$R" "$@"; }
changed() { setup --apply --yes "$@"; }

# ---- made-up systems ----

system_make() { # fedora|debian|old
    rm -rf "$R"
    mkdir -p "$R"/etc/libvirt "$R"/etc/systemd/system/sockets.target.wants "$R"/root
    printf '# what is here stays\n#listen_tls = 0\n' >"$R/etc/libvirt/libvirtd.conf"
    chmod 600 "$R/etc/libvirt/libvirtd.conf"
    case $1 in
        fedora)
            mkdir -p "$R"/usr/lib/systemd/system "$R"/etc/sysconfig "$R"/etc/firewalld
            : >"$R/etc/firewalld/firewalld.conf"
            touch "$R"/usr/lib/systemd/system/virt{proxyd.service,proxyd-tls.socket,proxyd-tcp.socket,qemud.service}
            echo 'qemu:x:107:' >"$R/etc/group"
            ;;
        debian | old)
            mkdir -p "$R"/lib/systemd/system "$R"/etc/default "$R"/etc/ufw
            echo ENABLED=yes >"$R/etc/ufw/ufw.conf"
            touch "$R"/lib/systemd/system/libvirtd{.service,.socket,-tls.socket,-tcp.socket}
            printf '#LIBVIRTD_ARGS="--listen"\nLIBVIRTD_ARGS="--timeout 120"\n' >"$R/etc/default/libvirtd"
            echo 'libvirt-qemu:x:64055:' >"$R/etc/group"
            [ "$1" = debian ] || echo 'LIBVIRTD_ARGS="--listen"' >"$R/etc/default/libvirtd"
            ;;
    esac
    finally rm -rf "$R"
}
# Every file, folder, mode, owner and link, and what is in it.
pictured() { # FOLDER…
    find "$@" -printf '%p %y %m %U:%G %l\n' | sort
    find "$@" -type f -exec sha256sum {} + | sort
}
unchanged_by() { # COMMAND…: all of the system
    pictured "$R" >"$WORK/before"
    "$@"
    pictured "$R" | diff "$WORK/before" -
}
certificate_for() { # HOST: made by a CA, which stands elsewhere
    local R=$WORK/ca-root
    mkdir -p "$R"
    changed ca
    changed certificate "$1" 10.0.0.9
}
TAR=$WORK/ca-root/etc/pki/virt-ferry-ca/hosts/hostF.tar
owner_of() { stat -c '%a %g' "$R$1"; }

# This machine as one of Fedora, with systemd, firewalld and SELinux: what would be run there is written down instead, in
# $FEDORA/commands. Its own folders stand over this machine's where host-setup looks.
FEDORA=$WORK/fedora
fedora_make() {
    local name
    mkdir -p "$FEDORA"/{bin,on,run/systemd/system,units,lib,root,srv/images}
    cp -a /etc "$FEDORA/etc"
    finally rm -rf "$FEDORA"
    rm -rf "$FEDORA"/etc/{libvirt,pki,default/libvirtd,ufw,firewalld,selinux,sasl2,systemd/system,exports.d,sysctl.d}
    mkdir -p "$FEDORA"/etc/{libvirt,sysconfig,firewalld,selinux,systemd/system/sockets.target.wants}
    rm -f "$FEDORA/etc/os-release" # a link elsewhere
    printf 'NAME="Fedora Linux"\nID=fedora\n' >"$FEDORA/etc/os-release"
    : >"$FEDORA/etc/fstab"
    echo 'qemu:x:107:' >>"$FEDORA/etc/group"
    sed -i '/^libvirt-qemu:/d' "$FEDORA/etc/group"
    touch "$FEDORA"/units/{virtproxyd.service,virtproxyd-tls.socket,virtproxyd-tcp.socket,virtqemud.service,virtqemud.socket}
    for name in systemctl firewall-cmd selinuxenabled getsebool setsebool restorecon exportfs mount.nfs mount umount mountpoint; do
        cp "$(dirname "$0")/recorded-command" "$FEDORA/bin/$name"
    done
}
on_fedora() {
    unshare -m sh -c 'mount --make-rprivate / && for at in etc run root srv; do mount --bind "$0/$at" "/$at" || exit; done &&
        mount --bind "$0/lib" /var/lib && mount --bind "$0/units" /usr/lib/systemd/system && PATH=$0/bin:$PATH && exec "$@"' \
        "$FEDORA" "$SETUP" "$@"
}
commands_of() { # COMMAND…: what it would have run
    : >"$FEDORA/commands"
    on_fedora --apply --yes "$@" >"$WORK/said" 2>&1 || complain "failed: $* ($(tail -n 2 "$WORK/said"))"
    cat "$FEDORA/commands"
}

# ---- real hosts ----

# /etc/default is this machine's: each host gets a copy of its own.
ready() { # HOST…
    local host
    for host; do
        on "$host" sh -c 'mkdir -p /run/etc-default && cp -a /etc/default/. /run/etc-default/ && mount --bind /run/etc-default /etc/default &&
            ln -sfn "$0" /run/virt-ferry-host-setup' "$SETUP"
        finally on "$host" sh -c 'umount /etc/default; rm -rf /run/etc-default /run/virt-ferry-host-setup'
        finally on "$host" rm -f /root/hostA.tar /root/hostB.tar
    done
}
files_of() { on "$1" sh -c 'find /etc/libvirt /etc/pki /etc/sasl2 /etc/default /root/.ssh /var/lib/virt-ferry/host-setup \
    -not -path "/etc/libvirt/qemu/*" -not -name known_hosts -printf "%p %y %m %U:%G\n" -type f -exec sha256sum {} + 2>/dev/null | sort'; }
# Types what virt-ferry printed, each line where it belongs, and says yes.
typed() { # the JSON of check
    local host line
    jq -r '.commands[] | "\(.host) \(.command)"' "$1" | while read -r host line; do
        echo "$host\$ $line"
        on "$host" sh -c "PATH=\$PATH:/run; ${line/ --apply / --apply --yes }" </dev/null
    done
}

it "without --apply nothing is changed, and everything is shown but secrets"
system_make debian
certificate_for hostF
finally rm -rf "$WORK/ca-root"
unchanged_by exits 0 prints '+ /etc/pki/libvirt/servercert.pem (CN=hostF, until' prints 'serverkey.pem (secret, not shown)' \
    prints 'enable --now libvirtd-tls.socket' lacks 'PRIVATE KEY' setup tls "$TAR"
unchanged_by exits 0 prints '+auth_tcp = "sasl"' prints '+mech_list: gssapi' setup tcp
unchanged_by exits 0 prints 'the password is asked for' setup sasl-user ferry
unchanged_by exits 0 prints 'ufw allow 49152:49215/tcp' setup firewall
unchanged_by exits 0 prints 'not shown' lacks 'PRIVATE KEY' setup ssh-key

it "on Fedora, with modular daemons, files are QEMU's group's and virtproxyd's socket listens; all is undone"
system_make fedora
certificate_for hostF
finally rm -rf "$WORK/ca-root"
pictured "$R/etc" "$R/root" "$R/usr" >"$WORK/clean"
exits 0 prints 'enable --now virtproxyd-tls.socket' lacks 'listen_tls' lacks '$ systemctl mask' changed tls "$TAR"
is '640 107' owner_of /etc/pki/qemu/server-key.pem
is '600 0' owner_of /etc/pki/libvirt/private/serverkey.pem
is '644 0' owner_of /etc/pki/CA/cacert.pem
is 700 stat -c %a "$R/etc/pki/libvirt/private"
exits 0 certtool --verify --load-ca-certificate "$R/etc/pki/CA/cacert.pem" --infile "$R/etc/pki/libvirt/servercert.pem"
# Once the socket is on, nothing is left to do.
ln -s /dev/null "$R/etc/systemd/system/sockets.target.wants/virtproxyd-tls.socket"
unchanged_by exits 0 prints 'Nothing is to be changed' changed tls "$TAR"
rm "$R/etc/systemd/system/sockets.target.wants/virtproxyd-tls.socket"
exits 0 prints 'auth_tls = "sasl"' changed sasl-user ferry <<<'across-the-river'
is 'auth_tls = "sasl"' grep auth_tls "$R/etc/libvirt/virtproxyd.conf"
exits 0 prints 'firewall-cmd --permanent --add-port=49152-49215/tcp' setup firewall
exits 0 setup --apply --yes undo all
pictured "$R/etc" "$R/root" "$R/usr" | diff "$WORK/clean" -

it "on Fedora the daemon's socket, firewalld, SELinux and NFS are changed by the commands that Fedora has, once, and taken back"
fedora_make
certificate_for hostF
finally rm -rf "$WORK/ca-root"
cp "$TAR" "$FEDORA/root/hostF.tar"
pictured "$FEDORA/etc" "$FEDORA/srv" >"$WORK/clean"
is 'systemctl stop virtproxyd.service
systemctl enable --now virtproxyd-tls.socket
systemctl start virtproxyd.service' commands_of tls /root/hostF.tar
is 'systemctl try-restart virtproxyd.service' commands_of sasl-user ferry <<<'across-the-river'
is 'firewall-cmd --permanent --add-port=16514/tcp
firewall-cmd --add-port=16514/tcp
firewall-cmd --permanent --add-port=49152-49215/tcp
firewall-cmd --add-port=49152-49215/tcp' commands_of firewall
is 'systemctl enable --now nfs-server.service
exportfs -ra
firewall-cmd --permanent --add-service=nfs
firewall-cmd --add-service=nfs' commands_of nfs-export /srv/images 10.0.0.0/24
is 'mount /srv/vm
setsebool -P virt_use_nfs on' commands_of nfs-mount nas:/images /srv/vm
is 'auth_tls = "sasl"' grep auth_tls "$FEDORA/etc/libvirt/virtproxyd.conf"
is '640 107' stat -c '%a %g' "$FEDORA/etc/pki/qemu/server-key.pem"
prints '/etc/pki' cat "$FEDORA/labelled"
# Once more: nothing.
for again in 'tls /root/hostF.tar' firewall 'nfs-export /srv/images 10.0.0.0/24' 'nfs-mount nas:/images /srv/vm'; do
    # shellcheck disable=SC2086
    is_empty commands_of $again
done
is 'umount /srv/vm
setsebool -P virt_use_nfs off
exportfs -ra
systemctl disable --now nfs-server.service
firewall-cmd --permanent --remove-service=nfs
firewall-cmd --remove-service=nfs
firewall-cmd --permanent --remove-port=16514/tcp
firewall-cmd --remove-port=16514/tcp
firewall-cmd --permanent --remove-port=49152-49215/tcp
firewall-cmd --remove-port=49152-49215/tcp
systemctl try-restart virtproxyd.service
systemctl stop virtproxyd.service
systemctl disable --now virtproxyd-tls.socket
systemctl start virtproxyd.service' commands_of undo all
pictured "$FEDORA/etc" "$FEDORA/srv" | diff "$WORK/clean" -

it "where libvirtd listens by itself its settings and arguments are changed, once, and come back as they were"
system_make debian
certificate_for hostF
finally rm -rf "$WORK/ca-root"
cp -a "$R/etc" "$WORK/etc"
finally rm -rf "$WORK/etc"
exits 0 prints '$ systemctl mask libvirtd.socket' prints '-LIBVIRTD_ARGS="--timeout 120"' prints '+LIBVIRTD_ARGS="--listen"' \
    changed --daemon listen tls "$TAR"
is '# what is here stays
#listen_tls = 0
listen_tls = 1' cat "$R/etc/libvirt/libvirtd.conf"
is 600 stat -c %a "$R/etc/libvirt/libvirtd.conf"
exits 0 prints 'listen_tcp = 0' changed tcp-off
unchanged_by exits 0 prints 'Nothing is to be changed' changed tcp-off
exits 0 prints 'tcp-off' prints '/etc/default/libvirtd' setup list
exits 0 setup --apply --yes undo all
exits 0 diff -r "$WORK/etc" "$R/etc"
exits 1 prints 'nothing to take back' setup --apply --yes undo

it "an old libvirtd with --listen is seen for what it is, and a line that holds already is replaced, not doubled"
system_make old
printf 'listen_tcp = 1\nauth_tcp = "none"\nauth_tcp = "none"\n' >"$R/etc/libvirt/libvirtd.conf"
exits 0 lacks '--listen' prints '-auth_tcp = "none"' changed tcp
is 'listen_tcp = 1
auth_tcp = "sasl"' cat "$R/etc/libvirt/libvirtd.conf"
is 'mech_list: gssapi
keytab: /etc/libvirt/krb5.tab' cat "$R/etc/sasl2/libvirt.conf"

it "what is not ours is not taken: another CA, a file that was changed since, a private key, words for a shell"
system_make debian
certificate_for hostF
finally rm -rf "$WORK/ca-root"
mkdir -p "$R/etc/pki/CA"
echo another >"$R/etc/pki/CA/cacert.pem"
unchanged_by exits 1 prints 'another CA stands' changed tls "$TAR"
exits 0 changed --replace-ca tls "$TAR"
echo 'mine = 1' >>"$R/etc/pki/CA/cacert.pem"
unchanged_by exits 1 prints "'/etc/pki/CA/cacert.pem' was changed since" setup --apply --yes undo
exits 0 setup --apply --yes --force undo
is another cat "$R/etc/pki/CA/cacert.pem"
ssh-keygen -q -t ed25519 -N '' -f "$WORK/id"
finally rm -f "$WORK/id" "$WORK/id.pub"
unchanged_by exits 1 prints 'not one public key' changed ssh-accept "$WORK/id"
exits 0 changed ssh-accept "$WORK/id.pub"
unchanged_by exits 0 prints 'Nothing is to be changed' changed ssh-accept "$WORK/id.pub"
is 600 stat -c %a "$R/root/.ssh/authorized_keys"
for word in 'a b' '$(reboot)' '-x' 'a;b' ''; do
    unchanged_by exits 2 setup --apply --yes certificate -- "$word"
    unchanged_by exits 2 setup --apply --yes sasl-login "$word" ferry
    unchanged_by exits 2 setup --apply --yes nfs-mount "$word:/x" /srv/x
    unchanged_by exits 2 setup --apply --yes nfs-mount nas:/x "/srv/$word /"
done
exits 2 prints "is not known" setup nonsense
exits 1 prints 'nobody is there to be asked' setup --apply firewall </dev/null

it "a run that died half way is undone: what was changed comes back, what was not stays"
system_make debian
certificate_for hostF
finally rm -rf "$WORK/ca-root"
cp -a "$R/etc" "$WORK/etc"
finally rm -rf "$WORK/etc"
changed --daemon listen tls "$TAR"
# As if it had ended before these two.
cp -a "$WORK/etc/default/libvirtd" "$R/etc/default/libvirtd"
rm "$R/etc/pki/qemu/ca-cert.pem"
exits 0 setup --apply --yes undo
exits 0 diff -r "$WORK/etc" "$R/etc"

it "NFS: an export without root squash, a mount that waits for the network, each once"
system_make debian
mkdir -p "$R/srv/images"
exits 0 prints '$ exportfs -ra' changed nfs-export /srv/images 10.0.0.0/24 hostB
is '/srv/images 10.0.0.0/24(rw,sync,no_root_squash,no_subtree_check) hostB(rw,sync,no_root_squash,no_subtree_check)' \
    cat "$R/etc/exports.d/virt-ferry.exports"
exits 0 changed nfs-export /srv/images hostC
is 1 grep -c . "$R/etc/exports.d/virt-ferry.exports"
exits 1 prints 'no folder' changed nfs-export /srv/other hostB
echo 'UUID=1 / ext4 defaults 0 1' >"$R/etc/fstab"
exits 0 prints '$ mount /srv/images' changed nfs-mount nas:/images /srv/images
is 'nas:/images /srv/images nfs rw,hard,_netdev 0 0' tail -n 1 "$R/etc/fstab"
unchanged_by exits 0 prints 'Nothing is to be changed' changed nfs-mount nas:/images /srv/images
unchanged_by exits 1 prints "is 'nas:/images' in /etc/fstab already" changed nfs-mount other:/x /srv/images
exits 0 setup --apply --yes undo all
is 'UUID=1 / ext4 defaults 0 1' cat "$R/etc/fstab"

deep "what 'check --fix' prints, typed as it stands, makes two bare hosts move a guest by TLS; undone, all is as before"
guest hostA web --write-log
ready hostA hostB
files_of hostA >"$WORK/hostA.before"
files_of hostB >"$WORK/hostB.before"
exits 4 ferry hostA plan web qemu+tls://hostB/system
ferry hostA --json check hostB >"$WORK/check.json"
typed "$WORK/check.json"
finally start_over hostA hostB
finally on hostA sh -c '! [ -d /var/lib/virt-ferry/host-setup ] || /run/virt-ferry-host-setup --apply --yes undo all'
finally on hostB sh -c '! [ -d /var/lib/virt-ferry/host-setup ] || /run/virt-ferry-host-setup --apply --yes undo all'
start_over hostA hostB
exits 0 lacks tls- lacks tcp-anyone-is-root prints 'over 2 of 3 channels' ferry hostA check hostB
exits 0 prints 'tls-gated' lacks 'in the clear' ferry hostA migrate web qemu+tls://hostB/system
lives_on hostB web
# Typed again nothing is changed.
files_of hostB >"$WORK/hostB.after"
typed "$WORK/check.json" >"$WORK/again"
is 6 grep -c 'Nothing is to be changed' "$WORK/again"
files_of hostB | diff "$WORK/hostB.after" -
# And by SASL on top.
on hostB /run/virt-ferry-host-setup --apply --yes sasl-user ferry <<<'across-the-river'
start_over hostB
exits 4 prints 'asks for a user and a password' ferry hostA plan web qemu+tls://hostB/system
lab rm web
guest hostA web --write-log
on hostA /run/virt-ferry-host-setup --apply --yes sasl-login hostB ferry <<<'down-the-drain'
exits 4 prints 'user or password' lacks down-the-drain ferry hostA migrate web qemu+tls://hostB/system
on hostA /run/virt-ferry-host-setup --apply --yes sasl-login hostB ferry <<<'across-the-river'
exits 0 prints 'tls-gated' lacks across-the-river ferry hostA migrate web qemu+tls://hostB/system
lives_on hostB web
lab rm web
for host in hostA hostB; do
    on "$host" rm -f /root/hostB.tar
    on "$host" /run/virt-ferry-host-setup --apply --yes undo all
    files_of "$host" | diff "$WORK/$host.before" -
done
