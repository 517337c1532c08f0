/* SPDX-License-Identifier: Apache-2.0
 * Real texts of libvirt and QEMU against the table: each finds its own row, every row is found, the facts add
 * what they know, and the original stays. */
#include "check-main.h"
#include "translate/translate.h"

static const struct {
    const char *text, *what; /* what: a part of the row's */
} texts[] = {
    { "Cannot recv data: Host key verification failed.: Connection reset by peer", "host key" },
    { "Cannot recv data: vm@hostB: Permission denied (publickey,password).: Connection reset by peer",
      "ssh to the other host was refused" },
    { "End of file while reading data: sh: 1: nc: command not found: Input/output error", "neither" },
    { "Cannot recv data: sh: line 1: virt-ssh-helper: command not found: Connection reset by peer",
      "no virt-ssh-helper" },
    { "authentication failed: authentication failed", "our user or password" },
    { "authentication failed: Failed to collect auth credentials", "there is none here" },
    { "authentication failed: Failed to start SASL negotiation: -1 (SASL(-1): generic failure)",
      "refused our credentials" },
    { "authentication unavailable: no polkit agent available to authenticate action "
      "'org.libvirt.unix.manage'",
      "polkit" },
    { "access denied: 'domain' denied access for migrate", "does not allow this user" },
    { "authentication rejected: The certificate hasn't got a known issuer.", "CA that is not known" },
    { "The server certificate /etc/pki/libvirt/servercert.pem has expired", "out of date" },
    { "Certificate [session] owner does not match the hostname hostB", "not for the name" },
    { "Certificate failed validation: The certificate is not trusted.", "not accepted" },
    { "unable to connect to server at 'hostB:16509': Connection refused", "connection refused" },
    { "unable to connect to server at 'hostB:49152': Connection timed out", "RAM found no way" },
    { "unable to connect to server at '10.0.0.2:49215': Connection refused", "that RAM was to take" },
    { "unable to connect to server at 'hostB:16514': Connection timed out", "does not answer on that port" },
    { "unable to connect to server at 'hostB:49152': No route to host", "no way leads" },
    { "internal error: unable to execute QEMU command 'migrate': Failed to connect to '10.0.0.2:49152': "
      "Connection refused",
      "could not reach the destination's QEMU" },
    { "operation failed: migration out job: Failed to connect to '10.0.0.2:49152': Connection timed out",
      "found no way" },
    { "unable to resolve 'hostb.example': Name or service not known", "cannot be resolved" },
    { "internal error: hostname on destination resolved to localhost, but migration requires an FQDN",
      "takes itself for localhost" },
    { "internal error: connection closed due to keepalive timeout", "fell silent" },
    { "operation failed: Lost connection to destination host", "was lost" },
    { "internal error: unable to execute QEMU command 'migrate-incoming': Failed to bind socket to "
      "/run/libvirt/qemu/virt-ferry/way-0011223344556677/ram: Permission denied",
      "may not have the socket" },
    { "Failed to connect socket to '/run/libvirt/qemu/virt-ferry/way-00/ram.tunnelmigrate.dest.web': "
      "Permission denied",
      "may not come to the sockets" },
    { "internal error: unable to execute QEMU command 'blockdev-add': Failed to connect to "
      "'/run/libvirt/qemu/virt-ferry/way-00/nbd.tunnelmigrate.dest.web': Permission denied",
      "may not come to the sockets" },
    { "Failed to connect socket to '/var/run/libvirt/libvirt-sock': No such file or directory",
      "does not run here" },
    { "Cannot recv data: Connection reset by peer", "broke" },
    { "End of file while reading data: Input/output error", "closed the connection" },
    { "internal error: Attempt to migrate guest to the same host 84c1f2dc-294d-4b2c-8601-a10217ceec93",
      "same host" },
    { "operation failed: domain 'web' already exists with uuid 000b2bc7-ad8a-497c-b034-a951e32292b8",
      "another domain of that name" },
    { "operation failed: domain 'old' is already defined with uuid 000b2bc7-ad8a-497c-b034-a951e32292b8",
      "under another name" },
    { "Requested operation is not valid: domain is already active as 'web'", "runs on the destination" },
    { "Requested operation is not valid: cannot migrate domain with 2 snapshots", "snapshots" },
    { "Requested operation is not valid: domain has active block job", "block job" },
    { "Unsafe migration: Migration may lead to data corruption if disks use cache other than none or "
      "directsync",
      "cache mode" },
    { "Unsafe migration: Migration without shared storage is unsafe", "of this host alone" },
    { "internal error: Source host lock driver lockd different from target nop", "in different ways" },
    { "Requested operation is not valid: domain has 'invtsc' CPU feature but TSC frequency is not specified",
      "invariant TSC" },
    { "Operation not supported: migration with virtiofs device is not supported", "shared folder" },
    { "Requested operation is not valid: cannot migrate domain: 0000:03:00.0: VFIO device doesn't support "
      "migration",
      "device of the host" },
    { "Requested operation is not valid: cannot migrate domain: TPM emulator does not support migration",
      "device of the guest cannot move" },
    { "Migration is disabled when VirtFS export path '/srv' is mounted in the guest using mount_tag 'x'",
      "forbids to move" },
    { "Requested operation is not valid: cannot migrate domain: some reason of a later QEMU", "as it is" },
    { "Timed out during operation: cannot acquire state change lock (held by monitor=remoteDispatch)",
      "another job" },
    { "Cannot get interface MTU on 'br1': No such device", "a bridge of the domain" },
    { "Network not found: no network with matching name 'lan'", "libvirt network of the domain is missing" },
    { "Requested operation is not valid: network 'lan' is not active", "not started" },
    { "Storage pool not found: no storage pool with matching name 'images'", "a pool of a disk is missing" },
    { "Requested operation is not valid: storage pool 'images' is not active",
      "pool of a disk is not started" },
    { "Secret not found: no secret with matching uuid '33333333-3333-3333-3333-333333333333'", "a secret" },
    { "Secret not found: rbd username: client.libvirt", "a secret" },
    { "unable to set user: Unable to allow access for disk path /images/web.qcow2: No such file or directory",
      "not there on the destination" },
    { "Cannot access storage file '/images/web.qcow2' (as uid:64055, gid:64055): Permission denied",
      "may not read" },
    { "Cannot access storage file '/images/web.qcow2' (as uid:64055, gid:64055): No such file or directory",
      "not there on the destination" },
    { "the CPU is incompatible with host CPU: Host CPU does not provide required features: vmx",
      "lacks what the guest has" },
    { "operation failed: guest CPU doesn't match specification: missing features: pcid,avx2", "cannot give" },
    { "qemu-system-x86_64: warning: host doesn't support requested feature: CPUID.01H:ECX.vmx [bit 5]",
      "lacks a feature" },
    { "unsupported configuration: Emulator '/usr/bin/qemu-system-x86_64' does not support machine type "
      "'pc-q35-9.0'",
      "machine type" },
    { "qemu-system-x86_64: unsupported machine type", "machine type" },
    { "Unable to find 'swtpm_setup' binary in $PATH: No such file or directory", "TPM emulator" },
    { "internal error: hugetlbfs filesystem is not mounted or disabled by administrator config",
      "no huge pages" },
    { "qemu-system-x86_64: unable to map backing store for guest RAM: Cannot allocate memory",
      "not enough huge pages" },
    { "qemu-system-x86_64: cannot set up guest memory 'pc.ram': Cannot allocate memory",
      "not enough memory" },
    { "cannot fork child process: Cannot allocate memory", "a host has not enough memory" },
    { "unsupported configuration: NUMA node 1 is unavailable", "NUMA node" },
    { "Unable to write to '/sys/fs/cgroup/cpuset/machine.slice/x/vcpu0/cpuset.cpus': Permission denied",
      "processors" },
    { "internal error: Unable to find an unused port in range 'migration' (49152-49215)",
      "all migration ports" },
    { "qemu-system-x86_64: -vnc 10.0.0.1:0: Failed to bind socket: Cannot assign requested address",
      "cannot listen" },
    { "qemu-system-x86_64: -vnc :0: Failed to find an available port: Address already in use", "is taken" },
    { "process exited while connecting to monitor: Failed to get \"write\" lock\nIs another process using "
      "the "
      "image [/images/web.qcow2]?",
      "another process has a disk" },
    { "resource busy: Lockspace resource '/images/web.qcow2' is locked", "holds the lock" },
    { "internal error: Failed to acquire lock: Lease owned by other host", "could not be had" },
    { "process exited while connecting to monitor: Could not open '/images/web.qcow2': No such file or "
      "directory",
      "not there on the destination" },
    { "qemu-system-x86_64: Could not open '/images/web.qcow2': Permission denied", "may not open" },
    { "operation failed: migration of disk vda failed: No space left on device", "is full" },
    { "operation failed: migration of disk vda failed: Broken pipe", "copy of a disk failed" },
    { "qemu-system-x86_64: Unable to read from socket: Input/output error", "I/O error" },
    { "Machine type received is 'pc-q35-7.2' and local is 'pc-q35-7.1'", "different machine types" },
    { "Unknown savevm section or instance '0000:00:02.0/virtio-net' 0. Make sure that your current VM setup "
      "matches your saved VM setup",
      "does not know a device" },
    { "error while loading state for instance 0x0 of device '0000:00:03.0/virtio-gpu'", "state of a device" },
    { "Missing section footer for 0000:00:01.3/piix4_pm", "does not fit" },
    { "Not a migration stream", "is no migration" },
    { "qemu-system-x86_64: load of migration failed: Invalid argument", "could not take the guest over" },
    { "internal error: unable to execute QEMU command 'migrate-set-capabilities': Postcopy is not supported",
      "post-copy cannot be had" },
    { "ram_block_enable_notify: userfaultfd not available: Operation not permitted", "userfaultfd" },
    { "operation aborted: migration out job: canceled by client", "somebody ended" },
    { "internal error: process exited while connecting to monitor: 2026-11-24T08:00:00Z qemu: bad option",
      "did not start" },
    { "internal error: qemu unexpectedly closed the monitor", "died during the move" },
    { "Unable to read from monitor: Connection reset by peer", "died during the move" },
    { "Requested operation is not valid: domain is not running", "the guest ended" },
    { "Domain not found: no domain with matching name 'web'", "arriving at the destination is not there" },
    { "Domain not found: no domain with matching uuid '000b2bc7'", "domain is not there any more" },
    { "operation failed: job 'migration out' unexpectedly failed", "broke off" },
};

