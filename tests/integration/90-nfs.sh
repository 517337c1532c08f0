#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2317,SC2034  # cases call and read what is defined before them
# lab: --nfs
# Disks on an NFS server: recognised, proved shared or not, moved, made anew; and each way to lose the server.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$(readlink -f "$0")")/lib.sh"

SERVER=10.$((100 + LAB_ID)).0.1
ALSO=10.$((100 + LAB_ID)).0.3  # the same server by another address
CLONE=10.$((100 + LAB_ID)).0.2 # another server, made from a copy of the first one's disk
ON_NFS=(--disk nfs:raw --write-log)

# The lab of other files may have none.
needs_nfs() { [ -d "$STATE/nfs" ] || skip "the lab has no NFS server: lab up --nfs"; }

plan_json() { ferry "$1" --json plan "${@:2}" --allow-cleartext 2>/dev/null; } # HOST GUEST DEST
treatments() { plan_json "$@" | jq -r '.strategies[0].disks | map("\(.target)=\(.treatment)") | join(" ")'; }
# Findings of the driver, as "severity id".
said() { plan_json "$@" | jq -r '.findings[] | select(.id | startswith("nfs-")) | "\(.severity) \(.id)"'; }
disk_seen() { # JQ-TEXT HOST DOMAIN DEST
    ferry "$2" --json survey "$3" "$4" 2>/dev/null | jq -r ".domain.disks[0] | \"$1\""
}
identities() { disk_seen '\(.sharing) \(.at_source.identity == .at_dest.identity)' "$@"; }
identity() { disk_seen '\(.at_source.identity)' "$@" | sed "s/^null\$/none of $2/"; }

# As `is`, some times: where ssh is too slow to be the way there, a name cannot be asked for.
becomes() { # WANTED COMMAND…
    local wanted=$1 i
    shift
    for i in 1 2 3; do
        [ "$("$@")" != "$wanted" ] || return 0
    done
    disk_seen '\(.sharing_evidence) | \(.at_source.evidence) | \(.at_dest.evidence)' "${@:2}"
    is "$wanted" "$@"
}

# A domain that is defined and does not run, with the disk of a guest under another name.
twin() { # HOST NAME GUEST SED-EXPRESSION
    sed -e "s|<name>.*</name>|<name>$2</name>|" -e '/<uuid>/d' -e "$4" "$STATE/guests/$3/domain.xml" |
        on "$1" sh -c 'cat >/run/twin.xml && virsh -q define /run/twin.xml && rm /run/twin.xml'
}
twin_gone() { on "$1" virsh -q undefine "$2"; }

# What the name 'storage' leads to on a host: no address, or some.
storage_is() { # HOST ADDRESS…
    # shellcheck disable=SC2016
    on "$1" sh -c 'grep -v " storage$" /etc/hosts >/run/hosts.new
        for address; do echo "$address storage" >>/run/hosts.new; done
        cat /run/hosts.new >/etc/hosts; rm /run/hosts.new' sh "${@:2}"
}
storage_is_nothing() { storage_is hostA; storage_is hostB; }

address_add() { lab nfs run ip addr add "$ALSO/16" dev sw0; }
address_gone() { lab nfs run ip addr del "$ALSO/16" dev sw0; }

