/* SPDX-License-Identifier: Apache-2.0
 * A shell there that listens to us (hold.h): it ends with this worker, with ssh, with the connection, or when
 * a cut link keeps it from hearing us, and then the folder goes. No signal is needed for that, and no later
 * run. */
#include "keeper.h"
#include "hold.h"
#include "master.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define NO_AES "no-aes"

/* The parent of all such folders stays: others' may lie there. Nothing is removed that is not ours by name.
 * The lock is for runs of virt-ferry on that host: they remove what nobody holds. */
const char *const keeper_words[] = {
    "bash", "-c",
    "trap \"\" HUP PIPE; IFS= read -r folder && IFS= read -r owner && IFS= read -r n || exit 1; "
    "mkdir -p -m 0711 \"${folder%/*}\" && mkdir -m 0700 \"$folder\" && exec 9<\"$folder\" && flock 9 || exit "
    "1; "
    "if [ -z \"$owner\" ] || chown \"$owner\" \"$folder\"; then "
    "grep -qw aes /proc/cpuinfo 2>/dev/null; [ $? = 1 ] && echo " NO_AES "; echo ready; "
    "while read -r -t " HOLD_SILENCE_SECONDS " x; do :; done; fi; "
    "rm -f \"$folder/" PLACE_RAM "$n\" \"$folder/" PLACE_DISKS "$n\"; rmdir \"$folder\"",
    NULL
};

const char *const carrier_words[] = { "bash", "-c",
                                      "trap \"\" HUP PIPE; echo ready; while read -r -t " HOLD_SILENCE_SECONDS
                                      " x; do :; done",
                                      NULL };

static struct hold keeper = HOLD_NONE, carriers[KEEPER_MOST] = { [0 ... KEEPER_MOST - 1] = HOLD_NONE };
static char said[512];

/* problem: the errno of what was begun. */
static int wait_for(struct hold *h, int problem, int64_t until_ms, const char **ret_said)
{
    if (!problem && hold_wait(h, until_ms))
        return 0;
    if (problem)
        (void)snprintf(said, sizeof said, "%s", strerror(problem));
    else
        hold_said(h, said, sizeof said);
    if (!said[0])
        (void)snprintf(said, sizeof said, "nothing was heard of it");
    *ret_said = said;
    hold_end(h);
    return -1;
}

int keeper_begin(const struct words *w, const char *folder, const char *owner, const char *suffix, int ms,
                 const char **ret_said)
{
    char lines[2 * PLACE_PATH_SIZE + PLACE_SUFFIX_SIZE];
    const int n = snprintf(lines, sizeof lines, "%s\n%s\n%s\n", folder, owner ? owner : "", suffix);

    keeper_end();
    return wait_for(&keeper,
                    n > 0 && (size_t)n < sizeof lines ? hold_begin(&keeper, w->argv, lines) : ENAMETOOLONG,
                    master_now_ms() + ms, ret_said);
}

bool keeper_has_aes(void)
{
    return !strstr(keeper.line, NO_AES);
}

uint32_t keeper_carry(const struct words *w, unsigned n, int ms, const char **ret_said)
{
    const int64_t until = master_now_ms() + ms;
    int problems[KEEPER_MOST];
    uint32_t stand = 0;

    keeper_drop_carriers();
    for (unsigned i = 0; i < n && i < KEEPER_MOST; i++)
        problems[i] = hold_begin(&carriers[i], w[i].argv, "");
    for (unsigned i = 0; i < n && i < KEEPER_MOST; i++)
        if (wait_for(&carriers[i], problems[i], until, ret_said) == 0)
            stand |= 1u << i;
    return stand;
}

bool keeper_carrier_has_ended(struct ended *ret)
{
    for (unsigned i = 0; i < KEEPER_MOST; i++) {
        const long pid = (long)carriers[i].pid;

        if (!hold_has_ended(&carriers[i]))
            continue;
        hold_said(&carriers[i], said, sizeof said);
        *ret = (struct ended){ .code = carriers[i].code, .pid = pid, .said = said };
        return true;
    }
    return false;
}

void keeper_drop_carriers(void)
{
    for (unsigned i = 0; i < KEEPER_MOST; i++)
        hold_release(&carriers[i]); /* all tidy at once */
    for (unsigned i = 0; i < KEEPER_MOST; i++)
        hold_end(&carriers[i]);
}

void keeper_end(void)
{
    keeper_drop_carriers();
    hold_end(&keeper);
}
