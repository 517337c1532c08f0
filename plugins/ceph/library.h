/* SPDX-License-Identifier: Apache-2.0
 * librados and librbd, opened when the first image of Ceph is met: they take 55 ms and 20 MB, which a move
 * without such a disk shall not pay, and a machine without Ceph need not have them. */
#ifndef CEPH_LIBRARY_H
#define CEPH_LIBRARY_H

#include <rados/librados.h>
#include <rbd/librbd.h>

#define LIBRARY_FUNCTIONS(F)                                                                                 \
    F(rados_create)                                                                                          \
    F(rados_conf_read_file)                                                                                  \
    F(rados_conf_set)                                                                                        \
    F(rados_conf_get)                                                                                        \
    F(rados_connect)                                                                                         \
    F(rados_shutdown)                                                                                        \
    F(rados_cluster_fsid)                                                                                    \
    F(rados_ioctx_create)                                                                                    \
    F(rados_ioctx_create2)                                                                                   \
    F(rados_ioctx_destroy)                                                                                   \
    F(rados_ioctx_get_id)                                                                                    \
    F(rados_ioctx_set_namespace)                                                                             \
    F(rados_read)                                                                                            \
    F(rados_stat)                                                                                            \
    F(rados_aio_create_completion2)                                                                          \
    F(rados_aio_release)                                                                                     \
    F(rados_aio_read)                                                                                        \
    F(rados_aio_wait_for_complete)                                                                           \
    F(rados_aio_get_return_value)                                                                            \
    F(rados_mon_command)                                                                                     \
    F(rados_buffer_free)                                                                                     \
    F(rados_create_write_op)                                                                                 \
    F(rados_release_write_op)                                                                                \
    F(rados_write_op_assert_exists)                                                                          \
    F(rados_write_op_set_alloc_hint2)                                                                        \
    F(rados_write_op_operate)                                                                                \
    F(rbd_open_by_id_read_only)                                                                              \
    F(rbd_aio_open_by_id_read_only)                                                                          \
    F(rbd_aio_wait_for_complete)                                                                             \
    F(rbd_close)                                                                                             \
    F(rbd_get_size)                                                                                          \
    F(rbd_get_features)                                                                                      \
    F(rbd_get_flags)                                                                                         \
    F(rbd_get_data_pool_id)                                                                                  \
    F(rbd_diff_iterate2)                                                                                     \
    F(rbd_watchers_list)                                                                                     \
    F(rbd_watchers_list_cleanup)                                                                             \
    F(rbd_image_options_create)                                                                              \
    F(rbd_image_options_destroy)                                                                             \
    F(rbd_image_options_set_uint64)                                                                          \
    F(rbd_image_options_set_string)                                                                          \
    F(rbd_create4)                                                                                           \
    F(rbd_rename)                                                                                            \
    F(rbd_remove)                                                                                            \
    F(rbd_open_by_id)                                                                                        \
    F(rbd_stat)                                                                                              \
    F(rbd_get_modify_timestamp)                                                                              \
    F(rbd_set_image_notification)                                                                            \
    F(rbd_poll_io_events)                                                                                    \
    F(rbd_aio_create_completion)                                                                             \
    F(rbd_aio_release)                                                                                       \
    F(rbd_aio_get_arg)                                                                                       \
    F(rbd_aio_get_return_value)                                                                              \
    F(rbd_aio_read)                                                                                          \
    F(rbd_aio_write)                                                                                         \
    F(rbd_aio_write_zeroes)                                                                                  \
    F(rbd_aio_flush)

#define LIBRARY_MEMBER(function) __typeof__(function) *(function);
struct library {
    LIBRARY_FUNCTIONS(LIBRARY_MEMBER)
};
#undef LIBRARY_MEMBER

/* NULL when they cannot be had; *ret_why then says why. The first call opens them for good. */
const struct library *library_open(const char **ret_why);

#endif
