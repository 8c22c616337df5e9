/* The Unix socket over which a test gives the error file system its rules. */
#ifndef MITRAL_TESTS_FAULTS_ERRORFS_CONTROL_H
#define MITRAL_TESTS_FAULTS_ERRORFS_CONTROL_H

/* Takes orders in a thread of its own: one line a connection, answered and closed. 0, or -errno. */
int control_start(const char* socket_path);
/* Takes mount and socket away and ends the process once standard input ends: no mount outlives the
 * test that made it. Both texts outlive the process's main. 0, or -errno. */
int control_end_with_parent(const char* mount_point, const char* socket_path);

#endif
