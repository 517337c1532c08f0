# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# `lab capture`: looks for the guests' markers (marker.h) in all that passes the cable of a host.
# shellcheck disable=SC2154  # LAB_DIR and STATE come from lab
# shellcheck source-path=SCRIPTDIR
# shellcheck source=boot.sh
. "$LAB_DIR/boot.sh"

cmd_capture() { # HOST start|stop
    local folder=$STATE/machines/$1 pid tries
    [ -d "$folder" ] || usage_error "there is no machine '$1'"
    case ${2:-} in
        start)
            [ -x "$STATE/bin/capture" ] || compile capture
            rm -f "$folder/captured" "$folder/capture.log"
            inside_background switch "$folder/capture.log" "$STATE/bin/capture" "$1" "$folder/captured"
            echo $! >"$folder/capture.pid"
            for ((tries = 0; tries < 250; tries++)); do
                ! grep -qx ready "$folder/capture.log" 2>/dev/null || return 0
                sleep 0.02
            done
            die "the capture on '$1' did not begin: $(cat "$folder/capture.log")"
            ;;
        stop)
            pid=$(cat "$folder/capture.pid" 2>/dev/null) || die "nothing is captured on '$1'"
            kill -TERM "$pid"
            rm -f "$folder/capture.pid"
            for ((tries = 0; tries < 500; tries++)); do
                [ ! -s "$folder/captured" ] || { cat "$folder/captured"; return 0; }
                sleep 0.02
            done
            die "the capture on '$1' did not end: $(cat "$folder/capture.log")"
            ;;
        *) usage_error "usage: lab capture HOST start|stop" ;;
    esac
}
