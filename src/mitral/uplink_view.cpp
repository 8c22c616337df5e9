#include "mitral/uplink_view.hpp"

#include <nlohmann/json.hpp>

#include "base/errors.hpp"
#include "base/file.hpp"

namespace mitral::cli {
namespace {

using nlohmann::json;

constexpr std::size_t max_status_file = 64 * 1024;

base::Result<json> read_object(const std::string& path) {
    MITRAL_TRY(const auto text, base::read_text_file(path, max_status_file));
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
    view.last_error = text(child(document, "last_error"), "text");
    view.updated = time(document, "updated");
    return view;
}

base::Result<IntakeView> read_intake_view(const std::string& path) {
    MITRAL_TRY(const auto document, read_object(path));
    IntakeView view;
    view.open_connections = number(document, "open_connections");
    view.readings = number(document, "readings");
    view.observations = number(document, "observations");
    view.refused = number(document, "refused");
    view.updated = time(document, "updated");
    for (const auto& lane : child(document, "lanes")) {
        if (!lane.is_object())
            continue;
        view.queued += number(lane, "queued");
        view.dropped += number(lane, "dropped_records");
    }
    return view;
}

}  // namespace mitral::cli
