/* SPDX-License-Identifier: Apache-2.0
 * Either handle begins with a word that tells which it is. */
#include "image-io.h"
#include "io.h"
#include "there.h"

static bool is_there(const void *handle)
{
    return *(const bool *)handle;
}

int image_open(struct ferry_call *call, const struct ferry_services *services,
               const struct ferry_opening *how, struct ferry_opened *ret)
{
    return how->flags & FERRY_OPEN_THERE ? there_open(call, services, how, ret)
                                         : io_open(call, services, how, ret);
}

int image_extents(struct ferry_call *call, const struct ferry_services *services, void *handle, uint64_t from,
                  struct ferry_extent *ret, uint32_t room, uint32_t *ret_n)
{
    if (!is_there(handle))
        return io_extents(call, services, handle, from, ret, room, ret_n);
    ret[0] = (struct ferry_extent){ .offset_bytes = from, .length_bytes = there_length(handle) - from };
    *ret_n = 1;
    return 0;
}

int image_submit(struct ferry_call *call, const struct ferry_services *services, void *handle,
                 struct ferry_request *request)
{
    return is_there(handle) ? there_submit(call, services, handle, request)
                            : io_submit(call, services, handle, request);
}

int image_reap(struct ferry_call *call, const struct ferry_services *services, void *handle,
               struct ferry_request **ret_done)
{
    return is_there(handle) ? there_reap(call, services, handle, ret_done)
                            : io_reap(call, services, handle, ret_done);
}

int image_changed(struct ferry_call *call, const struct ferry_services *services, void *handle, uint64_t *ret)
{
    if (!is_there(handle))
        return io_changed(call, services, handle, ret);
    services->error(call, NULL, "when an image of another machine was changed last is not known");
    return -1;
}

void image_close(struct ferry_call *call, const struct ferry_services *services, void *handle)
{
    if (is_there(handle))
        there_close(call, services, handle);
    else
        io_close(call, services, handle);
}

int image_clone(struct ferry_call *call, const struct ferry_services *services, void *from, void *to)
{
    return is_there(from) || is_there(to) ? 1 : io_clone(call, services, from, to);
}
