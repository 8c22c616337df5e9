#define _GNU_SOURCE
#include "errorfs_operations.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static void answer_entry(fuse_req_t request, fuse_ino_t parent, const char* name) {
    struct fuse_entry_param entry;
    const int error = node_look_up(parent, name, &entry);
    if (error != 0)
        fuse_reply_err(request, error);
    else
        fuse_reply_entry(request, &entry);
}

void fs_lookup(fuse_req_t request, fuse_ino_t parent, const char* name) {
    if (!dead(request))
        answer_entry(request, parent, name);
}

void fs_forget(fuse_req_t request, fuse_ino_t node, uint64_t references) {
    node_forget(node, references);
    fuse_reply_none(request);
}

void fs_rename(fuse_req_t request, fuse_ino_t from, const char* name, fuse_ino_t to,
               const char* new_name, unsigned int flags) {
    const int error =
        rules_strike(OP_RENAME, node_path(from, name).text, node_path(to, new_name).text, NULL);
    if (error != 0)
        fuse_reply_err(request, -error);
    else
        answer(request, renameat2(node_fd(from), name, node_fd(to), new_name, flags));
}

void fs_link(fuse_req_t request, fuse_ino_t node, fuse_ino_t parent, const char* name) {
    const int error =
        rules_strike(OP_LINK, node_path(node, NULL).text, node_path(parent, name).text, NULL);
    if (error != 0)
        fuse_reply_err(request, -error);
    else if (linkat(AT_FDCWD, node_link(node).text, node_fd(parent), name, AT_SYMLINK_FOLLOW) != 0)
        fuse_reply_err(request, errno);
    else
        answer_entry(request, parent, name);
}

void fs_unlink(fuse_req_t request, fuse_ino_t parent, const char* name) {
    if (!struck(request, OP_UNLINK, parent, name))
        answer(request, unlinkat(node_fd(parent), name, 0));
}

void fs_rmdir(fuse_req_t request, fuse_ino_t parent, const char* name) {
    if (!struck(request, OP_RMDIR, parent, name))
        answer(request, unlinkat(node_fd(parent), name, AT_REMOVEDIR));
}

void fs_mkdir(fuse_req_t request, fuse_ino_t parent, const char* name, mode_t mode) {
    if (struck(request, OP_MKDIR, parent, name))
        return;
    bool inherits = false;
    if (mkdirat(node_fd(parent), name, mode) != 0 ||
        give_to_maker(request, parent, name, &inherits) != 0 ||
        (inherits && fchmodat(node_fd(parent), name, mode | S_ISGID, 0) != 0))
        fuse_reply_err(request, errno);
    else
        answer_entry(request, parent, name);
}

static DIR* directory_of(const Info* info) {
    return (DIR*)(uintptr_t)info->fh;
}

void fs_opendir(fuse_req_t request, fuse_ino_t node, Info* info) {
    if (dead(request))
        return;
    DIR* directory = opendir(node_link(node).text);
    if (directory == NULL) {
        fuse_reply_err(request, errno);
        return;
    }
    info->fh = (uint64_t)(uintptr_t)directory;
    fuse_reply_open(request, info);
}

void fs_readdir(fuse_req_t request, fuse_ino_t node, size_t size, off_t offset, Info* info) {
    if (struck(request, OP_READDIR, node, NULL))
        return;
    char* entries = calloc(1, size);
    if (entries == NULL) {
        fuse_reply_err(request, ENOMEM);
        return;
    }
    DIR* directory = directory_of(info);
    if (offset == 0)
        rewinddir(directory);
    else
        seekdir(directory, offset);
    size_t used = 0;
    for (const struct dirent* entry = readdir(directory); entry != NULL;
         entry = readdir(directory)) {
        const struct stat status = {.st_ino = entry->d_ino,
                                    .st_mode = (mode_t)DTTOIF(entry->d_type)};
        const size_t needed = fuse_add_direntry(request, entries + used, size - used, entry->d_name,
                                                &status, telldir(directory));
        if (needed > size - used)
            break; /* asked for again, from its own offset on */
        used += needed;
    }
    fuse_reply_buf(request, entries, used);
    free(entries);
}

void fs_releasedir(fuse_req_t request, fuse_ino_t node, Info* info) {
    (void)node;
    answer(request, closedir(directory_of(info)));
}

void fs_fsyncdir(fuse_req_t request, fuse_ino_t node, int data_only, Info* info) {
    (void)data_only;
    if (!struck(request, OP_FSYNCDIR, node, NULL))
        answer(request, fsync(dirfd(directory_of(info))));
}
