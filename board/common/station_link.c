/* Carries a station's requests from a port of the machine to the vault, and the answers back:
 *     board-station-link PORT VAULT_SOCKET [CONDITION]
 * Both ways a frame is u16 size (big endian) and one datagram of the vault's protocol; size 0 from
 * the station begins a new conversation, size 0 to the station says that the vault ended this one.
 * CONDITION is a program that has to succeed between two conversations; when it does not, the link
 * ends. It is asked while nobody waits, if it can be: a station gives up after seconds.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MAX_DATAGRAM = 4096, STATION_AWAY_POLL_S = 1 };

static int connect_to(const char* path) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path)
        return -1;
    strcpy(address.sun_path, path);
    const int vault = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (vault >= 0 && connect(vault, (struct sockaddr*)&address, sizeof address) != 0) {
        close(vault);
        return -1;
    }
    return vault;
}

/* A port whose other end is away reads as empty; the station may come back. */
static int read_all(int port, uint8_t* to, size_t size) {
    while (size > 0) {
        const ssize_t got = read(port, to, size);
        if (got < 0 && errno != EINTR)
            return -1;
        if (got == 0)
            sleep(STATION_AWAY_POLL_S);
        if (got > 0) {
            to += got;
            size -= (size_t)got;
        }
    }
    return 0;
}

static int write_frame(int port, const uint8_t* datagram, size_t size) {
    uint8_t frame[2 + MAX_DATAGRAM] = {(uint8_t)(size >> 8), (uint8_t)size};
    if (size > 0)
        memcpy(frame + 2, datagram, size);
    for (size_t done = 0; done < size + 2;) {
        const ssize_t put = write(port, frame + done, size + 2 - done);
        if (put < 0 && errno != EINTR)
            return -1;
        if (put > 0)
            done += (size_t)put;
    }
    return 0;
}

static int allowed(const char* condition) {
    if (!condition)
        return 1;
    int status = 1;
    const pid_t child = fork();
    if (child == 0) {
        execl(condition, condition, (char*)NULL);
        _exit(127);
    }
    return child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status) &&
           WEXITSTATUS(status) == 0;
}

/* False at the end. `carried`: a conversation was, since the condition was asked. */
static int read_head(int port, uint8_t head[2], const char* condition, int* carried) {
    ssize_t got = 0;
    while ((got = read(port, head, 1)) != 1) {
        if (got < 0 && errno != EINTR)
            return 0;
        if (got == 0 && *carried && !allowed(condition))
            return 0;
        if (got == 0) {
            *carried = 0;
            sleep(STATION_AWAY_POLL_S);
        }
    }
    return read_all(port, head + 1, 1) == 0;
}

static int carry(int port, const char* path, const char* condition) {
    uint8_t datagram[MAX_DATAGRAM];
    uint8_t head[2];
    int vault = -1;
    int carried = 0;
    while (read_head(port, head, condition, &carried)) {
        const size_t size = (size_t)head[0] << 8 | head[1];
        if (size > sizeof datagram || read_all(port, datagram, size) != 0)
            return 1;
        if (size == 0) {
            if (vault >= 0)
                close(vault);
            if (carried && !allowed(condition))
                return write_frame(port, datagram, 0);
            vault = connect_to(path);
            carried = 1;
            continue;
        }
        ssize_t answer = vault >= 0 ? send(vault, datagram, size, MSG_NOSIGNAL) : -1;
        if (answer >= 0)
            answer = recv(vault, datagram, sizeof datagram, 0);
        if (write_frame(port, datagram, answer > 0 ? (size_t)answer : 0) != 0)
            return 1;
    }
    return 1;
}

int main(int argc, char** argv) {
    const int port = argc == 3 || argc == 4 ? open(argv[1], O_RDWR | O_CLOEXEC) : -1;
    if (port < 0) {
        fprintf(stderr, "board-station-link: no such port\n");
        return 1;
    }
    return carry(port, argv[2], argc == 4 ? argv[3] : NULL);
}
