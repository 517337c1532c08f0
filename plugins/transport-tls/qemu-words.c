/* SPDX-License-Identifier: Apache-2.0
 * What a host says of QEMU's folder, taken apart. It is text from outside: bounded, and whole or nothing. */
#include "qemu-words.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const qemu_file_names[QEMU_FILES] = {
    [QEMU_CA] = "ca-cert.pem",
    [QEMU_SERVER_CERT] = "server-cert.pem",
    [QEMU_CLIENT_CERT] = "client-cert.pem",
    [QEMU_SERVER_KEY] = "server-key.pem",
    [QEMU_CLIENT_KEY] = "client-key.pem",
};

static bool begins(const char *s, const char *with)
{
    return strncmp(s, with, strlen(with)) == 0;
}

static const char *line_after(const char *s)
{
    const char *end = strchr(s, '\n');

    return end ? end + 1 : NULL;
}

/* "WORD FILE": which one it is, or -1. */
static int file_of(const char *line, const char *word)
{
    const size_t n = strlen(word);

    if (!begins(line, word) || line[n] != ' ')
        return -1;
    for (int i = 0; i < QEMU_FILES; i++)
        if (begins(line + n + 1, qemu_file_names[i]) && line[n + 1 + strlen(qemu_file_names[i])] == '\n')
            return i;
    return -1;
}

static void take_state(const char *line, struct qemu_folder *ret)
{
    static const struct {
        const char *word;
        enum qemu_file_state state;
    } rows[] = { { "missing", QEMU_MISSING }, { "there", QEMU_THERE }, { "closed", QEMU_CLOSED } };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const int which = file_of(line, rows[i].word);

        if (which >= 0)
            ret->state[which] = rows[i].state;
    }
}

/* Behind "pem FILE", up to a line "end"; what follows, or NULL when there is no such line. */
static const char *take_pem(const char *line, struct qemu_folder *ret)
{
    const int which = file_of(line, "pem");
    const char *text = line_after(line), *end = text ? strstr(text, "\nend\n") : NULL;

    if (!end || which < 0 || which >= QEMU_SERVER_KEY || ret->certificates[which].n)
        return NULL;
    (void)certificates_of_pem(text, (size_t)(end - text), &ret->certificates[which]);
    return end + strlen("\nend\n");
}

static void take_line(const char *line, struct qemu_folder *ret)
{
    const size_t n = strcspn(line, "\n");

    if (begins(line, "dir ") && n - 4 < sizeof ret->path)
        (void)snprintf(ret->path, sizeof ret->path, "%.*s", (int)(n - 4), line + 4);
    else if (begins(line, "isdir\n"))
        ret->is_there = true;
    else if (begins(line, "verify "))
        ret->verifies = line[7] != '0';
    else if (begins(line, "now "))
        ret->now_s = strtoll(line + 4, NULL, 10);
    else
        take_state(line, ret);
}

bool qemu_folder_of_answer(const char *answer, struct qemu_folder *ret)
{
    *ret = (struct qemu_folder){ .verifies = true };
    for (const char *line = answer; line && *line;) {
        if (begins(line, "pem ")) {
            line = take_pem(line, ret);
            if (!line)
                return false;
            continue;
        }
        take_line(line, ret);
        line = line_after(line);
    }
    /* The time is printed last. */
    return ret->now_s > 0 && ret->path[0] == '/';
}

void qemu_folder_done(struct qemu_folder *f)
{
    for (int i = 0; i < QEMU_SERVER_KEY; i++)
        certificates_done(&f->certificates[i]);
}

/* "+108": the number, and what follows it; NULL: there is none. */
static const char *take_id(const char *s, unsigned *ret)
{
    char *end;
    unsigned long n;

    if (s[0] != '+' || s[1] < '0' || s[1] > '9')
        return NULL;
    n = strtoul(s + 1, &end, 10);
    *ret = (unsigned)n;
    return n < UINT32_MAX ? end : NULL;
}

bool qemu_user_of_capabilities(const char *xml, unsigned *ret_uid, unsigned *ret_gid)
{
    const char *dac = strstr(xml, "<model>dac</model>");
    const char *label = dac ? strstr(dac, "<baselabel") : NULL;
    const char *end = dac ? strstr(dac, "</secmodel>") : NULL;

    label = label ? strchr(label, '>') : NULL;
    if (!label || !end || label > end)
        return false;
    label = take_id(label + 1, ret_uid);
    label = label && *label == ':' ? take_id(label + 1, ret_gid) : NULL;
    return label && *label == '<';
}
