#include "cloud/faults/script.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "azure/ids.hpp"
#include "cloud/error.hpp"
#include "cloud/faults/dice.hpp"
#include "cloud/json.hpp"

namespace mitral::cloud::faults {
namespace {

constexpr std::uint64_t seed_mask = (1ULL << 53U) - 1;  // what a JSON number holds exactly

auto refused(std::string text) {
    return base::fail(CloudError::invalid_argument, std::move(text));
}

base::Result<base::Milliseconds> seconds(const Json& line, std::string_view name) {
    const auto* given = member(line, name);
    if (given == nullptr)
        return base::Milliseconds(0);
    const auto most = static_cast<double>(longest_fault.count());
    if (!given->is_number() || given->get<double>() < 0 || given->get<double>() > most)
        return refused(fmt::format("{} is a number of seconds from 0 to {}", name, most));
    return base::Milliseconds(std::llround(given->get<double>() * 1000));
}

base::Status only_known(const Json& line) {
    for (const auto& [name, value] : line.items())
        if (name != "at_s" && name != "within_s" && name != "set" && name != "with" &&
            name != "clear" && name != "drop")
            return refused(name + ": a step takes at_s, within_s, and set (with), clear or drop");
    return {};
}

base::Result<Order> order_of(const Json& line, Dice& dice) {
    std::map<std::string, std::string> parameters;
    if (const auto* with = member(line, "with")) {
        if (!with->is_object())
            return refused("with is an object");
        for (const auto& [name, value] : with->items())
            parameters[name] = value.is_string() ? value.get<std::string>() : dump(value);
    }
    const auto name = text_member(line, "set");
    MITRAL_TRY(auto order, read_order(name, parameters));
    if (order.fault == Fault::drop)
        return refused("drop is a step of its own: {\"at_s\":5,\"drop\":\"device\"}");
    if (order.numbers.contains("seed") && !parameters.contains("seed"))
        order.numbers["seed"] = static_cast<std::int64_t>(dice.roll() & seed_mask);
    return order;
}

base::Result<Step> step_of(const Json& line, Dice& dice) {
    if (!line.is_object())
        return refused("a step is a JSON object");
    MITRAL_CHECK(only_known(line));
    const bool sets = member(line, "set") != nullptr;
    const bool clears = member(line, "clear") != nullptr;
    const bool drops = member(line, "drop") != nullptr;
    if (sets + clears + drops != 1)
        return refused("a step has one of set, clear and drop");
    Step step;
    MITRAL_TRY(step.at, seconds(line, "at_s"));
    MITRAL_TRY(const auto within, seconds(line, "within_s"));
    step.at += base::Milliseconds(dice.below(static_cast<std::uint64_t>(within.count()) + 1));
    if (sets) {
        MITRAL_TRY(step.order, order_of(line, dice));
    } else if (clears) {
        step.kind = Step::Kind::clear;
        MITRAL_TRY(step.order.fault, find_fault(text_member(line, "clear")));
    } else {
        step.kind = Step::Kind::drop;
        step.device = text_member(line, "drop");
        if (step.device != "*" && !azure::check_device_id(step.device))
            return refused("drop names a device, or * for all");
    }
    return step;
}

base::Result<Dice> seed_of(const Json& line) {
    const auto* seed = member(line, "seed");
    if (line.size() != 1 || !seed->is_number_unsigned() || seed->get<std::uint64_t>() > seed_mask)
        return refused("seed is a whole number from 0 to 2^53-1, alone in the first line");
    return Dice(seed->get<std::uint64_t>());
}

}  // namespace

base::Result<std::vector<Step>> read_script(std::string_view text) {
    if (text.size() > longest_script)
        return refused("a script has at most 1 MiB");
    std::vector<Step> steps;
    Dice dice(1);
    for (std::size_t number = 1; !text.empty(); ++number) {
        const auto line = text.substr(0, text.find('\n'));
        text.remove_prefix(std::min(text.size(), line.size() + 1));
        if (line.find_first_not_of(" \t\r") == std::string_view::npos || line.starts_with('#'))
            continue;
        const auto read = [&]() -> base::Status {
            MITRAL_TRY(const auto json, parse_json(line));
            if (steps.empty() && member(json, "seed") != nullptr) {
                MITRAL_TRY(dice, seed_of(json));
                return {};
            }
            MITRAL_TRY(auto step, step_of(json, dice));
            steps.push_back(std::move(step));
            return {};
        }();
        if (!read)
            return refused(fmt::format("line {}: {}", number, read.error().context));
        if (steps.size() > most_steps)
            return refused(fmt::format("a script has at most {} steps", most_steps));
    }
    if (steps.empty())
        return refused("the script has no step");
    // Steps of one time keep their order. (stable_sort does not compile with Clang and
    // libstdc++ 12.)
    std::vector<Step> sorted;
    for (auto& step : steps)
        sorted.insert(std::ranges::upper_bound(sorted, step.at, {}, &Step::at), std::move(step));
    return sorted;
}

}  // namespace mitral::cloud::faults
