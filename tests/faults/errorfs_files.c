#define _GNU_SOURCE
#include "errorfs_operations.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

static int open_flags(const Info* info) {
    return (info->flags & ~(O_APPEND | O_DIRECT | O_NOFOLLOW | O_CREAT | O_EXCL)) | O_CLOEXEC;
}

void fs_open(fuse_req_t request, fuse_ino_t node, Info* info) {
    if (struck(request, OP_OPEN, node, NULL))
        return;
    const int fd = open(node_link(node).text, open_flags(info));
    if (fd < 0) {
        fuse_reply_err(request, errno);
        return;
    }
    info->fh = (uint64_t)fd;
    info->direct_io = 1;
    fuse_reply_open(request, info);
}

void fs_create(fuse_req_t request, fuse_ino_t parent, const char* name, mode_t mode, Info* info) {
    if (struck(request, OP_CREATE, parent, name))
        return;
    const int flags = open_flags(info) | O_CREAT | (info->flags & O_EXCL) | O_NOFOLLOW;
    const int fd = openat(node_fd(parent), name, flags, mode);
    bool inherits = false;
    struct fuse_entry_param entry;
    int error = fd < 0 || give_to_maker(request, parent, name, &inherits) != 0 ? errno : 0;
    if (error == 0)
        error = node_look_up(parent, name, &entry);
    if (error != 0) {
        if (fd >= 0)
            close(fd);
        fuse_reply_err(request, error);
        return;
    }
    info->fh = (uint64_t)fd;
    info->direct_io = 1;
    fuse_reply_create(request, &entry, info);
}

void fs_release(fuse_req_t request, fuse_ino_t node, Info* info) {
    (void)node;
    answer(request, close((int)info->fh));
}

void fs_read(fuse_req_t request, fuse_ino_t node, size_t size, off_t offset, Info* info) {
    if (struck(request, OP_READ, node, NULL))
        return;
    char* content = malloc(size);
    const ssize_t count = content == NULL ? -1 : pread((int)info->fh, content, size, offset);
    if (count < 0)
        fuse_reply_err(request, errno);
    else
        fuse_reply_buf(request, content, (size_t)count);
    free(content);
}

void fs_write(fuse_req_t request, fuse_ino_t node, const char* content, size_t size, off_t offset,
              Info* info) {
    ssize_t limit = -1;
    const int error = rules_strike(OP_WRITE, node_path(node, NULL).text, NULL, &limit);
    if (error != 0) {
        fuse_reply_err(request, -error);
        return;
    }
    if (limit >= 0 && (size_t)limit < size)
        size = (size_t)limit;
    const ssize_t count = pwrite((int)info->fh, content, size, offset);
    if (count < 0)
        fuse_reply_err(request, errno);
    else
        fuse_reply_write(request, (size_t)count);
}

void fs_fsync(fuse_req_t request, fuse_ino_t node, int data_only, Info* info) {
    if (!struck(request, data_only ? OP_FDATASYNC : OP_FSYNC, node, NULL))
        answer(request, data_only ? fdatasync((int)info->fh) : fsync((int)info->fh));
}

void fs_fallocate(fuse_req_t request, fuse_ino_t node, int mode, off_t offset, off_t size,
                  Info* info) {
    if (!struck(request, OP_FALLOCATE, node, NULL))
        answer(request, fallocate((int)info->fh, mode, offset, size));
}
