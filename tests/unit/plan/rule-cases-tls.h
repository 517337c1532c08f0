/* SPDX-License-Identifier: Apache-2.0
 * The cases of rules-tls.c: rows of the table in rule-cases.h, which includes this. */
#ifndef UNIT_PLAN_RULE_CASES_TLS_H
#define UNIT_PLAN_RULE_CASES_TLS_H

static struct parameter by_tls[] = { { "flag", "tls" }, { "tls.destination", "hostB" } };

/* n 1: the certificate bears the address. */
static void use_tls(struct facts *f, size_t n)
{
    struct channel *ch = &f->channels[0];

    ch->parameters = by_tls;
    ch->n_parameters = n;
    ch->protects_control = ch->protects_data = 2;
    ch->can_postcopy = true;
}
static void copy_by_tls(struct facts *f, size_t n)
{
    use_tls(f, n);
    (void)sample_local(sample_disk(f, "vdb"));
}

SPOIL(tls_shared, use_tls(f, 2))
SPOIL(tls_copied, copy_by_tls(f, 2))
SPOIL(clear_copied, (void)sample_local(sample_disk(f, "vdb")); tcp->can_postcopy = true)
SPOIL(tls_copied_old, copy_by_tls(f, 2); f->source.qemu_version = 6999999)
SPOIL(tls_copied_old_by_address, copy_by_tls(f, 1); f->source.qemu_version = 6999999)
SPOIL(tls_copied_seven, copy_by_tls(f, 2); f->source.qemu_version = f->dest.qemu_version = 7000000)
SPOIL(tls_shared_old, use_tls(f, 2); f->source.qemu_version = 6999999)
SPOIL(libvirt_old, copy_by_tls(f, 1); f->dest.libvirt_version = 4003999)
SPOIL(libvirt_old_source, copy_by_tls(f, 1); f->source.libvirt_version = 4003999)
SPOIL(libvirt_new, copy_by_tls(f, 1); f->source.libvirt_version = f->dest.libvirt_version = 4004000)
SPOIL(libvirt_old_shared, use_tls(f, 1); f->dest.libvirt_version = 4003999)
SPOIL(crash_from, copy_by_tls(f, 1); f->domain.has_iothreads = true; f->dest.qemu_version = 8002000)
SPOIL(crash_to, copy_by_tls(f, 1); f->domain.has_iothreads = true;
      f->source.qemu_version = f->dest.qemu_version = 9000999)
SPOIL(crash_before, copy_by_tls(f, 1); f->domain.has_iothreads = true; f->dest.qemu_version = 8001999)
SPOIL(crash_after, copy_by_tls(f, 1); f->domain.has_iothreads = true;
      f->source.qemu_version = f->dest.qemu_version = 9001000)
SPOIL(crash_without_threads, copy_by_tls(f, 1); f->dest.qemu_version = 8002000)
SPOIL(crash_of_shared, use_tls(f, 1); f->domain.has_iothreads = true; f->dest.qemu_version = 8002000)

SPOIL(hang_source, copy_by_tls(f, 1); f->source.qemu_version = 5999999)
SPOIL(hang_dest, copy_by_tls(f, 1); f->dest.qemu_version = 5999999)
SPOIL(hang_six, copy_by_tls(f, 1); f->source.qemu_version = f->dest.qemu_version = 6000000)
SPOIL(hang_shared, use_tls(f, 1); f->dest.qemu_version = 5999999)
SPOIL(hang_clear, (void)sample_local(sample_disk(f, "vdb")); f->dest.qemu_version = 5999999)

#define CASES_TLS_LIBVIRT                                                                                    \
    { "tls-copy-libvirt", libvirt_old, true, false },                                                        \
        { "tls-copy-libvirt", libvirt_old_source, true, false },                                             \
        { "tls-copy-libvirt", libvirt_new, false, true },                                                    \
    {                                                                                                        \
        "tls-copy-libvirt", libvirt_old_shared, false, true                                                  \
    }

#define CASES_TLS_HANG                                                                                       \
    { "tls-copy-hang", hang_source, true, false }, { "tls-copy-hang", hang_dest, true, false },              \
        { "tls-copy-hang", hang_six, false, true }, { "tls-copy-hang", hang_shared, false, true },           \
    {                                                                                                        \
        "tls-copy-hang", hang_clear, false, true                                                             \
    }

#define CASES_TLS                                                                                            \
    { "tls-copy-postcopy", tls_copied, true, true }, { "tls-copy-postcopy", tls_shared, false, true },       \
        { "tls-copy-postcopy", clear_copied, false, true },                                                  \
        { "tls-copy-name", tls_copied_old, true, false },                                                    \
        { "tls-copy-name", tls_copied_old_by_address, false, true },                                         \
        { "tls-copy-name", tls_copied_seven, false, true },                                                  \
        { "tls-copy-name", tls_shared_old, false, true }, { "tls-copy-crash", crash_from, true, false },     \
        { "tls-copy-crash", crash_to, true, false }, { "tls-copy-crash", crash_before, false, true },        \
        { "tls-copy-crash", crash_after, false, true },                                                      \
        { "tls-copy-crash", crash_without_threads, false, true },                                            \
    {                                                                                                        \
        "tls-copy-crash", crash_of_shared, false, true                                                       \
    }

#endif
