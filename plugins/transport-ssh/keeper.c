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

/* The parent of all such folders stays: others' may lie there. Nothing is removed that is not ours by name.
 * The lock is for runs of virt-ferry on that host: they remove what nobody holds. */
const char *const keeper_words[] = {
    "bash", "-c",
    "trap \"\" HUP PIPE; IFS= read -r folder && IFS= read -r owner && IFS= read -r n || exit 1; "
    "mkdir -p -m 0711 \"${folder%/*}\" && mkdir -m 0700 \"$folder\" && exec 9<\"$folder\" && flock 9 || exit "
    "1; "
    "if [ -z \"$owner\" ] || chown \"$owner\" \"$folder\"; then echo ready; "
    "while read -r -t " HOLD_SILENCE_SECONDS " x; do :; done; fi; "
    "rm -f \"$folder/" PLACE_RAM "$n\" \"$folder/" PLACE_DISKS "$n\"; rmdir \"$folder\"",
    NULL
};

static struct hold keeper = HOLD_NONE;
static char said[512];

int keeper_begin(const struct words *w, const char *folder, const char *owner, const char *suffix, int ms,
                 const char **ret_said)
{
    char lines[2 * PLACE_PATH_SIZE + PLACE_SUFFIX_SIZE];
    int n = snprintf(lines, sizeof lines, "%s\n%s\n%s\n", folder, owner ? owner : "", suffix);
    int problem;

    keeper_end();
    problem = n > 0 && (size_t)n < sizeof lines ? hold_begin(&keeper, w->argv, lines) : ENAMETOOLONG;
    if (!problem && hold_wait(&keeper, master_now_ms() + ms))
        return 0;
    if (problem)
        (void)snprintf(said, sizeof said, "%s", strerror(problem));
    else
        hold_said(&keeper, said, sizeof said);
    if (!said[0])
        (void)snprintf(said, sizeof said, "nothing was heard of it");
    *ret_said = said;
    keeper_end();
    return -1;
}

void keeper_end(void)
{
    hold_end(&keeper);
}
