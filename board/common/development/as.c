/* Runs a program as a user: mitral-board-as UID PROGRAM [ARGUMENT…] */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int main(int argc, char** argv) {
    const unsigned int user = argc > 2 ? (unsigned int)strtoul(argv[1], NULL, 10) : 0;
    if (argc > 2 && setgid(user) == 0 && setuid(user) == 0)
        execv(argv[2], argv + 2);
    fprintf(stderr, "mitral-board-as: not done\n");
    return 127;
}
