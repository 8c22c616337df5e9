#include "cloud/fault_commands.hpp"

#include <unistd.h>

#include <nlohmann/json.hpp>

#include "azure/text.hpp"
#include "base/file.hpp"
#include "cloud/admin_client.hpp"
#include "cloud/error.hpp"
#include "cloud/faults/script.hpp"

namespace mitral::cloud {
namespace {

using Json = nlohmann::ordered_json;

base::Result<Json> ask(const std::string& state, const std::string& method,
                       const std::string& path) {
    MITRAL_TRY(const auto answer, ask_server(state, method, path));
    return Json::parse(answer, nullptr, false);
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

base::Status run_fault_script(const std::string& state, const std::string& file) {
    MITRAL_TRY(const auto text, base::read_text_file(file, faults::longest_script));
    MITRAL_TRY(const auto steps, faults::read_script(text));
    (void)steps;
    MITRAL_TRY(const auto answer, ask_server(state, "POST", "/fault-script", text));
    return base::write_all(STDOUT_FILENO, base::as_bytes(answer + "\n"));
}

base::Status print_fault_log(const std::string& state) {
    MITRAL_TRY(const auto lines, ask_server(state, "GET", "/fault-log"));
    return base::write_all(STDOUT_FILENO, base::as_bytes(lines));
}

base::Status clear_fault(const std::string& state, const std::string& name) {
    MITRAL_TRY(const auto answer, ask(state, "DELETE", "/faults/" + azure::percent_encode(name)));
    return print(answer);
}

}  // namespace mitral::cloud
