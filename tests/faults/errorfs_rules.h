/* What the error file system does wrong, and when. Thread-safe. */
#ifndef MITRAL_TESTS_FAULTS_ERRORFS_RULES_H
#define MITRAL_TESTS_FAULTS_ERRORFS_RULES_H

#include <stdio.h>
#include <sys/types.h>

enum operation {
    OP_OPEN,
    OP_CREATE,
    OP_READ,
    OP_WRITE,
    OP_FSYNC,
    OP_FDATASYNC,
    OP_FSYNCDIR,
    OP_RENAME,
    OP_UNLINK,
    OP_TRUNCATE,
    OP_FALLOCATE,
    OP_MKDIR,
    OP_RMDIR,
    OP_LINK,
    OP_READDIR,
    OP_STATFS,
    OPERATIONS
};

/* Asks what is to happen to an operation on `path` (below the mount, no leading '/'; `other`: the
 * second path of a rename or link, or NULL); waits as long as a rule says. 0: let it happen;
 * negative: fail with this errno. `limit`, for a write: how many bytes of it to write, or -1. */
int rules_strike(enum operation op, const char* path, const char* other, ssize_t* limit);

/* 0, or -EIO after a torn write: nothing works then until the rules are cleared. */
int rules_alive(void);

/* Takes one order, writes one answer:
 *   add NAME OPERATION GLOB [errno=N|short=N|torn=N] [delay_ms=N] [nth=N] [count=N]   → ok
 *   clear [NAME]   → ok, also when there is none
 *   list           → a line "NAME seen fired" for each rule, then ok
 * or "error …". */
void rules_obey(char* order, FILE* answer);

#endif
