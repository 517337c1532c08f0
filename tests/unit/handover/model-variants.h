/* SPDX-License-Identifier: Apache-2.0
 * The kinds of runs and faults in which no rule may break. */
#ifndef UNIT_RUN_MODEL_VARIANTS_H
#define UNIT_RUN_MODEL_VARIANTS_H

#include "model-rules.h"

static const struct {
    const char *name;
    struct variant v;
} safe[] = {
    { "gated", { .has_gate = true, .is_persistent = true } },
    { "gated, transient", { .has_gate = true } },
    { "gated, paused before", { .has_gate = true, .was_paused = true, .is_persistent = true } },
    { "gated, paused before, transient", { .has_gate = true, .was_paused = true } },
    { "held", { .is_held = true, .is_persistent = true } },
    { "held, transient", { .is_held = true } },
    { "held, paused before", { .is_held = true, .was_paused = true, .is_persistent = true } },
    { "held, success journalled", { .is_held = true, .is_persistent = true, .says_moved = true } },
    { "gated, reboots", { .has_gate = true, .is_persistent = true, .reboots = true } },
    { "gated, reboots, transient", { .has_gate = true, .reboots = true } },
    { "held, reboots", { .is_held = true, .is_persistent = true, .reboots = true } },
    { "gated, guest ends", { .has_gate = true, .is_persistent = true, .guest_ends = true } },
    { "held, guest ends", { .is_held = true, .is_persistent = true, .guest_ends = true } },
    { "gated, hosts die", { .has_gate = true, .is_persistent = true, .dies = true } },
    { "gated, transient, hosts die", { .has_gate = true, .dies = true } },
    { "gated, paused before, hosts die",
      { .has_gate = true, .was_paused = true, .is_persistent = true, .dies = true } },
    { "held, hosts die", { .is_held = true, .is_persistent = true, .dies = true } },
    { "held, hosts die, success journalled",
      { .is_held = true, .is_persistent = true, .dies = true, .says_moved = true } },
    { "held, transient, hosts die, success journalled",
      { .is_held = true, .dies = true, .says_moved = true } },
    { "held, paused before, hosts die, success journalled",
      { .is_held = true, .was_paused = true, .is_persistent = true, .dies = true, .says_moved = true } },
    { "gated, hosts die, success journalled",
      { .has_gate = true, .is_persistent = true, .dies = true, .says_moved = true } },
    { "post-copy", { .has_gate = true, .is_persistent = true, .postcopy = true } },
    { "post-copy, transient", { .has_gate = true, .postcopy = true } },
    { "post-copy, success journalled",
      { .has_gate = true, .is_persistent = true, .postcopy = true, .says_moved = true } },
    { "post-copy, hosts die, success journalled",
      { .has_gate = true, .is_persistent = true, .postcopy = true, .dies = true, .says_moved = true } },
    { "post-copy, transient, hosts die, success journalled",
      { .has_gate = true, .postcopy = true, .dies = true, .says_moved = true } },
    { "post-copy, reboots", { .has_gate = true, .is_persistent = true, .postcopy = true, .reboots = true } },
    { "gated, QEMU dies", { .has_gate = true, .is_persistent = true, .qemu_dies = true } },
    { "held, QEMU dies", { .is_held = true, .is_persistent = true, .qemu_dies = true } },
    { "gated, paused before, QEMU dies",
      { .has_gate = true, .was_paused = true, .is_persistent = true, .qemu_dies = true } },
    { "post-copy, QEMU dies",
      { .has_gate = true, .is_persistent = true, .postcopy = true, .qemu_dies = true } },
    { "gated, guest stops", { .has_gate = true, .is_persistent = true, .stops = true } },
    { "held, guest stops", { .is_held = true, .is_persistent = true, .stops = true } },
    { "gated, libvirt forgets", { .has_gate = true, .is_persistent = true, .forgets = true } },
    { "gated, paused before, libvirt forgets",
      { .has_gate = true, .was_paused = true, .is_persistent = true, .forgets = true } },
    { "gated, paused before, libvirt forgets, success journalled",
      { .has_gate = true, .was_paused = true, .is_persistent = true, .forgets = true, .says_moved = true } },
    { "held, libvirt forgets", { .is_held = true, .is_persistent = true, .forgets = true } },
    { "held, libvirt forgets, hosts die, success journalled",
      { .is_held = true, .is_persistent = true, .forgets = true, .dies = true, .says_moved = true } },
    { "post-copy, libvirt forgets, success journalled",
      { .has_gate = true, .is_persistent = true, .postcopy = true, .forgets = true, .says_moved = true } },
    { "locked", { .has_lock = true, .is_persistent = true } },
    { "locked, transient", { .has_lock = true } },
    { "locked, success journalled", { .has_lock = true, .is_persistent = true, .says_moved = true } },
    { "locked, libvirt forgets", { .has_lock = true, .is_persistent = true, .forgets = true } },
    { "gate turns the confirm", { .has_gate = true, .is_persistent = true, .turns = true } },
    { "gate turns the confirm, all faults",
      { .has_gate = true, .is_persistent = true, .turns = true, .reboots = true, .guest_ends = true } },
};

#endif
