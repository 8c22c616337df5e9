#include "bedside/ward.hpp"

#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <list>
#include <map>
#include <memory>
#include <tuple>

#include "base/errors.hpp"
#include "bedside/bed.hpp"
#include "bedside/repertoire.hpp"

namespace mitral::bedside {
namespace {

using base::Milliseconds;
using base::Result;
using base::Status;

constexpr Milliseconds flush_every{50};
constexpr Milliseconds tick_every{1'000};

// A connection and two files a bed.
void raise_descriptor_limit() {
    rlimit limit{};
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
    }
}

std::size_t samples_per_message(const BedPlan& plan) {
    return static_cast<std::size_t>(plan.waves_every.count()) * wave_rate / 1000;
}

class Ward {
  public:
    Ward(const WardPlan& plan, const Say& say, std::unique_ptr<base::EventLoop> loop)
        : plan_(plan), say_(say), loop_(std::move(loop)), began_(clock_.monotonic()) {}

    Status fill();
    Result<bool> run();

  private:
    Result<const net::TlsContext*> tls_for(const BedPlan& plan);
    Status add_bed(const BedPlan& plan, const Recording& recording, base::WallTime started);
    void tick();
    void flush();
    void stop();
    [[nodiscard]] bool done() const;
    [[nodiscard]] std::string status(const char* what, const Latencies& latencies) const;

