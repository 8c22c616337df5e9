// Monitors for the benchmarks, cheaply: each has an address of 127.0.0.0/8 of its own.
//   bench_hl7 pace  --port P --messages FILE --beds N --rate N --seconds N   a ward, N messages a
//   second in all bench_hl7 flood --port P --messages FILE --count N [--window N]          one
//   monitor, as fast as it is answered bench_hl7 storm --port P --messages FILE --seconds N one
//   that is cut off and comes again
// Each writes one JSON object about what it saw.
#include <poll.h>
#include <sys/epoll.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <deque>

#include "hl7_link.hpp"

namespace {

using namespace mitral::bench;
using Clock = std::chrono::steady_clock;

struct Options {
    std::string messages;
    std::string address = "127.1.0.1";
    std::uint16_t port = 0;
    std::size_t beds = 1;
    std::uint64_t rate = 1;
    std::int64_t seconds = 10;
    std::uint64_t count = 1;
    std::uint64_t window = 1;
    std::uint64_t first = 1;
};

double seconds_since(Clock::time_point begin) {
    return std::chrono::duration<double>(Clock::now() - begin).count();
}

// A bed's link, and when each message without an answer was due.
struct Bed {
    explicit Bed(const Addresses& addresses) : link(addresses) {}

    void send(const Message& message, std::uint64_t number, Clock::time_point due) {
        message.append_to(link.output(), number);
        sent.push_back(due);
        link.write_some();
    }
    void receive(std::vector<double>& latencies_ms) {
        link.read_some();
        const auto now = Clock::now();
        for (; settled < link.answered() && !sent.empty(); ++settled) {
            latencies_ms.push_back(
                std::chrono::duration<double, std::milli>(now - sent.front()).count());
            sent.pop_front();
        }
        if (!link.output().empty())
            link.write_some();
    }

    Link link;
    std::deque<Clock::time_point> sent;
    std::uint64_t settled = 0;
};

class Ward {
  public:
    explicit Ward(const Options& options)
        : messages_(read_messages(options.messages)), epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
        beds_.reserve(options.beds);
        for (std::size_t i = 0; i < options.beds; ++i) {
            beds_.emplace_back(Addresses{address_after(options.address, i), options.port});
            epoll_event event{.events = EPOLLIN, .data = {.u64 = i}};
            if (::epoll_ctl(epoll_, EPOLL_CTL_ADD, beds_.back().link.fd(), &event) != 0)
                give_up("epoll");
        }
    }
    ~Ward() { ::close(epoll_); }
    Ward(const Ward&) = delete;
    Ward& operator=(const Ward&) = delete;

    // One tick is one bed's turn. A message waits from when it was due, not from when it could be
    // sent.
    void run(const Options& options) {
        const auto tick = std::chrono::nanoseconds(std::chrono::seconds(1)) /
                          static_cast<std::int64_t>(options.rate);
        const auto begin = Clock::now();
        const auto end = begin + std::chrono::seconds(options.seconds);
        auto due = begin;
        for (std::size_t turn = 0; due < end; ++turn, due += tick) {
            listen_until(due);
            const auto round = turn / beds_.size();
            beds_[turn % beds_.size()].send(messages_[round % messages_.size()],
                                            options.first + turn, due);
            ++sent_;
        }
        while (!std::ranges::all_of(beds_, [](const Bed& bed) { return bed.sent.empty(); }))
            listen_until(Clock::now() + std::chrono::milliseconds(10));
        seconds_ = seconds_since(begin);
    }

    void report() {
        std::ranges::sort(latencies_);
        std::uint64_t refused = 0;
        for (const auto& bed : beds_)
            refused += bed.link.refused();
        fmt::print(
            "{{\"messages\":{},\"refused\":{},\"seconds\":{:.6f},\"ack_p50_ms\":{:.3f},"
            "\"ack_p99_ms\":{:.3f},\"ack_max_ms\":{:.3f}}}\n",
            sent_, refused, seconds_, quantile(0.5), quantile(0.99), quantile(1.0));
    }

