#include "bedside/mischief.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "base/errors.hpp"
#include "bedside/answer.hpp"

namespace mitral::bedside {
namespace {

using base::Milliseconds;

constexpr auto names = std::to_array<std::pair<std::string_view, Fault>>({
    {"resend", Fault::resend},
    {"split", Fault::split},
    {"several", Fault::several},
    {"junk", Fault::junk},
    {"tail", Fault::tail},
    {"silence", Fault::silence},
    {"half", Fault::half},
    {"slow", Fault::slow},
    {"flood", Fault::flood},
});

constexpr std::size_t slow_writes = 40;  // of a slow frame: it ends within a second or two
constexpr std::size_t flood_messages = 200;

std::string with_other_tail(std::string message) {
    if (message.ends_with('\r'))
        message.pop_back();
    else
        message += '\r';
    return message;
}

}  // namespace

base::Result<std::vector<Fault>> parse_faults(const std::vector<std::string>& wanted) {
    std::vector<Fault> faults;
    for (const auto& name : wanted) {
        if (name == "all") {
            for (const auto& [unused, fault] : names)
                faults.push_back(fault);
            continue;
        }
        const auto found =
            std::ranges::find(names, name, &std::pair<std::string_view, Fault>::first);
        if (found == names.end())
            return base::fail(
                base::BaseError::invalid_setting,
                "'" + name +
                    "' is no fault (resend, split, several, junk, tail, silence, half, "
                    "slow, flood, all)");
        faults.push_back(found->second);
    }
    return faults;
}

Fault Mischief::draw() {
    if (faults_.empty() || below(100) >= static_cast<std::size_t>(percent_))
        return Fault::none;
    return faults_[below(faults_.size())];
}

int Mischief::burst(Fault fault) {
    if (fault == Fault::several)
        return static_cast<int>(2 + below(4));
    return fault == Fault::flood ? static_cast<int>(flood_messages) : 1;
}

std::string Mischief::junk() {
    std::string bytes(1 + below(64), '\0');
    for (auto& byte : bytes) {
        do {
            byte = static_cast<char>(below(256));
        } while (byte == frame_start);
    }
    return bytes;
}

std::vector<Step> Mischief::pieces(const std::string& frame, std::size_t largest) {
    std::vector<Step> steps;
    for (std::size_t from = 0; from < frame.size();) {
        const auto size = std::min(1 + below(largest), frame.size() - from);
        steps.push_back({frame.substr(from, size), Milliseconds(1 + below(25)), false});
        from += size;
    }
    steps.back().pause = Milliseconds(0);
    return steps;
}

std::vector<Step> Mischief::steps(const std::string& message, Fault fault) {
    const auto frame = framed(message);
    switch (fault) {
        case Fault::resend:
            return {{frame + frame, Milliseconds(0), false}};
        case Fault::split:
            return pieces(frame, frame.size());
        case Fault::slow:
            return pieces(frame, 2 * frame.size() / slow_writes + 1);
        case Fault::junk:
            return {{junk() + frame, Milliseconds(0), false}};
        case Fault::tail:
            return {{framed(with_other_tail(message)), Milliseconds(0), false}};
        case Fault::silence:
            return {{frame, Milliseconds(500 + below(2500)), false}};
        case Fault::half:
            return {{frame.substr(0, 1 + below(frame.size() - 2)), Milliseconds(20), true}};
        case Fault::none:
        case Fault::several:
        case Fault::flood:
            break;
    }
    return {{frame, Milliseconds(0), false}};
}

}  // namespace mitral::bedside
