#define _GNU_SOURCE
#include "errorfs_control.h"

#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "errorfs_rules.h"

static void talk(int client) {
    FILE* link = fdopen(client, "r+");
    char order[1024];
    if (link == NULL) {
        close(client);
        return;
    }
    if (fgets(order, sizeof(order), link) != NULL) {
        order[strcspn(order, "\n")] = '\0';
        fseek(link, 0, SEEK_CUR); /* C wants one between reading and writing */
        rules_obey(order, link);
    }
    fclose(link);
}

static void* serve(void* argument) {
    const int listener = (int)(intptr_t)argument;
    for (;;) {
        const int client = accept(listener, NULL, NULL);
        if (client >= 0)
            talk(client);
        else if (errno != EINTR && errno != ECONNABORTED)
            return NULL;
    }
}

static int start_thread(void* (*body)(void*), void* argument) {
    pthread_t thread;
    const int error = pthread_create(&thread, NULL, body, argument);
    if (error == 0)
        pthread_detach(thread);
    return -error;
}

int control_start(const char* socket_path) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(socket_path) >= sizeof(address.sun_path))
        return -ENAMETOOLONG;
    strcpy(address.sun_path, socket_path);
    const int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (listener < 0 || bind(listener, (const struct sockaddr*)&address, sizeof(address)) != 0 ||
        listen(listener, 16) != 0)
        return -errno;
    return start_thread(serve, (void*)(intptr_t)listener);
}

struct ending {
    const char* mount_point;
    const char* socket_path;
};

static void* wait_for_parent(void* argument) {
    const struct ending* ending = argument;
    char byte;
    while (read(STDIN_FILENO, &byte, 1) > 0) {
    }
    (void)umount2(ending->mount_point, MNT_DETACH);
    (void)unlink(ending->socket_path);
    _exit(0);
}

int control_end_with_parent(const char* mount_point, const char* socket_path) {
    static struct ending ending;
    ending = (struct ending){.mount_point = mount_point, .socket_path = socket_path};
    return start_thread(wait_for_parent, &ending);
}