# A server on the client machine over a copy of the first one's file system: every number is the same there.
clone_up() {
    # shellcheck disable=SC2016
    lab nfs run sh -euc 'sync -f one; cp --sparse=always disks/one clone.disk; e2fsck -fy clone.disk >/dev/null || [ $? -le 2 ]
        sed -e /Bind_addr/d -e "s|Path = .*/one;|Path = /run/clone;|" -e "/Export_Id = 2/,/FSAL/s|Path = .*;|Path = /run;|" \
            -e "/RecoveryRoot/s|recovery;|recovery-clone;|" ganesha.conf >clone.conf
        mkdir -p recovery-clone'
    # shellcheck disable=SC2016
    on client sh -euc 'mkdir -p /run/clone; mount -o loop,noatime "$0/clone.disk" /run/clone
        setsid rpcbind -f -w >/run/clone-rpcbind.log 2>&1 & echo $! >/run/clone-rpcbind.pid
        until rpcinfo -p 127.0.0.1 >/dev/null 2>&1; do sleep 0.05; done
        ganesha.nfsd -f "$0/clone.conf" -L /run/clone.log -p /run/clone.pid -N NIV_EVENT
        until rpcinfo -T tcp 127.0.0.1 nfs 3 >/dev/null 2>&1; do sleep 0.05; done' "$STATE/nfs"
}
clone_down() {
    # shellcheck disable=SC2016
    on client sh -c 'kill -KILL $(cat /run/clone.pid /run/clone-rpcbind.pid)
        until umount /run/clone 2>/dev/null; do sleep 0.1; done; rmdir /run/clone; rm -f /run/clone*'
    lab nfs run sh -c 'rm -rf clone.disk clone.conf recovery-clone'
}

# A domain that is defined beside the guest takes the client machine for its server.
counted() { relay_up "$CLONE" "$SERVER" 111 20048 2049; }
# What a look at a domain's disks from both hosts takes: "N round trips, M for rights". Those of the latter, ACCESS
# and READ of an image's head alone, recognise nothing: they need the handle that the look brought.
trips_to_look_at() { # HOST DOMAIN DEST
    local before connections n
    read -r _ before connections <"$WORK/counts"
    n=$(ferry "$1" --json survey "$2" "$3" 2>/dev/null | jq '[.domain.disks[].sharing == "proved"] | all')
    [ "$n" = true ] || complain 'a disk is not proved shared'
    awk -v before="$before" '{ sub(":", "", $2); if ($2 + 0 <= before + 0) next; all[$2]
        if (!($4 == "100003," && ($6 == 4 || $6 == 6))) look[$2] }
        END { print length(look) " round trips, " length(all) - length(look) " for rights" }' "$WORK/calls"
    # Of either host one to each of the three ports.
    n=$(cut -d' ' -f3 "$WORK/counts")
    [ $((n - connections)) = 6 ] || complain "it took $((n - connections)) connections"
}

# A program that it is preloaded to takes the time for later than it is.
an_hour_later() {
    gcc -shared -fPIC -o "$WORK/later.so" -x c - <<'END'
#define _GNU_SOURCE
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
int clock_gettime(clockid_t clock, struct timespec *now)
{
    long code = syscall(SYS_clock_gettime, clock, now);
    if (code == 0 && clock == CLOCK_REALTIME)
        now->tv_sec += 3600;
    return (int)code;
}
END
}

# The same guest with its server named otherwise.
rename_server() { # HOST GUEST NAME
    # shellcheck disable=SC2016
    on "$1" sh -c 'virsh -q destroy "$0" && virsh dumpxml --inactive "$0" >/run/new.xml &&
        sed -i "s|<host name=.[^ /]*./>|<host name=\"$1\"/>|" /run/new.xml && virsh -q define /run/new.xml &&
        rm /run/new.xml && virsh -q start "$0"' "$2" "$3"
}

refused_with() { # TEXT GUEST
    exits 3 prints "$1" ferry hostA migrate "$2" hostB --allow-cleartext
    is hostA lab runners "$2"
    is_empty on hostB virsh -q list --all --name
}

it "a guest on an NFS disk is known as shared in three round trips, and moves by TCP"
needs_nfs
guest hostA held "${ON_NFS[@]}"
VIRT_FERRY_TRACE=1 prints "looked at NFS server '$SERVER', images: 1, round trips: 3" \
    lacks "image '/export/held-vda.img', round trips" ferry hostA plan held qemu+tcp://hostB/system --allow-cleartext
is 'vda=shared' treatments hostA held hostB
is 'proved true' identities hostA held hostB
# What the server's portmapper says of the time comes with the ports.
an_hour_later
exits 0 prints "the clock of NFS server '$SERVER' is 3599 s or more behind this machine's" \
    on hostA env LD_PRELOAD="$WORK/later.so" virt-ferry plan held hostB --allow-cleartext
