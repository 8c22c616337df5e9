/* The files that the kernel knows of, each with a descriptor that holds it, also when no name is
 * left. Thread-safe. */
#ifndef MITRAL_TESTS_FAULTS_ERRORFS_NODES_H
#define MITRAL_TESTS_FAULTS_ERRORFS_NODES_H

#define FUSE_USE_VERSION 312
#include <fuse_lowlevel.h>
#include <limits.h>

/* 0, or -errno. */
int nodes_start(const char* backing);

/* The O_PATH descriptor of a node. */
int node_fd(fuse_ino_t node);
/* Fills in the entry of `name` in `parent` and counts one reference more. 0, or an errno. */
int node_look_up(fuse_ino_t parent, const char* name, struct fuse_entry_param* entry);
void node_forget(fuse_ino_t node, uint64_t references);

/* "/proc/self/fd/N": opens, truncates or changes what the node stands for. */
struct node_link {
    char text[32];
};
struct node_link node_link(fuse_ino_t node);

/* The path below the backing directory, "." for that itself; the last one that a removed file had.
 * With `name`, that of an entry of a directory. */
struct node_path {
    char text[PATH_MAX];
};
struct node_path node_path(fuse_ino_t node, const char* name);

#endif
