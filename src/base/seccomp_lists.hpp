// The names behind seccomp_filter.cpp, by what they are for.
#pragma once

namespace mitral::base::seccomp_lists {

// clang-format off: a name a line would hide the groups

inline constexpr const char* everyday[] = {
    // files that are open, and names that Landlock guards
    "read", "write", "readv", "writev", "pread64", "pwrite64", "preadv", "pwritev", "preadv2",
    "pwritev2", "close", "close_range", "lseek", "_llseek", "fstat", "fstat64", "stat", "stat64",
    "lstat", "lstat64", "newfstatat", "fstatat64", "statx", "statfs", "statfs64", "fstatfs",
    "fstatfs64", "access", "faccessat", "faccessat2", "open", "openat", "fcntl", "fcntl64",
    "flock", "fsync", "fdatasync", "sync_file_range", "ftruncate", "ftruncate64", "truncate",
    "truncate64", "fallocate", "fadvise64", "fadvise64_64", "readahead", "copy_file_range",
    "sendfile", "sendfile64", "rename", "renameat", "renameat2", "unlink", "unlinkat", "mkdir",
    "mkdirat", "rmdir", "link", "linkat", "chmod", "fchmod", "fchmodat", "fchown", "fchown32",
    "chown", "chown32", "lchown", "fchownat", "utimensat", "getdents64", "getcwd", "chdir",
    "readlink", "readlinkat", "umask", "dup", "dup2", "dup3", "pipe", "pipe2",
    // waiting
    "inotify_init1", "inotify_add_watch", "inotify_rm_watch", "eventfd2", "signalfd4",
    "timerfd_create", "timerfd_settime", "timerfd_gettime", "epoll_create1", "epoll_ctl",
    "epoll_wait", "epoll_pwait", "epoll_pwait2", "poll", "ppoll", "ppoll_time64", "select",
    "_newselect", "pselect6", "pselect6_time64", "nanosleep", "clock_nanosleep",
    "clock_nanosleep_time64", "pause", "restart_syscall",
    // memory
    "brk", "munmap", "mremap", "madvise", "mincore", "msync", "mlock", "mlock2", "munlock",
    "mlockall", "munlockall", "membarrier",
    // threads and signals of this process
    "futex", "futex_time64", "futex_waitv", "set_robust_list", "get_robust_list", "rseq",
    "set_tid_address", "gettid", "exit", "exit_group", "sched_yield", "sched_getaffinity",
    "sched_getparam", "sched_getscheduler", "sched_get_priority_max", "sched_get_priority_min",
    "rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "sigreturn", "rt_sigpending",
    "rt_sigtimedwait", "rt_sigtimedwait_time64", "rt_sigsuspend", "sigaltstack", "getitimer",
    "setitimer", "alarm",
    // time and identity; to set the clock takes a capability that is gone
    "clock_gettime", "clock_gettime64", "clock_getres", "clock_getres_time64", "adjtimex",
    "clock_adjtime", "gettimeofday", "time", "times", "getrusage", "sysinfo", "uname",
    "getrandom", "getcpu", "getpid", "getppid", "getuid", "getuid32", "geteuid", "geteuid32",
    "getgid", "getgid32", "getegid", "getegid32", "getgroups", "getgroups32", "getresuid",
    "getresuid32", "getresgid", "getresgid32", "getpgrp", "getpgid", "getsid", "capget",
    "getrlimit", "ugetrlimit", "getpriority",
    // sockets that exist; which may be made is decided apart
    "connect", "bind", "listen", "accept", "accept4", "getsockname", "getpeername", "recvfrom",
    "recvmsg", "recvmmsg", "recvmmsg_time64", "send", "recv", "shutdown", "setsockopt",
    "getsockopt",
};

inline constexpr const char* process_calls[] = {
    "clone", "fork", "vfork", "kill", "tgkill", "wait4", "waitid", "waitpid", "setpgid", "setsid",
    "pidfd_open", "pidfd_send_signal",
};

inline constexpr const char* execute_calls[] = {
    "execve", "execveat", "arch_prctl", "set_thread_area", "fchdir", "setrlimit",
};

// Nothing in Mitral makes these, with or without an error in it: whoever does is in control of the
// process.
inline constexpr const char* hostile[] = {
    "bpf", "perf_event_open", "userfaultfd", "keyctl", "add_key", "request_key", "mount",
    "umount", "umount2", "pivot_root", "chroot", "move_mount", "open_tree", "fsopen", "fsmount",
    "fsconfig", "fspick", "mount_setattr", "swapon", "swapoff", "unshare", "setns", "kexec_load",
    "kexec_file_load", "init_module", "finit_module", "delete_module", "reboot", "iopl", "ioperm",
    "modify_ldt", "acct", "quotactl", "open_by_handle_at", "kcmp", "pidfd_getfd", "settimeofday",
    "clock_settime", "stime", "sethostname", "setdomainname", "syslog", "vhangup", "nfsservctl",
    "uselib", "lookup_dcookie", "io_uring_setup", "io_uring_enter", "io_uring_register",
    "move_pages", "migrate_pages", "process_madvise",
};

inline constexpr const char* tracing[] = {
    "ptrace", "process_vm_readv", "process_vm_writev", "personality",
};

// What the run-time libraries of the sanitizers do.
inline constexpr const char* sanitizer_calls[] = {
    "ptrace", "process_vm_readv", "personality", "arch_prctl", "setrlimit",
};

// clang-format on

}  // namespace mitral::base::seccomp_lists