exits 0 lacks 'nfs-clock' ferry hostA plan held hostB --allow-cleartext
ferry hostA migrate held qemu+tcp://hostB/system --allow-cleartext
lives_on hostB held

it "an export is looked at in three round trips by either host, whether it holds 8 images, 4 or 1: counted by a relay"
needs_nfs
counted
finally relay_down
guest hostA many --disk nfs:raw,nfs:raw,nfs:raw,nfs:raw,nfs:raw,nfs:raw,nfs:raw,nfs:raw --write-log
twin hostA counted many "s|<host name='$SERVER'/>|<host name='$CLONE'/>|"
finally twin_gone hostA counted
is '6 round trips, 1 for rights' trips_to_look_at hostA counted hostB
for disk in vdh vdg vdf vde; do on hostA virsh -q detach-disk counted "$disk" --config; done
is '6 round trips, 1 for rights' trips_to_look_at hostA counted hostB
for disk in vdd vdc vdb; do on hostA virsh -q detach-disk counted "$disk" --config; done
is '6 round trips, 1 for rights' trips_to_look_at hostA counted hostB
lab rm many

it "two exports of one server take no more, nor do the heads of qcow2 images"
needs_nfs
counted
finally relay_down
guest hostA many --disk nfs,nfs2:raw,nfs --write-log
twin hostA counted many "s|<host name='$SERVER'/>|<host name='$CLONE'/>|"
finally twin_gone hostA counted
is '6 round trips, 2 for rights' trips_to_look_at hostA counted hostB
lab rm many

it "and back by SSH"
needs_nfs
guest hostB held "${ON_NFS[@]}"
prints 'ssh-gated' ferry hostB migrate held hostA
lives_on hostA held

deep "a running guest is not moved with a qcow2 image that grows unseen there; a suspended one is"
needs_nfs
guest hostA grows --disk nfs --write-log
exits 3 prints "read zeroes where disk 'vda' grows" prints 'virsh suspend' ferry hostA migrate grows hostB --allow-cleartext
exits 3 prints grows-unseen ferry hostA plan grows hostB --allow-cleartext
is_empty on hostB virsh -q list --all --name
lives_on hostA grows
on hostA virsh -q suspend grows
ferry hostA migrate grows hostB --allow-cleartext
on hostB virsh -q resume grows
lives_on hostB grows
lab rm grows

it "one directory that is exported twice is one, and what is not there is said"
needs_nfs
guest hostA held "${ON_NFS[@]}"
twin hostA other held 's|/export/|/alias/|'
finally twin_gone hostA other
is "$(identity hostA held hostB)" identity hostA other hostB
twin hostA absent held 's|/export/held|/export/nothing|'
finally twin_gone hostA absent
exits 3 prints "there is no '/export/nothing-vda.img' on NFS server '$SERVER'" ferry hostA plan absent hostB
twin hostA elsewhere held 's|/export/held|/export/folder/held|'
finally twin_gone hostA elsewhere
exits 3 prints "'/export/folder'" prints 'showmount -e' ferry hostA plan elsewhere hostB

it "a name is resolved on each host, or it proves nothing"
needs_nfs
guest hostA held "${ON_NFS[@]}"
twin hostA named held "s|$SERVER|storage|"
finally twin_gone hostA named
finally storage_is_nothing
storage_is hostA "$SERVER"
storage_is hostB "$SERVER"
becomes "proved true" identities hostA named hostB
exits 3 prints "which address host 'hostB' has for NFS server 'storage' could not be asked" prints names_mean_the_same \
    ferry hostA plan named qemu+tcp://hostB/system
twin hostA loop held "s|$SERVER|127.0.0.1|"
finally twin_gone hostA loop
exits 3 prints "is each host's own loopback address" ferry hostA plan loop hostB

