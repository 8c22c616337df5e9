#include "bedside/emit.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <list>

#include "base/encoding.hpp"
#include "base/errors.hpp"
#include "bedside/monitor.hpp"
#include "bedside/recording.hpp"

namespace mitral::bedside {
namespace {

using base::Status;

// Waveforms take their turn after every fourth message of numbers.
Lane lane_of(const BedPlan& plan, std::uint64_t number) {
    if (plan.waves_every.count() == 0)
        return Lane::vitals;
    return plan.vitals_every.count() == 0 || number % 5 == 4 ? Lane::waves : Lane::vitals;
}

std::string row(const Monitor& monitor, const Message& message) {
    std::string rows;
    for (const auto& promise : monitor.promises(message))
        rows += fmt::format(
            "{}{{\"source\":\"{}\",\"id\":\"{}\",\"index\":{},\"lane\":\"{}\",\"hash\":\"{}\"}}",
            rows.empty() ? "" : ",", monitor.plan().source, promise.id, promise.index,
            to_string(promise.lane), promise.hash);
    return fmt::format(
        "{{\"source\":\"{}\",\"control_id\":\"{}\",\"message\":\"{}\",\"rows\":[{}]}}\n",
        monitor.plan().source, message.control_id, base::to_base64(base::as_bytes(message.text)),
        rows);
}

bool wait_for_line() {
    int letter = 0;
    while ((letter = std::getchar()) != EOF)
        if (letter == '\n')
            return true;
    return false;
}

Status print(const std::string& text) {
    if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() || std::fflush(stdout) != 0)
        return base::fail_errno("write to standard output");
    return {};
}

}  // namespace

Status emit(const WardPlan& plan, std::uint64_t count, bool lines) {
    MITRAL_CHECK(check(plan));
    MITRAL_TRY(const auto recording, Recording::read(plan.recording));
    const base::SystemClock clock;
    std::list<Repertoire> repertoires;
    std::vector<Monitor> monitors;
    for (const auto& bed : plan.beds) {
        const auto samples = static_cast<std::size_t>(bed.waves_every.count()) * wave_rate / 1000;
        repertoires.emplace_back(*bed.dialect, recording, samples);
        MITRAL_TRY(auto monitor, Monitor::create(bed, plan.seed, monitors.size(), clock.wall(),
                                                 repertoires.back()));
        monitors.push_back(std::move(monitor));
    }
    for (std::uint64_t number = 0; lines ? wait_for_line() : number < count; ++number) {
        for (auto& monitor : monitors) {
            const auto message = monitor.say(lane_of(monitor.plan(), number), clock.wall());
            MITRAL_CHECK(print(row(monitor, message)));
        }
    }
    return {};
}

}  // namespace mitral::bedside
