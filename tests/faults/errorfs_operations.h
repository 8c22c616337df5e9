/* The operations of the error file system, as libfuse calls them, and what they share. */
#ifndef MITRAL_TESTS_FAULTS_ERRORFS_OPERATIONS_H
#define MITRAL_TESTS_FAULTS_ERRORFS_OPERATIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "errorfs_nodes.h"
#include "errorfs_rules.h"

typedef struct fuse_file_info Info;

/* Does a rule make the operation fail? Then it is answered. `name`: an entry of `node`, or NULL. */
bool struck(fuse_req_t request, enum operation operation, fuse_ino_t node, const char* name);
/* Has a torn write ended everything? Then it is answered. */
bool dead(fuse_req_t request);
/* Answers with errno when `done` is negative. */
void answer(fuse_req_t request, long done);
/* As the kernel does elsewhere: the maker owns it, a set-group-id directory gives its group and
 * says so. */
int give_to_maker(fuse_req_t request, fuse_ino_t parent, const char* name, bool* inherits);

/* attributes */
void fs_getattr(fuse_req_t request, fuse_ino_t node, Info* info);
void fs_setattr(fuse_req_t request, fuse_ino_t node, struct stat* wanted, int what, Info* info);
void fs_statfs(fuse_req_t request, fuse_ino_t node);

/* open files */
void fs_open(fuse_req_t request, fuse_ino_t node, Info* info);
void fs_create(fuse_req_t request, fuse_ino_t parent, const char* name, mode_t mode, Info* info);
void fs_release(fuse_req_t request, fuse_ino_t node, Info* info);
void fs_read(fuse_req_t request, fuse_ino_t node, size_t size, off_t offset, Info* info);
void fs_write(fuse_req_t request, fuse_ino_t node, const char* content, size_t size, off_t offset,
              Info* info);
void fs_fsync(fuse_req_t request, fuse_ino_t node, int data_only, Info* info);
void fs_fallocate(fuse_req_t request, fuse_ino_t node, int mode, off_t offset, off_t size,
                  Info* info);

/* names and directories */
void fs_lookup(fuse_req_t request, fuse_ino_t parent, const char* name);
void fs_forget(fuse_req_t request, fuse_ino_t node, uint64_t references);
void fs_rename(fuse_req_t request, fuse_ino_t from, const char* name, fuse_ino_t to,
               const char* new_name, unsigned int flags);
void fs_link(fuse_req_t request, fuse_ino_t node, fuse_ino_t parent, const char* name);
void fs_unlink(fuse_req_t request, fuse_ino_t parent, const char* name);
void fs_rmdir(fuse_req_t request, fuse_ino_t parent, const char* name);
void fs_mkdir(fuse_req_t request, fuse_ino_t parent, const char* name, mode_t mode);
void fs_opendir(fuse_req_t request, fuse_ino_t node, Info* info);
void fs_readdir(fuse_req_t request, fuse_ino_t node, size_t size, off_t offset, Info* info);
void fs_releasedir(fuse_req_t request, fuse_ino_t node, Info* info);
void fs_fsyncdir(fuse_req_t request, fuse_ino_t node, int data_only, Info* info);

#endif
