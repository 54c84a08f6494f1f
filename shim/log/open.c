/* SPDX-License-Identifier: MIT */
#include "shim/log/open.h"

#include <errno.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/vfs.h>

#include "shim/process/scratch.h"
#include "shim/process/settings.h"
#include "shim/process/sys.h"

#ifndef TRACEFS_MAGIC
#define TRACEFS_MAGIC 0x74726163
#endif
#define CONFIGFS_MAGIC 0x62656570

static struct tcpdiag_file root;

void tcpdiag_logfile_open_init(void)
{
    struct tcpdiag_status status;
    if (tcpdiag_status_at("/", &status) == 0)
        root = status.file;
}

/* In a chroot or another mount namespace the path is another file's: the log stays what it was. */
static bool root_is_the_users(void)
{
    struct tcpdiag_status status;
    return tcpdiag_status_at("/", &status) == 0 && tcpdiag_same_file(&status.file, &root);
}

/* Cuts the last part off; false where there is none. */
static bool to_parent(char *path)
{
    char *slash = strrchr(path, '/');
    if (!slash || slash == path)
        return false;
    *slash = '\0';
    return true;
}

static struct tcpdiag_folder look(const char *path, bool follow)
{
    struct tcpdiag_folder folder = {TCPDIAG_FOLDER_THERE, 0, 0};
    struct stat64 status;
    if ((follow ? sys_stat(path, &status) : sys_lstat(path, &status)) == 0) {
        folder.mode = status.st_mode;
        folder.owner = status.st_uid;
    } else {
        folder.state = errno == ENOENT ? TCPDIAG_FOLDER_MISSING : TCPDIAG_FOLDER_UNKNOWN;
    }
    return folder;
}

/* Makes what is missing of the path to a folder, 0700 each; folder is restored. */
static void make_folder(char *folder)
{
    struct stat64 status;
    const size_t length = strlen(folder);
    while (sys_stat(folder, &status) != 0)
        if (errno != ENOENT || !to_parent(folder))
            break;
    for (size_t at = strlen(folder); at < length; at = strlen(folder)) {
        folder[at] = '/';
        sys_mkdir(folder, 0700);
    }
}

/* Whether the folder of the default place is ours and nobody else's, after it was made if it was
   not there. Looked at first: what lies there may be somebody's trap. */
static bool default_folder(char *folder, const struct tcpdiag_own *own)
{
    const unsigned user = sys_geteuid();
    if (!tcpdiag_may_use_default(folder, own, user, look))
        return false;
    struct tcpdiag_folder here = look(folder, false);
    if (here.state == TCPDIAG_FOLDER_MISSING) {
        make_folder(folder);
        here = look(folder, false);
    }
    return here.state == TCPDIAG_FOLDER_THERE && tcpdiag_folder_is_ours(&here, user);
}

/* Where others may make files too, a file of somebody else is not the user's log, whatever
   fs.protected_regular and fs.protected_hardlinks say (proc_sys_fs(5)). */
static bool not_planted(const struct tcpdiag_status *file, const struct stat64 *folder)
{
    bool open_to_all =
        folder->st_mode & S_IWOTH || (folder->st_mode & (S_ISVTX | S_IWGRP)) == (S_ISVTX | S_IWGRP);
    return file->owner == sys_geteuid() || !open_to_all || file->owner == folder->st_uid;
}

/* Files there are switches of the kernel's. */
static bool pseudo(int fd)
{
    static const uint32_t types[] = {
        PROC_SUPER_MAGIC,    SYSFS_MAGIC,    DEBUGFS_MAGIC,    TRACEFS_MAGIC, CGROUP_SUPER_MAGIC,
        CGROUP2_SUPER_MAGIC, CONFIGFS_MAGIC, SECURITYFS_MAGIC, SELINUX_MAGIC, BINFMTFS_MAGIC};
    struct statfs64 status;
    if (sys_fstatfs(fd, &status) != 0)
        return false;
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        if ((uint32_t)status.f_type == types[i])
            return true;
    return false;
}

/* O_NONBLOCK: it may have become a FIFO without a reader, which must not hold us up. Readable where
   the user may read it: what a killed process has left at its end is looked at. */
static int open_file(const char *path)
{
    const int flags = O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK;
    int fd = sys_open(path, O_RDWR | flags, 0600);
    return fd >= 0 || errno != EACCES ? fd : sys_open(path, O_WRONLY | flags, 0600);
}

static bool open_in(const char *path, const struct stat64 *folder, struct tcpdiag_opened *opened)
{
    struct tcpdiag_status *status = &opened->status;
    /* A path that is there is opened only where it is a file: a device may do anything at an open.
     */
    if (tcpdiag_status_at(path, status) == 0
            ? !S_ISREG(status->mode) || status->links > 1 || !not_planted(status, folder)
            : errno != ENOENT)
        return false;
    opened->fd = open_file(path);
    if (opened->fd < 0)
        return false;
    /* Made under a umask that leaves not even the user a right. */
    if (tcpdiag_status_of(opened->fd, status) == 0 && status->size == 0 && S_ISREG(status->mode) &&
        status->owner == sys_geteuid() && (status->mode & 0777) == 0)
        sys_fchmod(opened->fd, 0600);
    if (tcpdiag_status_of(opened->fd, status) == 0 && S_ISREG(status->mode) && status->links <= 1 &&
        not_planted(status, folder) &&
        (!tcpdiag_settings.default_place || status->owner == sys_geteuid()) &&
        !pseudo(opened->fd)) {
        opened->path = path;
        return true;
    }
    sys_close(opened->fd);
    return false;
}

/* own: of a default path, else NULL. */
static bool open_at(const char *path, const struct tcpdiag_own *own, char *folder,
                    struct tcpdiag_opened *opened)
{
    struct stat64 status;
    memcpy(folder, path, strlen(path) + 1);
    if (!to_parent(folder))
        folder[1] = '\0';
    /* An open that fails takes a number all the same for a moment. */
    return (!tcpdiag_settings.default_place || default_folder(folder, own)) &&
           sys_stat(folder, &status) == 0 && open_in(path, &status, opened);
}

bool tcpdiag_logfile_open(struct tcpdiag_opened *opened)
{
    const struct tcpdiag_settings *config = &tcpdiag_settings;
    struct tcpdiag_scratch *scratch = NULL;
    if (!root_is_the_users() || !(scratch = tcpdiag_scratch_take()))
        return false;
    bool found =
        (config->path[0] && open_at(config->path, &config->own, scratch->line, opened)) ||
        (config->default_place && open_at(config->second_path, NULL, scratch->line, opened));
    tcpdiag_scratch_give(scratch);
    return found;
}
