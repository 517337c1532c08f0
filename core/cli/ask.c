/* SPDX-License-Identifier: Apache-2.0
 * Asks on the terminal itself, so that neither a pipe nor a log can answer or see. What was typed is wiped.
 */
#include "cli/ask.h"

#include "base/owned.h"
#include "base/text.h"
#include "host/passwords.h"
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#define CTRL_C 3

/* A line without its end; false when nobody answered, or with Ctrl-C. Whoever waits for signals has them
 * blocked, so that Ctrl-C is taken for a character that ends the line. */
static bool read_line(int tty, bool is_hidden, char *line, size_t size)
{
    struct termios before, quiet;
    ssize_t n;

    if (tcgetattr(tty, &before) < 0)
        return false;
    quiet = before;
    quiet.c_lflag &= ~(tcflag_t)(ISIG | (is_hidden ? ECHO : 0));
    quiet.c_cc[VEOL2] = CTRL_C;
    if (tcsetattr(tty, TCSAFLUSH, &quiet) < 0)
        return false;
    n = read(tty, line, size - 1);
    (void)tcsetattr(tty, TCSAFLUSH, &before);
    if (n < 1 || line[n - 1] != '\n') {
        explicit_bzero(line, size);
        return false;
    }
    line[n - 1] = '\0';
    return line[0] != '\0' && !strchr(line, CTRL_C);
}

static bool ask(int tty, const char *question, bool is_hidden, char *line, size_t size)
{
    bool is_answered;

    if (dprintf(tty, "%s: ", question) < 0)
        return false;
    is_answered = read_line(tty, is_hidden, line, size);
    if (is_hidden || !is_answered)
        (void)dprintf(tty, "\n");
    return is_answered;
}

bool ask_password(const char *host)
{
    OWNED_FD tty = isatty(STDIN_FILENO) ? open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY) : -1;
    char question[400], safe[300], user[256], password[1024];
    struct error ignored = { 0 };
    bool is_kept;

    if (tty < 0)
        return false;
    (void)snprintf(question, sizeof question, "User for libvirt on '%s'",
                   text_escape(safe, sizeof safe, host));
    is_kept = ask(tty, question, false, user, sizeof user) &&
              ask(tty, "Password", true, password, sizeof password) &&
              passwords_add(host, user, password, &ignored) == 0;
    explicit_bzero(password, sizeof password);
    return is_kept;
}

bool ask_attest(const char *claim)
{
    OWNED_FD tty = isatty(STDIN_FILENO) ? open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY) : -1;
    char question[600], safe[500], answer[16];

    if (tty < 0)
        return false;
    (void)snprintf(question, sizeof question, "Do you attest that %s? [yes/no]",
                   text_escape(safe, sizeof safe, claim));
    return ask(tty, question, false, answer, sizeof answer) && text_equal(answer, "yes");
}
