/* SPDX-License-Identifier: Apache-2.0
 * Texts are the call's, as those of every answer. */
#include "tell-head.h"

bool tell_head(struct ferry_call *call, const struct ferry_services *services, const struct qcow2_head *head,
               struct ferry_image *ret)
{
    ret->head_read = 1;
    ret->n_snapshots = head->n_snapshots;
    if ((head->has_data_file && !(ret->data_file = services->text(call, "%s", head->data_file))) ||
        (head->base[0] && !(ret->base = services->text(call, "%s", head->base))) ||
        (head->base_format[0] && !(ret->base_format = services->text(call, "%s", head->base_format))))
        return false;
    return true;
}
