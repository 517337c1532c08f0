/* SPDX-License-Identifier: Apache-2.0
 * What the user's signals do to the process, beside stopping a run in order. */
#include "cli/running.h"

#include "cli/output.h"
#include <unistd.h>

void running_say(void *context, const char *line)
{
    output_remark(context, "%s", line);
}

void running_leave(const struct cli *cli, const char *run, bool is_asked)
{
    if (!*run)
        _exit(error_exit(ERROR_CANCELLED));
    output_remark(cli, "left at once%s; run %s is open as it stands: virt-ferry recover %s",
                  is_asked ? ", and it is not known where the guest is" : "; the guest is at its source", run,
                  run);
    _exit(error_exit(is_asked ? ERROR_NOT_KNOWN : ERROR_CANCELLED));
}

void running_slow(const struct cli *cli, const char *what)
{
    output_remark(cli,
                  "asked to stop; still waiting for %s (Ctrl-C again leaves at once, and virt-ferry recover "
                  "settles it later)",
                  *what ? what : "what is under way");
}
