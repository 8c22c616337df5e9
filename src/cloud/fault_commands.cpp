#include "cloud/fault_commands.hpp"

#include <unistd.h>

#include <nlohmann/json.hpp>

#include "azure/text.hpp"
#include "base/file.hpp"
#include "cloud/admin_client.hpp"
#include "cloud/error.hpp"

namespace mitral::cloud {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t longest_ports_file = 64 * 1024;

base::Result<std::uint16_t> admin_port(const std::string& state) {
    const auto path = state + "/ports.json";
    MITRAL_TRY(const auto content, base::read_file(path, longest_ports_file));
    const auto ports = Json::parse(base::as_text(content), nullptr, false);
    if (!ports.is_object() || !ports.contains("admin") || !ports["admin"].is_number_unsigned())
        return base::fail(CloudError::invalid_argument, path + " names no admin port");
    return ports["admin"].get<std::uint16_t>();
}

base::Result<Json> ask(const std::string& state, const std::string& method,
                       const std::string& path) {
    MITRAL_TRY(const auto port, admin_port(state));
    auto answer = ask_admin(port, method, path);
    if (!answer && answer.error().code == CloudError::invalid_argument) {
        const auto refusal = Json::parse(answer.error().context, nullptr, false);
        if (refusal.is_object() && refusal.contains("Message"))
            return base::fail(CloudError::invalid_argument, refusal["Message"].get<std::string>());
    }
    if (!answer)
        return base::fail_with("is mitral-cloud running on " + state, answer.error());
    return Json::parse(*answer, nullptr, false);
}

base::Status print(const Json& value) {
    return base::write_all(STDOUT_FILENO, base::as_bytes(value.dump() + "\n"));
}

}  // namespace

base::Status list_faults(const std::string& state) {
    MITRAL_TRY(const auto answer, ask(state, "GET", "/faults"));
    for (const auto& row : answer.value("faults", Json::array()))
        MITRAL_CHECK(print(row));
    return {};
}

base::Status set_fault(const std::string& state, const std::string& name,
                       const std::vector<std::string>& parameters) {
    auto path = "/faults/" + azure::percent_encode(name);
    char joint = '?';
    for (const auto& parameter : parameters) {
        const auto equals = parameter.find('=');
        if (equals == std::string::npos)
            return base::fail(CloudError::invalid_argument,
                              "--with takes name=value, not \"" + parameter + "\"");
        path += std::exchange(joint, '&') + azure::percent_encode(parameter.substr(0, equals)) +
                "=" + azure::percent_encode(parameter.substr(equals + 1));
    }
    MITRAL_TRY(const auto answer, ask(state, "POST", path));
    return print(answer);
}

base::Status clear_fault(const std::string& state, const std::string& name) {
    MITRAL_TRY(const auto answer, ask(state, "DELETE", "/faults/" + azure::percent_encode(name)));
    return print(answer);
}

}  // namespace mitral::cloud
