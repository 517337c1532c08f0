# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# shellcheck disable=SC2034,SC2317  # for the files that read this
# What cases share in which a host or an answer is lost at the switch-over. Read behind lib.sh.

MIGRATE='migrate --allow-cleartext'

# What DEST's libvirtd says to SOURCE is lost from the first pass on; guest and migration stream go on, since that
# has a connection of its own.
APART='--strategy postcopy-ssh-clear-gated'
deafen_at_first_pass() { # SOURCE DEST
    finally hear_again "$1"
    at_event "$1" migration-iteration "nft 'table inet deaf { chain in { type filter hook input priority 0;
        ip saddr $(address_of "$2") tcp sport { 22, 16509 } drop; }; }'"
}

hear_again() { lab on "$1" nft delete table inet deaf 2>/dev/null || true; }
one_runner() { is 1 count lab runners "$1"; }
count() { "$@" | wc -l; }
code_of() { # COMMAND…: into $code, its output into $WORK/said
    code=0
    "$@" >"$WORK/said" 2>&1 || code=$?
    cat "$WORK/said"
}

# The next run of the same command ends with the guest on DEST alone, whatever the last one left.
settles() { # SOURCE GUEST DEST
    # shellcheck disable=SC2086
    exits 0 ferry "$1" $MIGRATE "$2" "$3"
    lives_on "$3" "$2"
    nothing_left
}
