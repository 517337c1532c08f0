/* SPDX-License-Identifier: Apache-2.0
 * Prints what libvirt on a host says of a guest, as it says it, a line each: `events URI GUEST`. "ready"
 * comes first, when nothing can be missed any more; then "started", "suspended", "resumed", "stopped" with
 * libvirt's detail, "pass N", "block-ready TARGET". Ends with the connection. */
#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>
#include <stdio.h>
#include <string.h>

static const char *guest;
static int is_closed;

static int is_other(virDomainPtr d)
{
    return strcmp(virDomainGetName(d), guest) != 0;
}

static int on_lifecycle(virConnectPtr c, virDomainPtr d, int event, int detail, void *context)
{
    static const char *const words[] = { "defined", "undefined", "started",      "suspended", "resumed",
                                         "stopped", "shutdown",  "pm-suspended", "crashed" };

    (void)c;
    (void)context;
    if (!is_other(d) && event >= 0 && event < (int)(sizeof words / sizeof *words))
        printf("%s %d\n", words[event], detail);
    return 0;
}

static void on_pass(virConnectPtr c, virDomainPtr d, int pass, void *context)
{
    (void)c;
    (void)context;
    if (!is_other(d))
        printf("pass %d\n", pass);
}

static void on_block_job(virConnectPtr c, virDomainPtr d, const char *target, int type, int status,
                         void *context)
{
    (void)c;
    (void)type;
    (void)context;
    if (!is_other(d) && status == VIR_DOMAIN_BLOCK_JOB_READY)
        printf("block-ready %s\n", target);
}

static void on_close(virConnectPtr c, int reason, void *context)
{
    (void)c;
    (void)context;
    printf("closed %d\n", reason);
    is_closed = 1;
}

static void be_silent(void *context, virErrorPtr err)
{
    (void)context;
    (void)err;
}

int main(int argc, char **argv)
{
    virConnectPtr c;

    if (argc != 3) {
        (void)fprintf(stderr, "usage: events URI GUEST\n");
        return 2;
    }
    guest = argv[2];
    (void)setvbuf(stdout, NULL, _IOLBF, 0);
    virSetErrorFunc(NULL, be_silent);
    if (virEventRegisterDefaultImpl() < 0 || !(c = virConnectOpen(argv[1]))) {
        (void)fprintf(stderr, "events: could not connect to '%s'\n", argv[1]);
        return 1;
    }
    if (virConnectRegisterCloseCallback(c, on_close, NULL, NULL) < 0 ||
        virConnectDomainEventRegisterAny(c, NULL, VIR_DOMAIN_EVENT_ID_LIFECYCLE,
                                         VIR_DOMAIN_EVENT_CALLBACK(on_lifecycle), NULL, NULL) < 0 ||
        virConnectDomainEventRegisterAny(c, NULL, VIR_DOMAIN_EVENT_ID_MIGRATION_ITERATION,
                                         VIR_DOMAIN_EVENT_CALLBACK(on_pass), NULL, NULL) < 0 ||
        virConnectDomainEventRegisterAny(c, NULL, VIR_DOMAIN_EVENT_ID_BLOCK_JOB_2,
                                         VIR_DOMAIN_EVENT_CALLBACK(on_block_job), NULL, NULL) < 0)
        return 1;
    puts("ready");
    while (!is_closed && virEventRunDefaultImpl() == 0)
        continue;
    return 0;
}
