// Hands lines to mitral-intake-lines for the benchmarks, cheaply, and keeps time of its answers.
// A template is a line with a run of '#' where the number of the line goes.
//   bench_lines flood --socket S --template FILE --count N --first N
//   bench_lines pace  --socket S --template FILE --beds N --interval-ms N --seconds N
// Each writes one JSON object about what it saw.
#include <fmt/format.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <fstream>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;
using Microseconds = std::chrono::duration<double, std::micro>;

constexpr std::size_t burst_bytes = 64 * 1024;

[[noreturn]] void give_up(std::string_view what) {
    fmt::print(stderr, "bench_lines: {}: {}\n", what, std::strerror(errno));
    std::exit(EXIT_FAILURE);
}

class Template {
  public:
    explicit Template(std::string text) : text_(std::move(text)), at_(text_.find('#')) {
        if (at_ == std::string::npos)
            give_up("a template without '#'");
        width_ = std::min(text_.find_first_not_of('#', at_), text_.size()) - at_;
        text_.push_back('\n');
    }
    void append_to(std::string& out, std::uint64_t number) const {
        const std::size_t start = out.size() + at_;
        out.append(text_);
        for (std::size_t digit = width_; digit-- > 0; number /= 10)
            out[start + digit] = static_cast<char>('0' + number % 10);
    }

  private:
    std::string text_;
    std::size_t at_;
    std::size_t width_ = 0;
};

std::vector<Template> read_templates(const std::string& file) {
    std::ifstream input(file);
    std::vector<Template> templates;
    for (std::string line; std::getline(input, line);)
        templates.emplace_back(std::move(line));
    if (templates.empty())
        give_up("no template in " + file);
    return templates;
}

struct Answers {
    std::uint64_t settled = 0;  // lines up to this one
    std::uint64_t refused = 0;  // `no` and `later`
};

// One connection to the intake: a header, lines out, answers in.
class Connection {
  public:
    Connection(const std::string& path, const std::string& source)
        : fd_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        path.copy(address.sun_path, sizeof address.sun_path - 1);
        if (fd_ < 0 ||
            ::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
            give_up("connect to " + path);
        output_ = fmt::format("{{\"schema\":\"mitral.lines/1\",\"source\":\"{}\"}}\n", source);
    }
    ~Connection() { ::close(fd_); }
    Connection(Connection&& other) noexcept
        : fd_(std::exchange(other.fd_, -1)),
          output_(std::move(other.output_)),
          input_(std::move(other.input_)),
          answers_(other.answers_) {}
    Connection& operator=(Connection&&) = delete;

    [[nodiscard]] int fd() const noexcept { return fd_; }
    [[nodiscard]] std::string& output() noexcept { return output_; }
    [[nodiscard]] const Answers& answers() const noexcept { return answers_; }

    void write_some() {
        const ssize_t count = ::send(fd_, output_.data(), output_.size(), MSG_NOSIGNAL);
        if (count < 0 && errno != EAGAIN)
            give_up("send");
        if (count > 0)
            output_.erase(0, static_cast<std::size_t>(count));
    }

    void read_some() {
        char piece[4096];
        const ssize_t count = ::recv(fd_, piece, sizeof piece, 0);
        if (count == 0 || (count < 0 && errno != EAGAIN))
            give_up("the intake closed the connection");
        if (count < 0)
            return;
        input_.append(piece, static_cast<std::size_t>(count));
        for (auto end = input_.find('\n'); end != std::string::npos; end = input_.find('\n')) {
            take(std::string_view(input_).substr(0, end));
            input_.erase(0, end + 1);
        }
    }

  private:
    void take(std::string_view answer) {
        if (!answer.starts_with("ok ")) {
            if (answers_.refused++ == 0)
                fmt::print(stderr, "bench_lines: {}\n", answer);
            return;
        }
        answer.remove_prefix(3);
        std::from_chars(answer.data(), answer.data() + answer.size(), answers_.settled);
    }

    int fd_;
    std::string output_;
    std::string input_;
    Answers answers_;
};

double cpu_us() {
    rusage usage{};
    (void)::getrusage(RUSAGE_SELF, &usage);
    const auto us = [](const timeval& time) {
        return static_cast<double>(time.tv_sec) * 1e6 + static_cast<double>(time.tv_usec);
    };
    return us(usage.ru_utime) + us(usage.ru_stime);
}

struct FloodOptions {
    std::string socket;
    std::string template_file;
    std::string source = "bed-1";
    std::uint64_t first = 1;
    std::uint64_t count = 1;
};

// As fast as the intake takes them.
void flood(const FloodOptions& options) {
    const auto templates = read_templates(options.template_file);
    Connection connection(options.socket, options.source);
    const auto begin = Clock::now();
    const double cpu_before = cpu_us();
    std::uint64_t made = 0;
    while (connection.answers().settled < options.count) {
        auto& output = connection.output();
        for (; output.size() < burst_bytes && made < options.count; ++made)
            templates[made % templates.size()].append_to(output, options.first + made);
        const bool writing = !output.empty();
        pollfd ready{connection.fd(), static_cast<short>(writing ? POLLIN | POLLOUT : POLLIN), 0};
        if (::poll(&ready, 1, -1) < 0)
            give_up("poll");
        if ((ready.revents & POLLOUT) != 0)
            connection.write_some();
        if ((ready.revents & (POLLIN | POLLHUP)) != 0)
            connection.read_some();
    }
    fmt::print("{{\"lines\":{},\"refused\":{},\"seconds\":{:.6f},\"cpu_us\":{:.0f}}}\n",
               options.count, connection.answers().refused,
               std::chrono::duration<double>(Clock::now() - begin).count(), cpu_us() - cpu_before);
}

