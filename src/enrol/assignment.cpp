#include "enrol/assignment.hpp"

#include <nlohmann/json.hpp>

#include "azure/ids.hpp"
#include "base/file.hpp"

namespace mitral::enrol {
namespace {

constexpr std::size_t max_file = 8 * 1024;

bool names(const nlohmann::json& document, const char* key,
           base::Status (*check)(std::string_view)) {
    const auto found = document.find(key);
    return found != document.end() && found->is_string() &&
           check(found->get_ref<const std::string&>()).has_value();
}

}  // namespace

std::string to_json(const Assignment& assignment) {
    nlohmann::ordered_json document;
    document["hub"] = assignment.hub;
    document["device_id"] = assignment.device_id;
    document["dps"] = assignment.dps;
    document["assigned_at"] = base::to_iso8601(assignment.assigned_at);
    return document.dump(-1, ' ', true, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

base::Status write_assignment(const std::string& path, const Assignment& assignment) {
    constexpr mode_t for_everyone = 0644;
    return base::replace_file(path, base::as_bytes(to_json(assignment)), for_everyone);
}

bool has_assignment(const std::string& path) {
    const auto text = base::read_text_file(path, max_file);
    if (!text)
        return false;
    const auto document = nlohmann::json::parse(*text, nullptr, false);
    return document.is_object() && names(document, "hub", azure::check_host) &&
           names(document, "device_id", azure::check_device_id);
}

}  // namespace mitral::enrol