    const WardPlan& plan_;
    const Say& say_;
    base::SystemClock clock_;
    std::unique_ptr<base::EventLoop> loop_;
    Tally tally_;
    std::map<std::pair<const Dialect*, std::size_t>, Repertoire> repertoires_;
    std::map<std::tuple<std::vector<std::string>, std::string, std::string, bool>, net::TlsContext>
        contexts_;
    std::list<Bed> beds_;  // they stay where they are
    base::MonotonicTime began_;
    std::optional<base::MonotonicTime> stopped_;
    std::optional<base::Error> trouble_;
    std::uint64_t said_ = 0;  // acknowledged messages at the last status line
};

Result<const net::TlsContext*> Ward::tls_for(const BedPlan& plan) {
    if (!plan.tls())
        return nullptr;
    const bool server = !plan.listen.empty();
    const auto key = std::tuple(plan.roots, plan.certificate, plan.key, server);
    auto found = contexts_.find(key);
    if (found == contexts_.end()) {
        auto made = server ? net::TlsContext::server(
                                 {.certificate_file = plan.certificate, .key_file = plan.key})
                           : net::TlsContext::client({.root_files = plan.roots,
                                                      .roots_pem = {},
                                                      .certificate_file = plan.certificate,
                                                      .key_file = plan.key});
        if (!made)
            return std::unexpected(std::move(made).error());
        found = contexts_.emplace(key, std::move(*made)).first;
    }
    return &found->second;
}

Status Ward::add_bed(const BedPlan& plan, const Recording& recording, base::WallTime started) {
    const std::size_t samples = samples_per_message(plan);
    auto found = repertoires_.find({plan.dialect, samples});
    if (found == repertoires_.end())
        found = repertoires_
                    .emplace(std::pair(plan.dialect, samples),
                             Repertoire(*plan.dialect, recording, samples))
                    .first;
    const auto number = beds_.size();
    MITRAL_TRY(auto monitor, Monitor::create(plan, plan_.seed, number, started, found->second));
    std::optional<Book> book;
    if (!plan_.book.empty()) {
        MITRAL_TRY(book, Book::open(plan_.book, plan.source, monitor.person(), plan_.times));
    }
    MITRAL_TRY(const auto* tls, tls_for(plan));
    beds_.emplace_back(Bed::Place{*loop_, clock_, plan_, tally_}, std::move(monitor),
                       std::move(book), tls, number);
    return {};
}

Status Ward::fill() {
    raise_descriptor_limit();
    MITRAL_TRY(const auto recording, Recording::read(plan_.recording));
    const auto started = clock_.wall();
    for (const auto& bed : plan_.beds)
        MITRAL_CHECK(add_bed(bed, recording, started));
    return {};
}

std::string Ward::status(const char* what, const Latencies& latencies) const {
    return fmt::format(
        "{} beds={}/{} messages={} acknowledged={} observations={} refused={} postponed={} "
        "ack p50/p99/max={:.1f}/{:.1f}/{:.1f} ms reconnects={}",
        what, tally_.connected, beds_.size(), tally_.messages, tally_.acknowledged,
        tally_.observations, tally_.refused, tally_.postponed, latencies.percentile(0.50),
        latencies.percentile(0.99), latencies.max(), tally_.reconnects);
}

void Ward::flush() {
    for (auto& bed : beds_) {
        if (auto flushed = bed.flush(); !flushed) {
            trouble_ = std::move(flushed).error();
            return loop_->stop();
        }
    }
    if (done())
        return loop_->stop();
    (void)loop_->after(flush_every, [this] { flush(); });
}

void Ward::tick() {
    for (auto& bed : beds_)
        bed.tick();
    const auto now = clock_.monotonic();
    auto line =
        status(fmt::format("{:6.1f}s", static_cast<double>((now - began_).count()) / 1000).c_str(),
               tally_.recent);
    line += fmt::format(" rate={}/s", tally_.acknowledged - said_);
    if (!tally_.trouble.empty())
        line += " trouble: " + tally_.trouble;
    say_(line);
    tally_.trouble.clear();
    tally_.recent = {};
    said_ = tally_.acknowledged;
    const bool said_all =
        std::ranges::all_of(beds_, [](const Bed& bed) { return bed.exhausted(); });
    if ((plan_.run.count() > 0 && now - began_ >= plan_.run) || said_all)
        stop();
    if (stopped_ && now - *stopped_ > plan_.farewell)
        return loop_->stop();
    (void)loop_->after(tick_every, [this] { tick(); });
}

void Ward::stop() {
    if (stopped_)
        return;
    stopped_ = clock_.monotonic();
    for (auto& bed : beds_)
        bed.stop();
}

bool Ward::done() const {
    return std::ranges::all_of(beds_, [](const Bed& bed) { return bed.done(); });
}

Result<bool> Ward::run() {
    MITRAL_CHECK(loop_->on_termination([this] { stop(); }));
    std::int64_t number = 0;
    for (auto& bed : beds_) {
        const auto interval = std::max(plan_.beds[static_cast<std::size_t>(number)].vitals_every,
                                       plan_.beds[static_cast<std::size_t>(number)].waves_every);
        const auto spread =
            static_cast<double>(interval.count()) / (plan_.speed > 0 ? plan_.speed : 1);
        MITRAL_CHECK(bed.start(Milliseconds(static_cast<std::int64_t>(
            plan_.speed == 0
                ? 0
                : spread * static_cast<double>(number) / static_cast<double>(beds_.size())))));
        ++number;
    }
    flush();
    (void)loop_->after(tick_every, [this] { tick(); });
    MITRAL_CHECK(loop_->run());
    if (trouble_)
        return std::unexpected(*trouble_);
    std::size_t unanswered = 0;
    for (auto& bed : beds_) {
        MITRAL_TRY(const auto left, bed.close());
        unanswered += left;
    }
    say_(status("bedside:", tally_.latencies) + fmt::format(" unanswered={}", unanswered));
    return tally_.acknowledged > 0 && tally_.refused == 0 && unanswered == 0;
}

}  // namespace

Result<bool> run_ward(const WardPlan& plan, const Say& say) {
    MITRAL_CHECK(check(plan));
    MITRAL_TRY(auto loop, base::EventLoop::create());
    Ward ward(plan, say, std::move(loop));
    MITRAL_CHECK(ward.fill());
    return ward.run();
}

}  // namespace mitral::bedside