struct PaceOptions {
    std::string socket;
    std::string template_file;
    std::size_t beds = 1;
    std::int64_t interval_ms = 1000;
    std::int64_t seconds = 10;
    std::uint64_t first = 1;
};

// A bed sends every line of the template once an interval; beds are spread over it.
class Bed {
  public:
    Bed(const PaceOptions& options, std::size_t index)
        : connection_(options.socket, fmt::format("bed-{}", index + 1)), next_(options.first) {}

    void send(const std::vector<Template>& templates) {
        for (const auto& line : templates) {
            line.append_to(connection_.output(), next_++);
            sent_.push_back(Clock::now());
        }
        connection_.write_some();
    }
    void receive(std::vector<double>& latencies) {
        connection_.read_some();
        const auto now = Clock::now();
        for (; settled_ < connection_.answers().settled && !sent_.empty(); ++settled_) {
            latencies.push_back(Microseconds(now - sent_.front()).count());
            sent_.pop_front();
        }
    }
    void write_rest() {
        if (!connection_.output().empty())
            connection_.write_some();
    }
    [[nodiscard]] int fd() const noexcept { return connection_.fd(); }
    [[nodiscard]] bool settled() const noexcept { return sent_.empty(); }
    [[nodiscard]] std::uint64_t refused() const noexcept { return connection_.answers().refused; }

  private:
    Connection connection_;
    std::deque<Clock::time_point> sent_;
    std::uint64_t next_;
    std::uint64_t settled_ = 0;
};

class Ward {
  public:
    explicit Ward(const PaceOptions& options) : templates_(read_templates(options.template_file)) {
        for (std::size_t bed = 0; bed < options.beds; ++bed)
            beds_.emplace_back(options, bed);
    }

    // One tick is one bed's turn.
    void run(const PaceOptions& options) {
        const auto tick = std::chrono::nanoseconds(options.interval_ms * 1'000'000) /
                          static_cast<std::int64_t>(beds_.size());
        auto due = Clock::now();
        const auto end = due + std::chrono::seconds(options.seconds);
        for (std::size_t turn = 0; due < end; ++turn, due += tick) {
            listen_until(due);
            beds_[turn % beds_.size()].send(templates_);
            lines_ += templates_.size();
        }
        while (!std::ranges::all_of(beds_, &Bed::settled))
            listen_until(Clock::now() + std::chrono::milliseconds(10));
    }

    void report() {
        std::ranges::sort(latencies_);
        std::uint64_t refused = 0;
        for (const auto& bed : beds_)
            refused += bed.refused();
        fmt::print(
            "{{\"lines\":{},\"refused\":{},\"ack_p50_ms\":{:.3f},\"ack_p99_ms\":{:.3f},"
            "\"ack_max_ms\":{:.3f}}}\n",
            lines_, refused, quantile(0.5), quantile(0.99), quantile(1.0));
    }

  private:
    void listen_until(Clock::time_point due) {
        while (true) {
            const auto left = std::chrono::ceil<std::chrono::milliseconds>(due - Clock::now());
            if (left.count() <= 0)
                return;
            waiting_.clear();
            for (auto& bed : beds_) {
                bed.write_rest();
                waiting_.push_back({bed.fd(), POLLIN, 0});
            }
            if (::poll(waiting_.data(), waiting_.size(), static_cast<int>(left.count())) < 0)
                give_up("poll");
            for (std::size_t i = 0; i < beds_.size(); ++i) {
                if (waiting_[i].revents != 0)
                    beds_[i].receive(latencies_);
            }
        }
    }
    [[nodiscard]] double quantile(double part) const {
        if (latencies_.empty())
            return 0;
        const auto last = static_cast<double>(latencies_.size() - 1);
        return latencies_[static_cast<std::size_t>(part * last)] / 1000;
    }

    std::vector<Template> templates_;
    std::vector<Bed> beds_;
    std::vector<pollfd> waiting_;
    std::vector<double> latencies_;
    std::uint64_t lines_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
    CLI::App app("Hands lines to mitral-intake-lines");
    app.require_subcommand(1);
    FloodOptions flooding;
    auto* flood_command = app.add_subcommand("flood", "as fast as they are taken");
    flood_command->add_option("--socket", flooding.socket)->required();
    flood_command->add_option("--template", flooding.template_file)->required();
    flood_command->add_option("--source", flooding.source);
    flood_command->add_option("--count", flooding.count);
    flood_command->add_option("--first", flooding.first);
    PaceOptions pacing;
    auto* pace_command = app.add_subcommand("pace", "as a ward does");
    pace_command->add_option("--socket", pacing.socket)->required();
    pace_command->add_option("--template", pacing.template_file)->required();
    pace_command->add_option("--beds", pacing.beds)->check(CLI::PositiveNumber);
    pace_command->add_option("--interval-ms", pacing.interval_ms);
    pace_command->add_option("--seconds", pacing.seconds);
    pace_command->add_option("--first", pacing.first);
    CLI11_PARSE(app, argc, argv);
    if (flood_command->parsed()) {
        flood(flooding);
        return EXIT_SUCCESS;
    }
    Ward ward(pacing);
    ward.run(pacing);
    ward.report();
    return EXIT_SUCCESS;
}