START_TEST(a_real_text_finds_its_own_row)
    {
        for (size_t i = 0; i < TEST_ROWS(texts); i++) {
            const struct translation *t = translate_find(texts[i].text);

            ck_assert_msg(t != NULL, "no row for: %s", texts[i].text);
            ck_assert_msg(strstr(t->what, texts[i].what) != NULL, "'%s' for: %s", t->what, texts[i].text);
        }
    }
END_TEST

START_TEST(every_row_is_found_by_a_real_text_and_is_whole)
    {
        ck_assert_uint_ge(translations_n, 40);
        for (size_t r = 0; r < translations_n; r++) {
            const struct translation *t = &translations[r];
            bool is_found = false;

            for (size_t i = 0; i < TEST_ROWS(texts); i++)
                is_found |= translate_find(texts[i].text) == t;
            ck_assert_msg(is_found, "nothing finds '%s'", t->pattern);
            ck_assert_msg(t->what[strlen(t->what) - 1] != '.' && t->cause[strlen(t->cause) - 1] == '.' &&
                              t->fix[strlen(t->fix) - 1] == '.',
                          "'%s'", t->pattern);
        }
    }
END_TEST

static struct error failure(const char *why)
{
    struct error err = { 0 };

    (void)error_set(&err, ERROR_FAILED, "hostA", "libvirt ended the migration");
    (void)error_why(&err, "%s", why);
    return err;
}

