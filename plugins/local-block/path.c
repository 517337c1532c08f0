/* SPDX-License-Identifier: Apache-2.0
 * Refuses what names no file by itself, in the words of both drivers of this plugin. */
#include "path.h"
#include "../common/words.h"

int path_cut(struct ferry_call *call, const struct ferry_services *services, const char *what,
             const char *source, struct path *ret)
{
    const char *problem = words_cut_path(source, ret->folder, ret->name, sizeof ret->folder);

    if (!problem)
        return 0;
    services->error(call, services->text(call, "Name the %s by an absolute path in the domain's XML.", what),
                    "%s '%s' %s", what, source ? source : "", problem);
    return -1;
}
