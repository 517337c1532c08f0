/* SPDX-License-Identifier: Apache-2.0
 * The words for ssh stand behind those for the program: it runs ssh where it cannot do it by itself. */
#include "session.h"
#include "own-program.h"

void words_of_session(struct words *w, const struct place *p, const char *folder, const char *command)
{
    words_of_run(w, p, folder, command);
    if (own_program(SESSION_PROGRAM, w->program, sizeof w->program))
        words_through(w, w->program);
}
