/* SPDX-License-Identifier: Apache-2.0
 * Removes files through NFS: `nfs-remove nfs://SERVER/EXPORT/FILE…`, each directly in its export.
 * A file deleted behind the server's back stays open there, and its name answers ESTALE. */
#include <sys/time.h>

#include <nfsc/libnfs.h>
#include <stdio.h>

static int file_remove(const char *text)
{
    struct nfs_context *nfs = nfs_init_context();
    struct nfs_url *url = nfs ? nfs_parse_url_full(nfs, text) : NULL;
    int rc = -1;

    if (url)
        rc = nfs_mount(nfs, url->server, url->path);
    if (!rc)
        rc = nfs_unlink(nfs, url->file);
    if (rc)
        fprintf(stderr, "nfs-remove: could not remove '%s': %s\n", text, nfs ? nfs_get_error(nfs) : "memory");
    if (url)
        nfs_destroy_url(url);
    if (nfs)
        nfs_destroy_context(nfs);
    return rc;
}

int main(int argc, char **argv)
{
    int failed = argc < 2;

    for (int i = 1; i < argc; i++)
        failed |= file_remove(argv[i]) != 0;
    return failed;
}