  private:
    void listen_until(Clock::time_point due) {
        epoll_event ready[64];
        while (true) {
            const auto left = std::chrono::ceil<std::chrono::milliseconds>(due - Clock::now());
            const int count = ::epoll_wait(
                epoll_, ready, 64, static_cast<int>(std::max<std::int64_t>(0, left.count() - 1)));
            if (count < 0)
                give_up("epoll_wait");
            for (int i = 0; i < count; ++i)
                beds_[ready[i].data.u64].receive(latencies_);
            if (Clock::now() >= due)
                return;
        }
    }
    [[nodiscard]] double quantile(double part) const {
        if (latencies_.empty())
            return 0;
        const auto last = static_cast<double>(latencies_.size() - 1);
        return latencies_[static_cast<std::size_t>(part * last)];
    }

    std::vector<Message> messages_;
    int epoll_;
    std::vector<Bed> beds_;
    std::vector<double> latencies_;
    std::uint64_t sent_ = 0;
    double seconds_ = 0;
};

void pace(const Options& options) {
    Ward ward(options);
    ward.run(options);
    ward.report();
}

// `window` messages without an answer; 1 is what monitors do.
void flood(const Options& options) {
    const auto messages = read_messages(options.messages);
    Link link({options.address, options.port});
    const auto begin = Clock::now();
    std::uint64_t sent = 0;
    while (link.answered() < options.count) {
        for (; sent < options.count && sent < link.answered() + options.window; ++sent)
            messages[sent % messages.size()].append_to(link.output(), options.first + sent);
        if (!link.output().empty())
            link.write_some();
        const bool writing = !link.output().empty();
        pollfd ready{link.fd(), static_cast<short>(writing ? POLLIN | POLLOUT : POLLIN), 0};
        if (::poll(&ready, 1, -1) < 0)
            give_up("poll");
        if ((ready.revents & (POLLIN | POLLHUP)) != 0)
            link.read_some();
    }
    fmt::print("{{\"messages\":{},\"refused\":{},\"seconds\":{:.6f}}}\n", sent, link.refused(),
               seconds_since(begin));
}

// Sends what it is not asked for until it is cut off, and comes again.
void storm(const Options& options) {
    const auto messages = read_messages(options.messages);
    std::string text;
    messages.front().append_to(text, options.first);
    const auto begin = Clock::now();
    std::uint64_t connections = 0;
    for (; seconds_since(begin) < static_cast<double>(options.seconds); ++connections) {
        const int fd = connect_to({options.address, options.port});
        char answer[256];
        while (::send(fd, text.data(), text.size(), MSG_NOSIGNAL) > 0 &&
               ::recv(fd, answer, sizeof answer, MSG_DONTWAIT) != 0 &&
               seconds_since(begin) < static_cast<double>(options.seconds)) {
        }
        ::close(fd);
    }
    fmt::print("{{\"connections\":{}}}\n", connections);
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App app("Monitors that speak HL7 over MLLP");
    app.require_subcommand(1);
    Options options;
    const auto command = [&](const char* name, void (*work)(const Options&), const char* what) {
        auto* made = app.add_subcommand(name, what);
        made->add_option("--port", options.port)->required();
        made->add_option("--messages", options.messages)->required();
        made->add_option("--address", options.address, "of the first monitor");
        made->add_option("--beds", options.beds)->check(CLI::PositiveNumber);
        made->add_option("--rate", options.rate)->check(CLI::PositiveNumber);
        made->add_option("--seconds", options.seconds);
        made->add_option("--count", options.count);
        made->add_option("--window", options.window)->check(CLI::PositiveNumber);
        made->add_option("--first", options.first);
        made->callback([&options, work] { work(options); });
    };
    command("pace", pace, "as a ward does");
    command("flood", flood, "one monitor, as fast as it is answered");
    command("storm", storm, "one that is cut off and comes again");
    CLI11_PARSE(app, argc, argv);
    return EXIT_SUCCESS;
}
