# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# The cables: up, down, slow, lossy, and one way filtered. Each fault is a qdisc or an nftables table
# of its own, so that taking one away touches no other.
# shellcheck disable=SC2154  # STATE comes from lab

# Both ends, since a queue shapes only what leaves: eth0 what the machine sends, the switch's port
# what it receives.
link_rate() { # MACHINE RATE
    local end
    for end in "$1 eth0" "switch $1"; do
        if [ "$2" = none ]; then
            # shellcheck disable=SC2086
            inside ${end% *} tc qdisc delete dev "${end#* }" root 2>/dev/null || true
        else
            # shellcheck disable=SC2086
            inside ${end% *} tc qdisc replace dev "${end#* }" root \
                tbf rate "$2" burst 256kb latency 20ms || die "could not set the rate '$2' of '$1'"
        fi
    done
}

# At ingress of both ends: there the guests' frames pass too, which the inet hooks do not see.
link_loss() { # MACHINE PERCENT
    local end
    case $2 in
        '' | *[!0-9]* | ????*) usage_error "loss is a whole percentage, not '$2'" ;;
    esac
    for end in "$1 eth0" "switch $1"; do
        inside "${end% *}" nft -f - <<END
add table netdev loss_$1
delete table netdev loss_$1
table netdev loss_$1 {
    chain ingress {
        type filter hook ingress device "${end#* }" priority 0;
        numgen random mod 100 < $2 counter drop
    }
}
END
    done
}

# In the receiver, at input: a packet dropped where it is sent would be an error to the sender.
link_one_way() { # FROM TO drop|rst|ok
    local verdict table=from_$1
    case $3 in
        drop) verdict='counter drop' ;;
        rst) verdict='meta l4proto tcp counter reject with tcp reset' ;;
        ok) verdict= ;;
        *) usage_error "usage: lab link FROM TO drop|rst|ok" ;;
    esac
    inside "$2" nft -f - <<END
add table inet $table
delete table inet $table
${verdict:+table inet $table {
    chain input {
        type filter hook input priority -10;
        ip saddr $(address_of "$1") $verdict
    \}
\}}
END
}

need_machine() { is_machine "$1" || die "no machine '$1' in lab $LAB_ID"; }

cmd_link() {
    local usage="usage: lab link HOST up|down|rate RATE|loss PERCENT, or FROM TO drop|rst|ok"
    [ $# -ge 2 ] || usage_error "$usage"
    need_up
    need_machine "$1"
    case $#:$2 in
        2:up | 2:down) inside switch ip link set "$1" "$2" ;;
        3:rate) link_rate "$1" "$3" ;;
        3:loss) link_loss "$1" "$3" ;;
        3:*)
            need_machine "$2"
            link_one_way "$@"
            ;;
        *) usage_error "$usage" ;;
    esac
}