START_TEST(an_error_says_where_and_keeps_the_original_below)
    {
        struct error err = failure("Cannot get interface MTU on 'br1': No such device");
        OWNED(facts) f = facts_new();

        f->dest.name = "hostB";
        ck_assert(translate_error(&err, f));
        ck_assert_int_eq(err.code, ERROR_FAILED);
        ck_assert_str_eq(err.host, "hostB");
        ck_assert_str_eq(err.what, "a bridge of the domain is missing on the destination");
        ck_assert_str_eq(err.why, "Cannot get interface MTU on 'br1': No such device");
        ck_assert_str_eq(err.fix, "Bridges must have the same name on both hosts. "
                                  "Create it there: ip link add NAME type bridge.");
    }
END_TEST

START_TEST(the_facts_say_which_interface_and_what_the_destination_has_instead)
    {
        struct error err = failure("Cannot get interface MTU on 'br1': No such device");
        OWNED(facts) f = facts_new();
        const char *bridges[] = { "br0" };

        facts_add_interface(f)->source = "br1";
        f->dest.bridges = (struct finding_refs){ bridges, 1 };
        ck_assert(translate_error(&err, f));
        ck_assert(text_starts(err.fix, "An interface of the domain needs 'br1'; the destination has 'br0'."));
    }
END_TEST

