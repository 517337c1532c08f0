# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# What must not be left after a case, and how a lab that a failed case left dirty is made sound again.
# shellcheck disable=SC2154  # STATE and REPO come from lib.sh

MARK_NAMESPACE=virt-ferry.dev/ns/run

# Prints what is left on a host: one shell there for all questions, and as few virsh as can be.
traces_on() { # HOST
    # shellcheck disable=SC2016
    on "$1" timeout 30 bash -c '
        find /srv/shared /var/lib/libvirt/images -maxdepth 1 -name ".virt-ferry*" -printf "file %p\n" 2>&1
        ls /run/virt-ferry 2>/dev/null | sed "s/^/gate /"
        virsh -q "pool-list --all --name; list --all --name" | while read -r name; do
            case $name in
                "") continue ;;
                *virt-ferry*) echo "pool $name" ;;
            esac
            ! { virsh -q dumpxml -- "$name"; virsh -q dumpxml --inactive -- "$name"; } 2>/dev/null |
                grep -qF "$0" || echo "mark in domain $name"
        done' "$MARK_NAMESPACE" </dev/null
}

journals_left() {
    local journal
    for journal in "$STATE"/machines/*/lib-virt-ferry/runs/*.journal; do
        [ ! -e "$journal" ] || grep -q '"step":"end"' "$journal" || echo "journal without its end: $journal"
    done
}

# Programs of a run that outlived it, in any machine of this lab.
processes_left() {
    local pid proc namespaces=' '
    for proc in "$STATE"/machines/*/pid; do
        namespaces+="$(readlink "/proc/$(<"$proc")/ns/net") "
    done
    for pid in $(pgrep '^virt-ferry'); do
        [[ $namespaces != *" $(readlink "/proc/$pid/ns/net" || echo none) "* ]] || echo "process $pid"
    done
}

traces() {
    local host
    for host in $(hosts); do
        traces_on "$host" | sed "s/^/on $host: /" &
    done
    journals_left
    processes_left
    wait
}

nothing_left() {
    local left
    left=$(traces)
    [ -z "$left" ] || { printf '*** left behind:\n%s\n' "$left"; return 1; }
}

guests_remove() {
    local folder host code=0
    for folder in "$STATE"/guests/*/; do
        [ ! -d "$folder" ] || lab rm "$(basename "$folder")" || code=1
    done
    # libvirt lists the volumes of a pool as it last saw them.
    for host in $(hosts); do
        on "$host" timeout 20 virsh -q pool-refresh default || code=1
    done
    return "$code"
}

links_restore() {
    local one other machines
    machines="client $(hosts)"
    for one in $machines; do
        lab link "$one" up && lab link "$one" rate none && lab link "$one" loss 0 || return 1
        for other in $machines; do
            [ "$one" = "$other" ] || lab link "$one" "$other" ok || return 1
        done
    done
}

daemons_restore() {
    local host
    for host in $(hosts); do
        lab libvirtd "$host" cont 2>/dev/null
        lab libvirtd "$host" start && on "$host" timeout 20 virsh -q list >/dev/null || return 1
    done
}

# What nothing but these tests put there; with the guests gone nothing of it is needed.
places_clear() {
    local host
    for host in $(hosts); do
        # shellcheck disable=SC2016
        on "$host" bash -c '
            virsh -q pool-list --all --name | grep -F virt-ferry | while read -r pool; do
                virsh -q pool-destroy "$pool"
            done
            rm -rf /run/virt-ferry /srv/shared/.virt-ferry-* /var/lib/libvirt/images/.virt-ferry-*
            : >/etc/virt-ferry.conf
            rm -f /var/lib/virt-ferry/runs/*.journal' >/dev/null 2>&1
    done
    rm -f "$STATE"/machines/client/lib-virt-ferry/runs/*.journal
}

# After a failed case. Fails only if not even a new lab can be had.
heal() {
    {
        if links_restore && daemons_restore && guests_remove && places_clear && nothing_left; then
            return 0
        fi
        echo "# the lab is made anew"
        lab down
        # shellcheck disable=SC2086  # options, a word each
        lab up ${INTEGRATION_LAB:-}
    } </dev/null 2>&1 | sed 's/^/# heal: /'
    [ -e "$STATE/up" ] || echo "Bail out! the lab could not be made anew"
    [ -e "$STATE/up" ]
}
