# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# What the demo and the picture share: a lab of its own that goes away however this ends, guests in it, and
# commands that are shown as they are run. Sourced; bash with -euo pipefail.

STAGE_ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
LAB=$STAGE_ROOT/tests/lab/lab
LAB_ID=${LAB_ID:-90}
VIRT_FERRY_BUILD=${BUILD:-$STAGE_ROOT/build}/release
export LAB_ID VIRT_FERRY_BUILD
STEP_S=120 # nothing takes longer on the slowest machine; a step that hangs ends the demo

# shellcheck disable=SC2034  # GREEN is for those who source this
BOLD='' GREEN='' RED='' PLAIN=''
if [ -t 1 ] && [ -z "${NO_COLOR:-}" ] && [ "${TERM:-dumb}" != dumb ]; then
    # shellcheck disable=SC2034
    BOLD=$'\033[1m' GREEN=$'\033[32m' RED=$'\033[31m' PLAIN=$'\033[0m'
fi

# In the foreground, so that Ctrl-C reaches it.
bounded() {
    timeout --foreground "$STEP_S" "$@" </dev/null
}

# Without a terminal, where virsh would look for a polkit agent and complain. Ctrl-C ends the wait, and `lab down` the
# command.
in_lab() { # COMMAND of lab…
    setsid --wait timeout "$STEP_S" "$LAB" "$@" </dev/null &
    wait $!
}

die() {
    printf '%sdemo: %s%s\n' "$RED" "$*" "$PLAIN" >&2
    exit 1
}

stage_clear() {
    local code=$?
    trap - EXIT
    trap '' INT TERM HUP
    disown -a # or bash tells of what `lab down` kills
    [ -z "${WORK:-}" ] || rm -rf "$WORK"
    [ -z "${STAGE_IS_UP:-}" ] || "$LAB" down || code=1
    exit "$code"
}

# A lab that stands already is somebody's, and stays.
stage_up() { # OPTION of lab up…
    [ "$(id -u)" = 0 ] || die "the lab needs root: run 'sudo make demo'"
    [ -x "$VIRT_FERRY_BUILD/virt-ferry" ] || die "'$VIRT_FERRY_BUILD/virt-ferry' is not built: run 'make'"
    [ ! -e "/tmp/virt-ferry-lab.$LAB_ID" ] || die "lab $LAB_ID is up already: name another by LAB_ID"
    trap stage_clear EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM HUP
    WORK=$(mktemp -d "${TMPDIR:-/tmp}/virt-ferry-demo.XXXXXX")
    STAGE_IS_UP=yes
    in_lab up "$@"
}

source_host() { # COMMAND…
    bounded "$LAB" on hostA "$@"
}

prompt() { # COMMAND…
    printf '\n%shostA#%s %s\n' "$BOLD" "$PLAIN" "$*"
}

# As one would type it on the source host.
shown() { # COMMAND…
    prompt "$@"
    source_host "$@"
}
