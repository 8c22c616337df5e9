#define _GNU_SOURCE
#include "errorfs_nodes.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct node {
    int fd;
    dev_t device;
    ino_t number;
    uint64_t references;
    struct node* next;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct node root = {.fd = -1};
static struct node_path root_path;

static struct node* of(fuse_ino_t node) {
    return node == FUSE_ROOT_ID ? &root : (struct node*)(uintptr_t)node;
}

static struct node_path path_of_descriptor(int fd) {
    struct node_path path = {0};
    char link[32];
    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    const ssize_t size = readlink(link, path.text, sizeof(path.text) - 1);
    path.text[size < 0 ? 0 : size] = '\0';
    return path;
}

int nodes_start(const char* backing) {
    root.fd = open(backing, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (root.fd < 0)
        return -errno;
    root_path = path_of_descriptor(root.fd);
    return 0;
}

int node_fd(fuse_ino_t node) {
    return of(node)->fd;
}

static struct node* find(const struct stat* status) {
    for (struct node* node = root.next; node != NULL; node = node->next)
        if (node->number == status->st_ino && node->device == status->st_dev)
            return node;
    return NULL;
}

static struct node* adopt(int fd, const struct stat* status) {
    struct node* node = calloc(1, sizeof(*node));
    if (node == NULL)
        return NULL;
    *node = (struct node){
        .fd = fd, .device = status->st_dev, .number = status->st_ino, .next = root.next};
    root.next = node;
    return node;
}

int node_look_up(fuse_ino_t parent, const char* name, struct fuse_entry_param* entry) {
    *entry = (struct fuse_entry_param){0}; /* timeouts of zero: the kernel always asks */
    const int fd = openat(node_fd(parent), name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return errno;
    if (fstat(fd, &entry->attr) != 0) {
        const int error = errno;
        close(fd);
        return error;
    }
    pthread_mutex_lock(&lock);
    struct node* node = find(&entry->attr);
    if (node != NULL)
        close(fd);
    else
        node = adopt(fd, &entry->attr);
    if (node != NULL)
        ++node->references;
    pthread_mutex_unlock(&lock);
    if (node == NULL) {
        close(fd);
        return ENOMEM;
    }
    entry->ino = (fuse_ino_t)(uintptr_t)node;
    return 0;
}

void node_forget(fuse_ino_t ino, uint64_t references) {
    if (ino == FUSE_ROOT_ID)
        return;
    pthread_mutex_lock(&lock);
    struct node* node = of(ino);
    node->references -= references;
    if (node->references == 0) {
        struct node** place = &root.next;
        while (*place != node)
            place = &(*place)->next;
        *place = node->next;
        close(node->fd);
        free(node);
    }
    pthread_mutex_unlock(&lock);
}

struct node_link node_link(fuse_ino_t node) {
    struct node_link link;
    snprintf(link.text, sizeof(link.text), "/proc/self/fd/%d", node_fd(node));
    return link;
}

struct node_path node_path(fuse_ino_t node, const char* name) {
    static const char removed[] = " (deleted)";
    struct node_path path = path_of_descriptor(node_fd(node));
    const size_t above = strlen(root_path.text);
    size_t size = strlen(path.text);
    if (size <= above) {
        strcpy(path.text, name == NULL ? "." : "");
        size = 0;
    } else {
        size -= above + 1; /* and the slash behind it */
        memmove(path.text, path.text + above + 1, size + 1);
        if (size > sizeof(removed) - 1 &&
            strcmp(path.text + size - (sizeof(removed) - 1), removed) == 0)
            path.text[size -= sizeof(removed) - 1] = '\0';
    }
    if (name != NULL)
        snprintf(path.text + size, sizeof(path.text) - size, "%s%s", size > 0 ? "/" : "", name);
    return path;
}
