/* SPDX-License-Identifier: Apache-2.0
 * The cases of several connections: rows of the table in rule-cases.h, which includes this. */
#ifndef UNIT_PLAN_RULE_CASES_CONNECTIONS_H
#define UNIT_PLAN_RULE_CASES_CONNECTIONS_H

#define FOUR limits->connections = 4, tcp->can_multifd = true
SPOIL(four_asked, FOUR)
SPOIL(one_asked, limits->connections = 1; tcp->can_postcopy = true)
SPOIL(four_and_postcopy, FOUR; tcp->can_postcopy = true)
SPOIL(four_not_carried, limits->connections = 4)
SPOIL(four_of_a_guest_that_is_off, limits->connections = 4; f->domain.run = RUN_SHUTOFF)
SPOIL(four_of_a_paused_guest, FOUR; f->domain.run = RUN_PAUSED)
SPOIL(four_libvirt_old, FOUR; f->source.libvirt_version = 5001999; f->dest.libvirt_version = 9000000)
SPOIL(four_libvirt_old_there, FOUR; f->source.libvirt_version = 9000000; f->dest.libvirt_version = 5001999)
SPOIL(four_libvirt_first, FOUR; f->source.libvirt_version = f->dest.libvirt_version = 5002000)
SPOIL(four_qemu_old, FOUR; f->dest.qemu_version = 3999999)
SPOIL(four_qemu_first, FOUR; f->source.qemu_version = f->dest.qemu_version = 4000000)
static struct parameter four_tls[] = { { "flag", "tls" } };
SPOIL(four_qemu_old_for_tls, FOUR; tcp->parameters = four_tls; tcp->n_parameters = 1;
      f->source.qemu_version = 5001999)
SPOIL(four_qemu_first_for_tls, FOUR; tcp->parameters = four_tls; tcp->n_parameters = 1;
      f->source.qemu_version = f->dest.qemu_version = 5002000)
SPOIL(four_idle, FOUR; f->source.cpus_idle_milli = f->dest.cpus_idle_milli = 4000)
SPOIL(four_not_idle, FOUR; f->source.cpus_idle_milli = 16000; f->dest.cpus_idle_milli = 3999)
SPOIL(four_through_one_ssh, FOUR; tcp->data_uri = "unix:///run/ram")
SPOIL(four_through_three_ssh, FOUR; tcp->data_uri = "unix:///run/ram"; tcp->forwards = 3)
SPOIL(four_through_an_ssh_each, FOUR; tcp->data_uri = "unix:///run/ram"; tcp->forwards = 4)

#define CASES_CONNECTIONS                                                                                    \
    { "connections-postcopy", four_and_postcopy, true, true },                                               \
        { "connections-postcopy", one_asked, false, true },                                                  \
        { "connections-postcopy", four_of_a_paused_guest, false, true },                                     \
        { "connections-channel", four_not_carried, true, false },                                            \
        { "connections-channel", four_asked, false, true },                                                  \
        { "connections-channel", four_of_a_guest_that_is_off, false, true },                                 \
        { "connections-version", four_libvirt_old, true, false },                                            \
        { "connections-version", four_libvirt_old_there, true, false },                                      \
        { "connections-version", four_libvirt_first, false, true },                                          \
        { "connections-version", four_qemu_old, true, false },                                               \
        { "connections-version", four_qemu_first, false, true },                                             \
        { "connections-version", four_qemu_old_for_tls, true, false },                                       \
        { "connections-version", four_qemu_first_for_tls, false, true },                                     \
        { "connections-idle", four_not_idle, true, true }, { "connections-idle", four_idle, false, true },   \
        { "connections-idle", four_asked, false, true },                                                     \
        { "connections-forward", four_through_one_ssh, true, true },                                         \
        { "connections-forward", four_through_three_ssh, true, true },                                       \
        { "connections-forward", four_through_an_ssh_each, false, true },                                    \
    {                                                                                                        \
        "connections-forward", four_asked, false, true                                                       \
    }

#endif
