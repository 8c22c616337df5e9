// Stands in for a daemon inside its systemd unit and tries what that unit must not do. One JSON
// object goes to the room's own state directory (or to the path in MITRAL_PROBE_REPORT): attempt →
// "succeeded" or the refusal.
#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/fd.hpp"
#include "base/process.hpp"

namespace {

using mitral::base::UniqueFd;

int error_of(long result) {
    return result < 0 ? errno : 0;
}

int can_open(const std::string& path, int flags) {
    const UniqueFd fd(open(path.c_str(), flags | O_CLOEXEC, 0600));
    return fd.valid() ? 0 : errno;
}

int run(const char* program) {
    const pid_t child = fork();
    if (child < 0)
        return errno;
    if (child == 0) {
        execl(program, program, nullptr);
        _exit(errno);
    }
    int status = 0;
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : EINTR;
}

int run_dropped(const std::string& directory) {
    const std::string program = directory + "/dropped";
    {
        const UniqueFd from(open("/bin/true", O_RDONLY | O_CLOEXEC));
        const UniqueFd to(open(program.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755));
        if (!from.valid() || !to.valid() || fchmod(to.get(), 0755) != 0)
            return errno;
        char buffer[4096];
        for (ssize_t count = 0; (count = read(from.get(), buffer, sizeof buffer)) > 0;)
            if (write(to.get(), buffer, static_cast<std::size_t>(count)) != count)
                return EIO;
    }
    const int error = run(program.c_str());
    unlink(program.c_str());
    return error;
}

int open_socket(int family, int type) {
    const UniqueFd fd(socket(family, type, 0));
    return fd.valid() ? 0 : errno;
}

int map_writable_code() {
    void* memory =
        mmap(nullptr, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return memory == MAP_FAILED ? errno : 0;
}

int make_setuid(const std::string& directory) {
    const std::string path = directory + "/setuid";
    const UniqueFd fd(open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0700));
    const int error = error_of(fchmod(fd.get(), 04755));
    unlink(path.c_str());
    return error;
}

// In a child, since some attempts would change or end this process.
int apart(const auto& attempt) {
    const pid_t child = fork();
    if (child < 0)
        return errno;
    if (child == 0)
        _exit(attempt());
    int status = 0;
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : EPERM;
}

std::vector<std::pair<std::string, int>> try_everything(const std::string& own) {
    return {
        {"write-own-state", can_open(own + "/probe", O_WRONLY | O_CREAT)},
        {"write-configuration", can_open("/etc/mitral/planted", O_WRONLY | O_CREAT)},
        {"write-programs", can_open("/usr/local/bin/planted", O_WRONLY | O_CREAT)},
        {"write-runtime-directory", can_open("/run/mitral/planted", O_WRONLY | O_CREAT)},
        {"write-foreign-state", can_open("/var/lib/mitral/foreign/planted", O_WRONLY | O_CREAT)},
        {"read-vault-state", can_open("/var/lib/mitral/vault/planted-secret", O_RDONLY)},
        {"read-home", can_open("/home/planted", O_RDONLY)},
        {"read-passwords", can_open("/etc/shadow", O_RDONLY)},
        {"see-other-processes", can_open("/proc/1/status", O_RDONLY)},
        {"change-kernel-setting", can_open("/proc/sys/kernel/hostname", O_WRONLY)},
        {"run-program", run("/bin/true")},
        {"run-dropped-program", run_dropped(own)},
        {"run-dropped-program-in-tmp", run_dropped("/tmp")},
        {"run-dropped-program-in-shm", run_dropped("/dev/shm")},
        {"open-internet-socket", open_socket(AF_INET, SOCK_STREAM)},
        {"open-packet-socket", open_socket(AF_PACKET, SOCK_RAW)},
        {"open-local-socket", open_socket(AF_UNIX, SOCK_STREAM)},
        {"map-writable-code", map_writable_code()},
        {"make-setuid-program", make_setuid(own)},
        {"become-root", apart([] { return getuid() == 0 ? 0 : error_of(setuid(0)); })},
        {"enter-user-namespace", apart([] { return error_of(unshare(CLONE_NEWUSER)); })},
        {"mount", apart([] { return error_of(mount("none", "/mnt", "tmpfs", 0, nullptr)); })},
        {"trace-init", apart([] { return error_of(ptrace(PTRACE_SEIZE, 1, nullptr, nullptr)); })},
        {"signal-init", error_of(kill(1, 0))},
    };
}

std::string own_state(std::string_view program) {
    if (const char* state = std::getenv("STATE_DIRECTORY"))
        return state;
    if (program.ends_with("mitral-intake-lines"))
        return "/var/lib/mitral/spool/lines";
    return program.ends_with("mitral-intake-hl7") ? "/var/lib/mitral/spool/hl7" : "/var/lib/probe";
}

std::string as_json(const std::vector<std::pair<std::string, int>>& results) {
    std::string text = "{";
    for (const auto& [name, error] : results)
        text += fmt::format("{}\"{}\": \"{}\"", text.size() > 1 ? ", " : "", name,
                            error == 0 ? "succeeded" : std::strerror(error));
    return text + "}\n";
}

}  // namespace

int main(int, char** argv) {
    const std::string own = own_state(argv[0]);
    const std::string report = as_json(try_everything(own));
    const std::string path = own + "/probe-report.json";
    const UniqueFd fd(open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
    if (write(fd.get(), report.data(), report.size()) != static_cast<ssize_t>(report.size()))
        return 1;
    mitral::base::notify_ready();
    if (std::string_view(argv[0]).ends_with("mitral-enrol"))
        return 0;  // one shot
    pause();
    return 0;
}
