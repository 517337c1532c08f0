/* SPDX-License-Identifier: Apache-2.0
 * A table of phrases, the first that is found counts. ssh is run in the C locale. */
#include "said.h"
#include <string.h>

static const struct {
    const char *phrase;
    enum said means;
} phrases[] = {
    { "REMOTE HOST IDENTIFICATION HAS CHANGED", SAID_KEY_CHANGED },
    { "Host key verification failed", SAID_KEY_NOT_KNOWN },
    { "Permission denied (", SAID_DENIED },
    { "Too many authentication failures", SAID_DENIED },
    { "Could not resolve hostname", SAID_NO_NAME },
    { "Connection timed out", SAID_TIMEOUT },
    { "Operation timed out", SAID_TIMEOUT },
    { "Connection refused", SAID_REFUSED },
    { "No route to host", SAID_NO_ROUTE },
    { "Network is unreachable", SAID_NO_ROUTE },
    { "administratively prohibited", SAID_FORBIDDEN },
    { "open failed: ", SAID_OPEN_FAILED },
};

enum said said_by(const char *text)
{
    for (size_t i = 0; i < sizeof phrases / sizeof phrases[0]; i++)
        if (strstr(text, phrases[i].phrase))
            return phrases[i].means;
    return SAID_NOTHING;
}

/* Of the text up to *end the last line that is not empty: where it begins; *end is then its own. */
static size_t last_line(const char *text, size_t *end)
{
    size_t begin;

    while (*end > 0 && (text[*end - 1] == '\n' || text[*end - 1] == '\r'))
        --*end;
    for (begin = *end; begin > 0 && text[begin - 1] != '\n'; begin--)
        ;
    return begin;
}

static void put(char *buf, size_t size, const char *line, size_t n)
{
    n = n < size - 1 ? n : size - 1;
    memcpy(buf, line, n);
    buf[n] = '\0';
}

void said_last_line(const char *text, char *buf, size_t size)
{
    size_t end = strlen(text);
    const size_t begin = last_line(text, &end);

    put(buf, size, text + begin, end - begin);
}

void said_line_of(const char *text, enum said what, char *buf, size_t size)
{
    for (const char *line = text; *line; line += strcspn(line, "\n"), line += *line == '\n') {
        put(buf, size, line, strcspn(line, "\r\n"));
        if (said_by(buf) == what)
            return;
    }
    said_last_line(text, buf, size);
}

#define OF_CHANNEL "channel "

void said_last_words(const char *text, char *buf, size_t size)
{
    size_t end = strlen(text);
    size_t begin = last_line(text, &end);

    while (end > begin && strncmp(text + begin, OF_CHANNEL, strlen(OF_CHANNEL)) == 0) {
        end = begin;
        begin = last_line(text, &end);
    }
    put(buf, size, text + begin, end - begin);
}
