/* SPDX-License-Identifier: Apache-2.0
 * The child's side of a worker. Everything inherited but its socket and the standard descriptors is closed,
 * so that a lock or a connection of the parent never lives on in it. */
#include "worker/serve.h"

#include "base/log.h"
#include "base/text.h"
#include "worker/wire.h"
#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* close_range(2) came after the oldest libc that we build with learnt its name. */
static void close_others(int keep)
{
    if (keep > 3)
        (void)close_range(3, (unsigned)keep - 1u, 0);
    (void)close_range((unsigned)keep + 1u, ~0u, 0);
}

static void quiet(void *data, virErrorPtr error)
{
    (void)data;
    (void)error; /* every call's error is read where it was made; libvirt's default prints it */
}

static int run_verb(struct child *c, const struct verb *verbs, const json_t *question, json_t *reply,
                    struct error *err)
{
    const char *name = json_text(question, "verb", "");

    for (const struct verb *v = verbs; v->name; v++)
        if (text_equal(v->name, name))
            return v->run(c, json_child(question, "args"), reply, err);
    return error_set(err, ERROR_INPUT, c->host, "no verb '%s'", name);
}

static int answer(struct child *c, const struct verb *verbs, const json_t *question, struct error *err)
{
    OWNED_JSON reply = json_object();
    OWNED_JSON message = json_object();
    struct error failed = { 0 };

    if (!reply || !message || json_put_u64(message, "id", json_u64(question, "id", 0)) < 0)
        return error_memory(err);
    virResetLastError();
    if (run_verb(c, verbs, question, reply, &failed) < 0) {
        if (json_put(message, "error", json_of_error(&failed)) < 0)
            return error_memory(err);
    } else if (json_put(message, "reply", json_incref(reply)) < 0) {
        return error_memory(err);
    }
    return wire_send(c->fd, message, err);
}

static json_t *next_question(struct child *c, struct error *err)
{
    json_t *first = json_incref(json_array_get(c->waiting, 0));

    if (!first)
        return wire_receive(c->fd, err);
    (void)json_array_remove(c->waiting, 0);
    return first;
}

void serve_child(int fd, const struct worker_setup *setup)
{
    struct child c = { .fd = fd, .host = setup->host, .config = setup->config };
    struct error err = { 0 };

    close_others(fd);
    /* The trace's descriptor went as well, and its number will soon be a connection's. */
    log_open(getenv("VIRT_FERRY_TRACE"));
    (void)signal(SIGPIPE, SIG_IGN);
    /* libvirt's client library writes its warnings to stderr, into the midst of ours; whoever wants them sets
     * this himself. */
    if (setenv("LIBVIRT_LOG_OUTPUTS", "1:file:/dev/null", 0) < 0)
        _exit(1);
    if (virInitialize() < 0)
        _exit(1);
    virSetErrorFunc(NULL, quiet);
    for (;;) {
        OWNED_JSON question = next_question(&c, &err);

        if (!question || answer(&c, setup->verbs, question, &err) < 0)
            break;
    }
    if (c.other)
        (void)virConnectClose(c.other);
    if (c.gated)
        (void)virConnectClose(c.gated);
    if (c.libvirt)
        (void)virConnectClose(c.libvirt);
    if (c.at_end)
        c.at_end(&c);
    _exit(0);
}

int child_journal(struct child *c, json_t *records, struct error *err)
{
    OWNED_JSON owned = records;
    OWNED_JSON message = json_object();
    OWNED_JSON reply = NULL;

    if (!owned || !message || json_put(message, "journal", json_incref(owned)) < 0)
        return error_memory(err);
    if (wire_send(c->fd, message, err) < 0)
        return -err->code;
    /* Questions that were under way already stand before the answer: they are kept for their turn. */
    while ((reply = wire_receive(c->fd, err)) && json_child(reply, "verb")) {
        if (!c->waiting && !(c->waiting = json_array()))
            return error_memory(err);
        if (json_array_append_new(c->waiting, HAND_OVER(reply)) < 0)
            return error_memory(err);
    }
    if (!reply)
        return -err->code;
    if (json_child(reply, "error")) {
        json_to_error(json_child(reply, "error"), err);
        return err->code ? -err->code : error_set(err, ERROR_FAILED, c->host, "the journal refused a record");
    }
    return 0;
}

static enum error_code code_of(int libvirt_code)
{
    switch (libvirt_code) {
    case VIR_ERR_NO_DOMAIN:
    case VIR_ERR_NO_STORAGE_POOL:
    case VIR_ERR_NO_STORAGE_VOL:
    case VIR_ERR_NO_DOMAIN_METADATA:
        return ERROR_ABSENT;
    case VIR_ERR_STORAGE_VOL_EXIST:
        return ERROR_EXISTS;
    case VIR_ERR_NO_CONNECT:
    case VIR_ERR_INVALID_CONN:
    case VIR_ERR_AUTH_FAILED:
    case VIR_ERR_AUTH_CANCELLED:
    case VIR_ERR_AUTH_UNAVAILABLE:
    case VIR_ERR_RPC:
    case VIR_ERR_NO_SERVER:
    case VIR_ERR_UNKNOWN_HOST:
    case VIR_ERR_GNUTLS_ERROR:
        return ERROR_CONNECTION;
    default:
        return ERROR_LIBVIRT;
    }
}

int libvirt_error(struct error *err, const char *host, const char *format, ...)
{
    virErrorPtr last = virGetLastError();
    char what[sizeof err->what];
    va_list args;

    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    error_set(err, last ? code_of(last->code) : ERROR_LIBVIRT, host, "%s", what);
    error_why(err, "%s", last && last->message ? last->message : "libvirt gave no reason");
    err->detail = last ? last->code : 0;
    return -err->code;
}