START_TEST(the_facts_say_which_disk_and_how_its_sharing_was_proved)
    {
        struct error err =
            failure("Cannot access storage file '/images/web.qcow2': No such file or directory");
        OWNED(facts) f = facts_new();
        struct disk *d = facts_add_disk(f);

        d->target = "vdb";
        d->source = "/images/web.qcow2";
        d->sharing = SHARING_PROVED;
        d->sharing_evidence = "the nonce";
        ck_assert(translate_error(&err, f));
        ck_assert(
            text_starts(err.fix, "It is the image of disk 'vdb', whose sharing was proved: the nonce."));
    }
END_TEST

START_TEST(where_selinux_is_on_a_denied_image_is_told_with_its_switch_for_nfs)
    {
        OWNED(facts) f = facts_new();
        struct disk *d = facts_add_disk(f);

        d->target = "vdb";
        d->source = "/images/web.qcow2";
        for (int confines = 0; confines < 2; confines++) {
            struct error err = failure("Could not open '/images/web.qcow2': Permission denied");

            f->dest.selinux_confines = confines ? TRI_YES : TRI_NO;
            f->dest.selinux_lets_nfs = TRI_NO;
            ck_assert(translate_error(&err, f));
            ck_assert(text_starts(err.fix, "It is the image of disk 'vdb', whose sharing was not proved."));
            ck_assert_int_eq(strstr(err.fix, "keeps it from NFS (virt_use_nfs is off).") != NULL, confines);
            ck_assert_ptr_nonnull(strstr(err.fix, "setsebool -P virt_use_nfs on."));
        }
    }
END_TEST

START_TEST(what_is_not_in_the_table_stays_as_it_was)
    {
        struct error err = failure("the moon is in the wrong house"), before = err;

        ck_assert(!translate_error(&err, NULL));
        ck_assert_int_eq(memcmp(&err, &before, sizeof err), 0);
        ck_assert_ptr_null(translate_find(""));
        ck_assert_ptr_null(translate_find(NULL));
    }
END_TEST

START_TEST(every_row_stands_without_any_fact)
    {
        OWNED(facts) f = facts_new();

        for (size_t i = 0; i < TEST_ROWS(texts); i++) {
            struct error err = failure(texts[i].text);

            ck_assert(translate_error(&err, i % 2 ? f : NULL));
            ck_assert_str_ne(err.fix, "");
        }
    }
END_TEST

TEST_MAIN("translate/translate", a_real_text_finds_its_own_row,
          every_row_is_found_by_a_real_text_and_is_whole, an_error_says_where_and_keeps_the_original_below,
          the_facts_say_which_interface_and_what_the_destination_has_instead,
          the_facts_say_which_disk_and_how_its_sharing_was_proved,
          where_selinux_is_on_a_denied_image_is_told_with_its_switch_for_nfs,
          what_is_not_in_the_table_stays_as_it_was, every_row_stands_without_any_fact)
