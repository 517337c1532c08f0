/* SPDX-License-Identifier: Apache-2.0
 * A row for each thing that can be wrong with a certificate. */
#include "say.h"
#include <stdio.h>

#define TEXT(...) services->text(call, __VA_ARGS__)

int say_trouble(struct ferry_call *call, const struct ferry_services *services, const char *id,
                const char *fix, const char *what)
{
    if (!what)
        return -1; /* no memory, and that is said */
    services->finding(call, SAY_REFUSES, id, what, fix);
    services->error(call, fix, "%s", what);
    return -1;
}

static const char *const whose_words[] = {
    [WHOSE_OWN] = "own", [WHOSE_PEER] = "peer", [WHOSE_QEMU] = "qemu"
};

/* "certificate '/etc/pki/…' on 'hostA'" */
static const char *which(struct ferry_call *call, const struct ferry_services *services,
                         const struct shown *c)
{
    switch (c->whose) {
    case WHOSE_OWN:
        return TEXT("libvirt's client certificate '%s' on this machine", c->file);
    case WHOSE_PEER:
        return TEXT("the certificate that libvirt on '%s' shows", c->host);
    case WHOSE_QEMU:
        break;
    }
    return TEXT("QEMU's certificate '%s' on '%s'", c->file, c->host);
}

const char *say_how(struct ferry_call *call, const struct ferry_services *services, const struct shown *c)
{
    const char *line = c->use == CERTIFICATE_SERVER ? "tls_www_server" : "tls_www_client";
    const char *file = c->whose == WHOSE_PEER ? "/etc/pki/libvirt/servercert.pem" : c->file;

    return TEXT("Make it anew with certtool --generate-certificate, by a template with '%s', signing_key, "
                "encryption_key%s%s%s, and put it in place on %s%s%s as '%s'; docs/tls.md has the commands.",
                line, c->name ? " and dns_name or ip_address = '" : "", c->name ? c->name : "",
                c->name ? "'" : "", c->whose == WHOSE_OWN ? "this machine" : "'",
                c->whose == WHOSE_OWN ? "" : c->host, c->whose == WHOSE_OWN ? "" : "'", file);
}

static const char *day_of(struct ferry_call *call, const struct ferry_services *services, time_t t)
{
    struct tm parts;

    if (!gmtime_r(&t, &parts))
        return "a date that cannot be read";
    return TEXT("%04d-%02d-%02d", parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday);
}

static const struct row {
    const char *id; /* after "tls-WHOSE-" */
    enum certificate_problem problem;
    int severity;
} rows[] = {
    { "expired", CERTIFICATE_EXPIRED, SAY_REFUSES }, { "not-yet", CERTIFICATE_NOT_YET, SAY_REFUSES },
    { "foreign", CERTIFICATE_CA, SAY_REFUSES },      { "ca-expired", CERTIFICATE_CA_EXPIRED, SAY_REFUSES },
    { "name", CERTIFICATE_NAME, SAY_REFUSES },       { "use", CERTIFICATE_USE, SAY_REFUSES },
    { "use-odd", CERTIFICATE_USE_ODD, SAY_WARNS },   { "expires-soon", CERTIFICATE_SOON, SAY_WARNS },
};

static const char *what_is_wrong(struct ferry_call *call, const struct ferry_services *services,
                                 const struct shown *c, const struct judgement *j,
                                 enum certificate_problem problem)
{
    const char *cert = which(call, services, c);
    const char *end = c->use == CERTIFICATE_SERVER ? "a server" : "a client";

    if (!cert)
        return NULL;
    switch (problem) {
    case CERTIFICATE_EXPIRED:
        return TEXT("%s expired on %s", cert, day_of(call, services, j->until));
    case CERTIFICATE_NOT_YET:
        return TEXT("%s is not valid before %s", cert, day_of(call, services, j->from));
    case CERTIFICATE_SOON:
        return TEXT("%s expires on %s", cert, day_of(call, services, j->until));
    case CERTIFICATE_NAME:
        return TEXT("%s does not bear the name '%s', but %s", cert, c->name, j->names[0] ? j->names : "none");
    case CERTIFICATE_CA:
        return TEXT("%s was not signed by the CA that is trusted %s", cert,
                    c->whose == WHOSE_QEMU ? "there" : "here");
    case CERTIFICATE_CA_EXPIRED:
        return TEXT("the CA that signed %s has expired", cert);
    case CERTIFICATE_USE:
        return TEXT("%s was not made to be that of %s", cert, end);
    case CERTIFICATE_USE_ODD:
        return TEXT("%s was not made to be that of %s, as some versions of libvirt and QEMU want it", cert,
                    end);
    }
    return NULL;
}

static const char *fix_for(struct ferry_call *call, const struct ferry_services *services,
                           const struct shown *c, const struct judgement *j, enum certificate_problem problem)
{
    const char *how = say_how(call, services, c);

    if (problem == CERTIFICATE_NAME && c->whose == WHOSE_PEER)
        return TEXT("Call the host by a name in its certificate (%s). Or: %s", j->names, how ? how : "");
    if (problem == CERTIFICATE_NAME && c->whose == WHOSE_QEMU)
        return TEXT("Pass --tls-destination with one of its names. Or: %s", how ? how : "");
    if (problem == CERTIFICATE_CA)
        return TEXT("Let one CA sign the certificates of all hosts, and put it on each. %s", how ? how : "");
    return how;
}

unsigned say_judgement(struct ferry_call *call, const struct ferry_services *services, const struct shown *c,
                       const struct judgement *j, int is_error)
{
    unsigned n = 0;

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *id, *what, *fix;

        if (!(j->problems & rows[i].problem))
            continue;
        id = TEXT("tls-%s-%s", whose_words[c->whose], rows[i].id);
        what = what_is_wrong(call, services, c, j, rows[i].problem);
        fix = fix_for(call, services, c, j, rows[i].problem);
        if (!id || !what)
            continue;
        services->finding(call, rows[i].severity, id, what, fix);
        if (rows[i].severity == SAY_REFUSES && n++ == 0 && is_error)
            services->error(call, fix, "%s", what);
    }
    return n;
}

int say_unreadable(struct ferry_call *call, const struct ferry_services *services, const struct shown *c,
                   const char *id, const char *why, int is_error)
{
    const char *what =
        TEXT("'%s' on %s%s%s cannot be used: %s", c->file, c->whose == WHOSE_OWN ? "this machine" : "'",
             c->whose == WHOSE_OWN ? "" : c->host, c->whose == WHOSE_OWN ? "" : "'", why);
    const char *fix = say_how(call, services, c);

    if (!what)
        return -1;
    services->finding(call, SAY_REFUSES, id, what, fix);
    if (is_error)
        services->error(call, fix, "%s", what);
    return -1;
}
