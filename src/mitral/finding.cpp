#include "mitral/finding.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>

namespace mitral::cli {
namespace {

std::string_view word(Verdict verdict) {
    switch (verdict) {
        case Verdict::ok:
            return "ok";
        case Verdict::warning:
            return "warn";
        case Verdict::failed:
            return "FAIL";
        case Verdict::skipped:
            return "skip";
    }
    return "?";
}

}  // namespace

Finding good(std::string text) {
    return {{}, Verdict::ok, std::move(text), {}};
}
Finding warn(std::string text, std::string remedy) {
    return {{}, Verdict::warning, std::move(text), std::move(remedy)};
}
Finding fault(std::string text, std::string remedy) {
    return {{}, Verdict::failed, std::move(text), std::move(remedy)};
}
Finding skip(std::string why) {
    return {{}, Verdict::skipped, std::move(why), {}};
}

const Finding* first_failure(const std::vector<Finding>& findings) noexcept {
    const auto found = std::ranges::find(findings, Verdict::failed, &Finding::verdict);
    return found == findings.end() ? nullptr : &*found;
}

std::string to_text(const std::vector<Finding>& findings) {
    std::string out;
    auto end = std::back_inserter(out);
    for (const auto& finding : findings) {
        fmt::format_to(end, "{:<5} {:<14} {}\n", word(finding.verdict), finding.layer,
                       finding.text);
        if (!finding.remedy.empty())
            fmt::format_to(end, "{:<20} -> {}\n", "", finding.remedy);
    }
    if (const auto* first = first_failure(findings))
        fmt::format_to(end, "\nfirst failing layer: {}: {}\n", first->layer, first->text);
    else
        fmt::format_to(end, "\nno layer fails\n");
    return out;
}

std::string to_json(const std::vector<Finding>& findings) {
    const auto* first = first_failure(findings);
    nlohmann::ordered_json document;
    document["schema"] = "mitral.doctor/1";
    document["healthy"] = first == nullptr;
    document["first_failure"] =
        first == nullptr ? nlohmann::ordered_json() : nlohmann::ordered_json(first->layer);
    document["layers"] = nlohmann::ordered_json::array();
    for (const auto& finding : findings)
        document["layers"].push_back({{"layer", finding.layer},
                                      {"verdict", word(finding.verdict)},
                                      {"text", finding.text},
                                      {"remedy", finding.remedy}});
    return document.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace mitral::cli
