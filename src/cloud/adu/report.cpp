#include "cloud/adu/report.hpp"

#include <charconv>

#include "cloud/json.hpp"

namespace mitral::cloud::adu {
namespace {

constexpr std::size_t max_steps = 10;
constexpr std::size_t max_details = 1024;

std::int64_t number(const Json& object, std::string_view name, std::int64_t fallback = 0) {
    const auto* value = object.is_object() ? member(object, name) : nullptr;
    return value != nullptr && value->is_number_integer() ? value->get<std::int64_t>() : fallback;
}

// "80200001,00000000": eight hexadecimal digits, a 32-bit number with its sign.
std::int64_t extended_code(const Json& result) {
    const auto codes = text_member(result, "extendedResultCodes");
    if (codes.empty())
        return number(result, "extendedResultCode");
    std::uint32_t code = 0;
    const auto first = codes.substr(0, codes.find(','));
    const auto [at, error] = std::from_chars(first.data(), first.data() + first.size(), code, 16);
    return error == std::errc() && at == first.data() + first.size()
               ? static_cast<std::int32_t>(code)
               : 0;
}

InstallResult read_result(const Json& result) {
    return {.code = number(result, "resultCode"),
            .extended = extended_code(result),
            .details = text_member(result, "resultDetails").substr(0, max_details)};
}

// A JSON text inside the JSON.
std::optional<UpdateId> read_installed(const Json& agent) {
    const auto text = text_member(agent, "installedUpdateId");
    const auto json = parse_json(text);
    if (text.empty() || !json || !json->is_object())
        return std::nullopt;
    UpdateId id{text_member(*json, "provider"), text_member(*json, "name"),
                text_member(*json, "version")};
    return check_id(id) ? std::optional(std::move(id)) : std::nullopt;
}

AgentState read_state(const Json& agent) {
    switch (number(agent, "state", -1)) {
        case 0:
            return AgentState::idle;
        case 6:
            return AgentState::in_progress;
        case 255:
            return AgentState::failed;
        default:
            return AgentState::other;
    }
}

}  // namespace

base::Result<AgentReport> read_report(std::string_view text) {
    MITRAL_TRY(const auto agent, parse_json(text));
    AgentReport report;
    if (!agent.is_object())
        return report;
    report.state = read_state(agent);
    report.installed = read_installed(agent);
    if (const auto* workflow = member(agent, "workflow"); workflow && workflow->is_object()) {
        report.action = number(*workflow, "action");
        report.workflow = text_member(*workflow, "id");
        report.retried = text_member(*workflow, "retryTimestamp");
    }
    const auto* result = member(agent, "lastInstallResult");
    if (result == nullptr || !result->is_object())
        return report;
    report.result = read_result(*result);
    if (const auto* steps = member(*result, "stepResults"); steps && steps->is_object())
        for (std::size_t i = 0; i < max_steps; ++i) {
            const auto* step = member(*steps, "step_" + std::to_string(i));
            if (step == nullptr || !step->is_object())
                break;
            report.steps.push_back(read_result(*step));
        }
    return report;
}

}  // namespace mitral::cloud::adu
