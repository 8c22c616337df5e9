#define _GNU_SOURCE
#include "errorfs_operations.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

static void answer_attributes(fuse_req_t request, fuse_ino_t node) {
    struct stat status;
    if (fstat(node_fd(node), &status) != 0)
        fuse_reply_err(request, errno);
    else
        fuse_reply_attr(request, &status, 0);
}

void fs_getattr(fuse_req_t request, fuse_ino_t node, Info* info) {
    (void)info;
    if (!dead(request))
        answer_attributes(request, node);
}

static int change(fuse_ino_t node, const struct stat* wanted, int what) {
    const struct node_link link = node_link(node);
    if ((what & FUSE_SET_ATTR_MODE) != 0 && chmod(link.text, wanted->st_mode) != 0)
        return -1;
    if ((what & (FUSE_SET_ATTR_UID | FUSE_SET_ATTR_GID)) != 0 &&
        chown(link.text, (what & FUSE_SET_ATTR_UID) != 0 ? wanted->st_uid : (uid_t)-1,
              (what & FUSE_SET_ATTR_GID) != 0 ? wanted->st_gid : (gid_t)-1) != 0)
        return -1;
    if ((what & FUSE_SET_ATTR_SIZE) != 0 && truncate(link.text, wanted->st_size) != 0)
        return -1;
    if ((what & (FUSE_SET_ATTR_ATIME | FUSE_SET_ATTR_MTIME)) == 0)
        return 0;
    struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, {.tv_nsec = UTIME_OMIT}};
    if ((what & FUSE_SET_ATTR_ATIME) != 0)
        times[0] = (what & FUSE_SET_ATTR_ATIME_NOW) != 0 ? (struct timespec){.tv_nsec = UTIME_NOW}
                                                         : wanted->st_atim;
    if ((what & FUSE_SET_ATTR_MTIME) != 0)
        times[1] = (what & FUSE_SET_ATTR_MTIME_NOW) != 0 ? (struct timespec){.tv_nsec = UTIME_NOW}
                                                         : wanted->st_mtim;
    return utimensat(AT_FDCWD, link.text, times, 0);
}

void fs_setattr(fuse_req_t request, fuse_ino_t node, struct stat* wanted, int what, Info* info) {
    (void)info;
    if (dead(request) ||
        ((what & FUSE_SET_ATTR_SIZE) != 0 && struck(request, OP_TRUNCATE, node, NULL)))
        return;
    if (change(node, wanted, what) != 0)
        fuse_reply_err(request, errno);
    else
        answer_attributes(request, node);
}

void fs_statfs(fuse_req_t request, fuse_ino_t node) {
    struct statvfs status;
    if (struck(request, OP_STATFS, node, NULL))
        return;
    if (fstatvfs(node_fd(node), &status) != 0)
        fuse_reply_err(request, errno);
    else
        fuse_reply_statfs(request, &status);
}
