# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# `lab on`: a command as root on one machine, with a small clean environment.
# shellcheck disable=SC2154  # REPO comes from lab

cmd_on() {
    local machine=${1:-} pid build name directory=$PWD
    local -a environment
    [ $# -ge 2 ] || usage_error "usage: lab on HOST|client COMMAND [ARGUMENT…]"
    shift
    need_up
    pid=$(holder "$machine")
    build=${VIRT_FERRY_BUILD:-$REPO/build/release}
    environment=(HOME=/root USER=root LANG=C.UTF-8
        "PATH=$build:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
        "VIRT_FERRY_PLUGIN_PATH=${VIRT_FERRY_PLUGIN_PATH:-$build/plugins}")
    for name in "${!VIRT_FERRY_@}" "${!LAB_@}" TERM ASAN_OPTIONS UBSAN_OPTIONS LSAN_OPTIONS; do
        case $name in
            LAB_DIR | VIRT_FERRY_PLUGIN_PATH) continue ;;
        esac
        [ -z "${!name+set}" ] || environment+=("$name=${!name}")
    done
    # /run and some other folders are the machine's own there: the working folder may not exist.
    [ -d "/proc/$pid/root$directory" ] || directory=/
    exec nsenter -t "$pid" -m -n -u --wdns="$directory" -- env -i "${environment[@]}" "$@"
}
