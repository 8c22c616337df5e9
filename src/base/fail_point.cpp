#include "base/fail_point.hpp"

#ifdef MITRAL_FAIL_POINTS

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdint>
#include <cstdlib>
#include <ctime>
#include <map>
#include <optional>
#include <string>

#include "base/fd.hpp"

namespace mitral::base::fail_point {
namespace {

// How far the wall clock of this process stands beside the real one: the run writes it into a file
// beside its socket, and it takes effect at once, also inside the sandbox.
const volatile std::int64_t* wall_clock_offset_ns = nullptr;

void share_clock(const std::string& path) noexcept {
    const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!file.valid())
        return;
    const void* page = ::mmap(nullptr, sizeof(std::int64_t), PROT_READ, MAP_SHARED, file.get(), 0);
    if (page != MAP_FAILED)
        wall_clock_offset_ns = static_cast<const volatile std::int64_t*>(page);
}

// One datagram each. To the run: "join PROGRAM", "at NAME", "time SECONDS", "refused ERRNO",
// "cut BYTES". From it: "arm NAME NTH" and "disarm" at any time; "time" while the process stands;
// "go", "errno NUMBER", "short BYTES ERRNO" and "torn BYTES" as the verdict on "join" and "at".
class Run {
  public:
    void join() noexcept {
        const char* path = std::getenv("MITRAL_TORTURE");
        sockaddr_un address{};
        const std::string_view text(path != nullptr ? path : "");
        if (text.empty() || text.size() >= sizeof address.sun_path)
            return;
        address.sun_family = AF_UNIX;
        std::copy(text.begin(), text.end(), address.sun_path);
        socket_.reset(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
        if (::connect(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) !=
            0)
            return socket_.reset();
        share_clock(std::string(text) + ".clock");
        say(std::string("join ") + program_invocation_short_name);
        await_verdict();
    }

    void reach(std::string name) {
        if (!socket_.valid())
            return;
        fault_ = {};  // what the last call did not take is void
        while (const auto order = receive(MSG_DONTWAIT))
            obey(*order);
        const auto armed = armed_.find(name);
        if (armed == armed_.end() || --armed->second > 0)
            return;
        armed_.erase(armed);
        name_ = std::move(name);
        stand();
    }

    [[nodiscard]] bool call_fails() {
        if (fault_.tears && !fault_.size)
            stand();  // the part is written: here the run ends the process
        if (fault_.error == 0 || fault_.size)
            return false;
        const int error = std::exchange(fault_, {}).error;
        say("refused " + std::to_string(error));
        errno = error;
        return true;
    }

    [[nodiscard]] std::size_t call_size(std::size_t size) {
        if (!fault_.size)
            return size;
        const std::size_t cut = std::min(size - 1, *std::exchange(fault_.size, std::nullopt));
        say("cut " + std::to_string(cut));
        return cut;
    }

  private:
    struct Fault {
        int error = 0;
        std::optional<std::size_t> size;
        bool tears = false;
    };

    void stand() {
        fault_ = {};
        say("at " + name_);
        await_verdict();
    }

    void await_verdict() {
        while (const auto order = receive(0)) {
            if (!obey(*order))
                return;
        }
    }

    // False: it was a verdict.
    bool obey(const std::string& order) {
        const auto word = order.substr(0, order.find(' '));
        const auto rest = order.size() > word.size() ? order.substr(word.size() + 1) : "";
        const auto blank = rest.find(' ');
        const auto second = blank == std::string::npos ? "" : rest.substr(blank + 1);
        if (word == "arm") {
            armed_[rest.substr(0, blank)] = number(second);
            return true;
        }
        if (word == "disarm") {
            armed_.clear();
            return true;
        }
        if (word == "time") {
            say("time " + std::to_string(std::time(nullptr)));
            return true;
        }
        if (word == "errno")
            fault_.error = number(rest);
        if (word == "short" || word == "torn")
            fault_ = {number(second), static_cast<std::size_t>(number(rest.substr(0, blank))),
                      word == "torn"};
        return false;
    }

    static int number(std::string_view text) {
        int value = 0;
        std::from_chars(text.data(), text.data() + text.size(), value);
        return value;
    }

    void say(const std::string& text) const {
        (void)::send(socket_.get(), text.data(), text.size(), MSG_NOSIGNAL);
    }

    std::optional<std::string> receive(int flags) {
        std::array<char, 256> buffer{};
        ssize_t count = 0;
        do {
            count = ::recv(socket_.get(), buffer.data(), buffer.size(), flags);
        } while (count < 0 && errno == EINTR);
        if (count > 0)
            return std::string(buffer.data(), static_cast<std::size_t>(count));
        if (count == 0)
            socket_.reset();  // the run has ended: live on without it
        return std::nullopt;
    }

    UniqueFd socket_;
    std::map<std::string, int> armed_;  // how often it is still to be reached
    std::string name_;
    Fault fault_;
};

Run& run() {
    static Run only;
    return only;
}

}  // namespace

void join() noexcept {
    run().join();
}

void reach(std::string_view name, std::string_view part) noexcept {
    const int before = errno;
    std::string whole(name);
    if (!part.empty())
        whole.append(":").append(part);
    run().reach(std::move(whole));
    errno = before;
}

bool call_fails() noexcept {
    return run().call_fails();
}

std::size_t call_size(std::size_t size) noexcept {
    return run().call_size(size);
}

std::string_view last_part(std::string_view path) noexcept {
    if (path.ends_with(".new"))  // the file that is about to replace another
        path.remove_suffix(4);
    const auto slash = path.rfind('/');
    return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

}  // namespace mitral::base::fail_point

// The process's own definitions go before the C library's, for libraries (TLS) too.
extern "C" int clock_gettime(clockid_t id, timespec* now) noexcept {
    constexpr std::int64_t second = 1'000'000'000;
    const auto result = static_cast<int>(::syscall(SYS_clock_gettime, id, now));
    const auto* offset = mitral::base::fail_point::wall_clock_offset_ns;
    if (result != 0 || offset == nullptr || (id != CLOCK_REALTIME && id != CLOCK_REALTIME_COARSE))
        return result;
    const std::int64_t shifted = now->tv_sec * second + now->tv_nsec + *offset;
    now->tv_sec = shifted / second;
    now->tv_nsec = shifted % second;
    return 0;
}

extern "C" time_t time(time_t* into) noexcept {
    timespec now{};
    (void)::clock_gettime(CLOCK_REALTIME, &now);
    if (into != nullptr)
        *into = now.tv_sec;
    return now.tv_sec;
}

extern "C" int gettimeofday(timeval* __restrict into, void* __restrict) noexcept {
    timespec now{};
    (void)::clock_gettime(CLOCK_REALTIME, &now);
    *into = {now.tv_sec, now.tv_nsec / 1000};
    return 0;
}

#endif
