#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2317,SC2034  # cases call and read what is defined before them
# The plan's choice, and the moves that follow it: shared, copied and mixed guests, there and back.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$(readlink -f "$0")")/lib.sh"

IMAGES=/var/lib/libvirt/images
MIXED=(--disk "shared,local:raw,local:qcow2" --fill 16 --write-log)

plan_of() { ferry "$1" --json plan "${@:2}"; } # HOST GUEST DEST OPTION…

# "vda=shared vdb=copy", of the strategy that was chosen, or would be.
treatments() {
    plan_of "$@" | jq -r '.strategies[0].disks | map("\(.target)=\(.treatment)") | join(" ")'
}

# Format and virtual size of an image, as QEMU reads it with the guest running.
image_is() { # HOST PATH FORMAT BYTES
    is "$3 $4" image_facts "$1" "$2" "$3"
}
image_facts() {
    on "$1" qemu-img info -U --output json -f "$3" "$2" | jq -r '"\(.format) \(.["virtual-size"])"'
}

# A copied image stays where it was, and one that stands at the destination is never overwritten: so
# before a guest goes back the old one is taken away as an operator would.
old_images_remove() { # HOST GUEST
    local image
    on "$1" virsh -q pool-refresh default
    for image in $(on "$1" find "$IMAGES" -name "$2-vd?.*" -printf '%f\n'); do
        on "$1" virsh -q vol-delete --pool default "$image"
    done
}

# How many JSON documents stdout holds, and what the first one is.
documents() { ferry hostA --json "$@" 2>/dev/null | jq -rs '"\(length) \(.[0] | type)"'; }
facts_of_xml() {
    timeout 10 "$VIRT_FERRY_BUILD/virt-ferry" survey --domain-xml - |
        jq -r '"\(.domain.name) \(.domain.disks[0].target) \(.domain.disks[0].format)"'
}

it "a plan takes each disk for what it is and changes nothing"
guest hostA choice "${MIXED[@]}"
is 'vda=shared vdb=copy vdc=copy' treatments hostA choice hostB --allow-cleartext
is_empty on hostB find "$IMAGES" -name 'choice-*'
lives_on hostA choice

it "without leave nothing crosses the network in the clear, and the plan still shows its price"
guest hostA choice "${MIXED[@]}"
exits 3 prints '--allow-cleartext' prints 'trusted_networks' prints 'precopy-tcp-gated' \
    ferry hostA plan choice qemu+tcp://hostB/system
exits 3 prints 'in the clear' ferry hostA migrate choice qemu+tcp://hostB/system
lives_on hostA choice

it "a dry run shows the plan and leaves both hosts as they were"
guest hostA choice "${MIXED[@]}"
exits 0 prints 'precopy-tcp-gated' prints 'disks vdb, vdc copied' ferry hostA migrate choice hostB --allow-cleartext --dry-run
exits 3 prints 'in the clear' ferry hostA migrate choice qemu+tcp://hostB/system --dry-run
is_empty on hostB find "$IMAGES" -name 'choice-*'
lives_on hostA choice

it "a mixed guest moves: one disk shared, a raw and a qcow2 one copied"
guest hostA choice "${MIXED[@]}"
prints "Moved 'choice' to 'hostB' by postcopy-ssh-gated-mixed" ferry hostA migrate choice hostB
lives_on hostB choice
image_is hostB "$IMAGES/choice-vdb.img" raw 67108864
image_is hostB "$IMAGES/choice-vdc.qcow2" qcow2 67108864
on hostA test -e "$IMAGES/choice-vdb.img" -a -e "$IMAGES/choice-vdc.qcow2"

it "and back, to a host that is named by its URI"
guest hostB choice "${MIXED[@]}"
old_images_remove hostA choice
ferry hostB migrate choice qemu+tcp://hostA/system --allow-cleartext
lives_on hostA choice
image_is hostA "$IMAGES/choice-vdb.img" raw 67108864
image_is hostA "$IMAGES/choice-vdc.qcow2" qcow2 67108864

it "with --json stdout is one document, whatever comes of it"
guest hostA choice "${MIXED[@]}"
is '1 object' documents plan choice hostB --allow-cleartext
is '1 object' documents plan choice hostB
is '1 object' documents plan nobody hostB
is '1 object' documents migrate choice hostB --dry-run
lives_on hostA choice

it "what a move was is told as JSON too"
guest hostA agreed --write-log
ferry hostA --json migrate agreed hostB --allow-cleartext >"$WORK/moved.json"
jq -es 'length == 1 and (.[0] | .outcome == "moved" and .domain == "agreed" and .destination == "hostB" and
    (.strategy | test("-gated")) and .actual.time_ms > 0 and .actual.bytes > 0)' "$WORK/moved.json"
lives_on hostB agreed

it "a network that is declared trusted needs no other leave"
guest hostB agreed --write-log
printf '[security]\ntrusted_networks = 10.%d.0.0/16\n' $((100 + LAB_ID)) | settings hostB
finally no_settings hostB
is 'vda=shared' treatments hostB agreed hostA
ferry hostB migrate agreed qemu+tcp://hostA/system
lives_on hostA agreed

it "a network that is declared trusted is no other one"
guest hostA agreed --write-log
printf '[security]\ntrusted_networks = 10.%d.0.0/16\n' $((99 + LAB_ID)) | settings hostA
finally no_settings hostA
exits 3 prints 'in the clear' ferry hostA migrate agreed qemu+tcp://hostB/system
lives_on hostA agreed

it "a strategy of the plan can be asked for: held"
guest hostA agreed --write-log
prints 'by precopy-tcp-held' ferry hostA migrate agreed hostB --allow-cleartext --strategy precopy-tcp-held
lives_on hostB agreed

it "the strategy that would copy a shared disk onto itself cannot be asked for"
guest hostB agreed --write-log
exits 3 prints 'is refused' ferry hostB migrate agreed hostA --allow-cleartext --strategy precopy-tcp-gated-copy
exits 2 prints "has no strategy 'fastest'" ferry hostB migrate agreed hostA --allow-cleartext --strategy fastest
lives_on hostB agreed

it "a paused guest arrives paused"
guest hostB agreed --write-log
on hostB virsh -q suspend agreed
ferry hostB migrate agreed hostA --allow-cleartext
is paused on hostA virsh domstate agreed
is_empty lab runners agreed
on hostA virsh -q resume agreed
lives_on hostA agreed

it "a domain's facts are read from its XML, and no host is asked"
guest hostA agreed --write-log
on hostA virsh dumpxml agreed >"$WORK/agreed.xml"
is 'agreed vda qcow2' facts_of_xml <"$WORK/agreed.xml"
