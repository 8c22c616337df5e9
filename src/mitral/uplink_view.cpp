#include "mitral/uplink_view.hpp"

#include <nlohmann/json.hpp>

#include "base/errors.hpp"
#include "base/file.hpp"
#include "clinical/identifier.hpp"

namespace mitral::cli {
namespace {

using nlohmann::json;

constexpr std::size_t max_status_file = 64 * 1024;
constexpr std::size_t max_monitors_file = 4 * 1024 * 1024;  // as many as a configuration can name

base::Result<json> read_object(const std::string& path, std::size_t limit = max_status_file) {
    MITRAL_TRY(const auto text, base::read_text_file(path, limit));
    auto document = json::parse(text, nullptr, false);
    if (!document.is_object())
        return base::fail(base::BaseError::malformed, path + " is no status file");
    return document;
}

const json& child(const json& object, const char* key) {
    static const json nothing = json::object();
    const auto found = object.find(key);
    return found == object.end() || !found->is_object() ? nothing : *found;
}

std::uint64_t number(const json& object, const char* key) {
    const auto found = object.find(key);
    return found != object.end() && found->is_number_unsigned() ? found->get<std::uint64_t>() : 0;
}

std::string text(const json& object, const char* key) {
    const auto found = object.find(key);
    return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

base::WallTime time(const json& object, const char* key) {
    return base::from_iso8601(text(object, key)).value_or(base::WallTime{});
}

}  // namespace

base::Result<UplinkView> read_uplink_view(const std::string& path) {
    MITRAL_TRY(const auto document, read_object(path));
    UplinkView view;
    view.state = text(document, "state");
    const auto connected = document.find("connected");
    view.connected =
        connected != document.end() && connected->is_boolean() && connected->get<bool>();
    view.hub = text(document, "hub");
    view.tls_version = text(child(document, "tls"), "version");
    view.queued = number(document, "queued");
    view.live_queued = number(document, "live_queued");
    view.renewals = number(document, "renewals");
    view.failures = number(document, "failures");
    view.token_age_s = static_cast<std::int64_t>(number(document, "token_age_s"));
    view.checkpoints = number(child(document, "checkpoints"), "acknowledged");
    view.checkpoint_trouble = text(child(document, "checkpoints"), "trouble");
    view.last_error = text(child(document, "last_error"), "text");
    view.updated = time(document, "updated");
    return view;
}

namespace {

// The keys that are alike in every intake's status file.
IntakeView common_part(const json& document) {
    IntakeView view;
    view.readings = number(document, "readings");
    view.observations = number(document, "observations");
    view.refused = number(document, "refused");
    for (const auto& lane : child(document, "lanes")) {
        if (!lane.is_object())
            continue;
        view.queued += number(lane, "queued");
        view.dropped += number(lane, "dropped_records");
    }
    return view;
}

bool flag(const json& object, const char* key) {
    const auto found = object.find(key);
    return found != object.end() && found->is_boolean() && found->get<bool>();
}

// These words go to a terminal.
std::string identifier(const std::string& text) {
    return clinical::is_identifier(text) ? text : "?";
}

MonitorView monitor_of(const json& object) {
    MonitorView view;
    view.source = identifier(text(object, "source"));
    view.connected = flag(object, "connected");
    view.messages = number(object, "messages");
    view.refused = number(object, "refused");
    view.last_message = base::from_iso8601(text(object, "last_message"));
    const auto offset = object.find("clock_offset_ms");
    if (offset != object.end() && offset->is_number_integer())
        view.clock_offset_ms = offset->get<std::int64_t>();
    for (const auto& [reason, count] : child(object, "not_understood").items()) {
        if (count.is_number_unsigned() && count != 0U)
            view.not_understood.emplace_back(identifier(reason), count.get<std::uint64_t>());
    }
    return view;
}

}  // namespace

base::Result<IntakeView> read_intake_view(const std::string& path) {
    MITRAL_TRY(const auto document, read_object(path));
    auto view = common_part(document);
    view.open_connections = number(document, "open_connections");
    view.updated = time(document, "updated");
    return view;
}

base::Result<MonitorsView> read_monitors_view(const std::string& path) {
    MITRAL_TRY(const auto document, read_object(path, max_monitors_file));
    MonitorsView view;
    view.intake = common_part(document);
    view.intake.open_connections = number(document, "open");
    view.intake.updated = time(document, "written");
    view.messages = number(document, "messages");
    view.rejected = number(document, "rejected");
    const auto monitors = document.find("monitors");
    if (monitors == document.end() || !monitors->is_array())
        return view;
    for (const auto& monitor : *monitors) {
        if (monitor.is_object())
            view.monitors.push_back(monitor_of(monitor));
    }
    return view;
}

}  // namespace mitral::cli
