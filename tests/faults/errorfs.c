/* A file system over a directory that works like it, except where a rule says otherwise.
 *
 *   errorfs BACKING MOUNT_POINT CONTROL_SOCKET [--with-parent]
 *
 * Needs root. Files belong to whoever makes them, and the kernel checks permissions as everywhere.
 * Each read(2) and write(2) arrives here: nothing is cached between (so no shared mmap either).
 * Symbolic links and special files are not there. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "errorfs_control.h"
#include "errorfs_operations.h"

bool struck(fuse_req_t request, enum operation operation, fuse_ino_t node, const char* name) {
    const int error = rules_strike(operation, node_path(node, name).text, NULL, NULL);
    if (error != 0)
        fuse_reply_err(request, -error);
    return error != 0;
}

bool dead(fuse_req_t request) {
    const int error = rules_alive();
    if (error != 0)
        fuse_reply_err(request, -error);
    return error != 0;
}

void answer(fuse_req_t request, long done) {
    fuse_reply_err(request, done < 0 ? errno : 0);
}

int give_to_maker(fuse_req_t request, fuse_ino_t parent, const char* name, bool* inherits) {
    const struct fuse_ctx* maker = fuse_req_ctx(request);
    struct stat status;
    if (fstat(node_fd(parent), &status) != 0)
        return -1;
    *inherits = (status.st_mode & S_ISGID) != 0;
    return fchownat(node_fd(parent), name, maker->uid, *inherits ? status.st_gid : maker->gid,
                    AT_SYMLINK_NOFOLLOW);
}

static const struct fuse_lowlevel_ops operations = {
    .lookup = fs_lookup,
    .forget = fs_forget,
    .getattr = fs_getattr,
    .setattr = fs_setattr,
    .open = fs_open,
    .create = fs_create,
    .release = fs_release,
    .read = fs_read,
    .write = fs_write,
    .fsync = fs_fsync,
    .fallocate = fs_fallocate,
    .rename = fs_rename,
    .link = fs_link,
    .unlink = fs_unlink,
    .rmdir = fs_rmdir,
    .mkdir = fs_mkdir,
    .opendir = fs_opendir,
    .readdir = fs_readdir,
    .releasedir = fs_releasedir,
    .fsyncdir = fs_fsyncdir,
    .statfs = fs_statfs,
};

static int serve(struct fuse_session* session, const char* mount_point, const char* socket_path,
                 bool with_parent) {
    struct fuse_loop_config* config = fuse_loop_cfg_create();
    int status = 1;
    if (config == NULL || fuse_session_mount(session, mount_point) != 0)
        return status;
    fuse_loop_cfg_set_max_threads(config, 8);
    if (control_start(socket_path) != 0 ||
        (with_parent && control_end_with_parent(mount_point, socket_path) != 0))
        fprintf(stderr, "errorfs: cannot take orders at %s\n", socket_path);
    else
        status = fuse_session_loop_mt(session, config) == 0 ? 0 : 1;
    fuse_session_unmount(session);
    fuse_loop_cfg_destroy(config);
    return status;
}

int main(int argc, char** argv) {
    const bool with_parent = argc == 5 && strcmp(argv[4], "--with-parent") == 0;
    if (argc != 4 && !with_parent) {
        fprintf(stderr, "usage: errorfs BACKING MOUNT_POINT CONTROL_SOCKET [--with-parent]\n");
        return 2;
    }
    umask(0);
    if (nodes_start(argv[1]) != 0) {
        perror(argv[1]);
        return 1;
    }
    char* options[] = {argv[0], "-o", "allow_other,default_permissions,fsname=errorfs", NULL};
    struct fuse_args arguments = FUSE_ARGS_INIT(3, options);
    struct fuse_session* session =
        fuse_session_new(&arguments, &operations, sizeof(operations), NULL);
    if (session == NULL || fuse_set_signal_handlers(session) != 0)
        return 1;
    const int status = serve(session, argv[2], argv[3], with_parent);
    fuse_remove_signal_handlers(session);
    fuse_session_destroy(session);
    return status;
}