it "two addresses of one server are one, proved by a file that is gone afterwards"
needs_nfs
guest hostA held "${ON_NFS[@]}"
twin hostA named held "s|$SERVER|storage|"
finally twin_gone hostA named
finally storage_is_nothing
address_add
finally address_gone
storage_is hostA "$SERVER"
storage_is hostB "$ALSO"
becomes "proved true" identities hostA named hostB
storage_is hostA "$SERVER" "$ALSO"
becomes "proved true" identities hostA named hostB
is_empty lab nfs run find one two -name '.virt-ferry*'

it "a server that is a clone of another is another, and an image there is never overwritten"
needs_nfs
guest hostA held "${ON_NFS[@]}"
twin hostA named held "s|$SERVER|storage|"
finally twin_gone hostA named
clone_up
finally clone_down
finally storage_is_nothing
storage_is hostA "$SERVER"
storage_is hostB "$CLONE"
becomes "denied false" identities hostA named hostB
exits 3 prints "an image stands at '/export/held-vda.img' on the destination already" ferry hostA plan named hostB
storage_is hostA "$SERVER" "$CLONE"
exits 3 prints "which are two servers" ferry hostA plan named hostB
is_empty lab nfs run find one two -name '.virt-ferry*'
is_empty on client find /run/clone -name '.virt-ferry*'
lives_on hostA held

deep "a copy to another NFS server is made there without a mount, and is gone when the move is cancelled"
needs_nfs
clone_up
finally clone_down
finally storage_is_nothing
storage_is hostA "$SERVER"
storage_is hostB "$CLONE"
guest hostA moved --disk nfs,nfs:raw --fill 16
finally lab rm moved
rename_server hostA moved storage
becomes 'vda=copy vdb=copy' treatments hostA moved hostB
exits 5 ferry hostA migrate moved hostB --allow-cleartext --timeout 2 --bandwidth 2MiB/s
is hostA lab runners moved
is_empty on client find /run/clone -name 'moved-*'
ferry hostA migrate moved hostB --allow-cleartext
is hostB lab runners moved
on client qemu-img check -q -U -f qcow2 /run/clone/moved-vda.qcow2
is 67108864 on client stat -c %s /run/clone/moved-vdb.img

it "a server that is silent is said so in seconds, and QEMU is not asked into its silence"
needs_nfs
guest hostA still --disk nfs:raw
lab nfs stop
finally lab nfs cont
within 12 refused_with "NFS server '$SERVER' does not answer" still

it "a server that is gone, an export that was withdrawn"
needs_nfs
guest hostA still --disk nfs:raw
lab nfs kill
finally lab nfs start
within 6 refused_with 'Connection refused' still
lab nfs start
lab nfs unexport /export
finally lab nfs export /export
refused_with "NFS server '$SERVER' does not let this machine into '/export', if it is there" still

it "a stale handle: what was put in the place of an image while its server was away is not the guest's image"
needs_nfs
guest hostA stale --disk nfs:raw --write-log
occupies_enough() { [ "$(lab nfs run stat -c %b one/stale-vda.img)" -gt 1400 ]; } # more than file systems promise
await 60 occupies_enough
exits 0 lacks image-replaced ferry hostA check stale hostB --allow-cleartext
lab nfs run sh -c 'cd one && cp --sparse=always stale-vda.img copy && mv copy stale-vda.img'
lab nfs kill
lab nfs start
await 30 refused_with 'QEMU cannot say what the one that it has open does' stale
is hostA lab runners stale
lab rm stale

it "a server that takes root for nobody, one that is read-only, one that is full"
needs_nfs
guest hostA still --disk nfs:raw
lab nfs squash on /export
finally lab nfs squash off /export
is 'refuses nfs-root-squash' said hostA still hostB
refused_with 'root squash' still
lab nfs squash off /export
lab nfs readonly on /export
finally lab nfs readonly off /export
is 'refuses nfs-read-only' said hostA still hostB
refused_with 'read-only' still
lab nfs readonly off /export
lab nfs full on /export
finally lab nfs full off /export
is 'warns nfs-full' said hostA still hostB
lab nfs full off /export
is_empty said hostA still hostB
ferry hostA migrate still hostB --allow-cleartext
lives_on hostB still
