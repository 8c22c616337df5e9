#include "cloud/service_command_parts.hpp"

#include <unistd.h>

#include <nlohmann/json.hpp>

#include "base/file.hpp"

namespace mitral::cloud {
namespace {

using Json = nlohmann::ordered_json;

base::Status print(const std::string& text) {
    if (text.empty())
        return {};
    return base::write_all(STDOUT_FILENO, base::as_bytes(text + "\n"));
}

}  // namespace

base::Status call_and_print(const Shared& shared, const ServiceCall& call) {
    MITRAL_TRY(const auto answer, call_service(shared.state, call));
    return print(answer.body);
}

base::Status print_rows(const std::string& array) {
    const auto rows = Json::parse(array, nullptr, false);
    if (!rows.is_array())
        return print(array);
    for (const auto& row : rows)
        MITRAL_CHECK(print(row.dump()));
    return {};
}

CLI::App* command(CLI::App& parent, Shared shared, const char* name, const char* help,
                  std::function<base::Status(const Shared&)> run) {
    auto* sub = parent.add_subcommand(name, help);
    sub->add_option("--state", shared.state, "State directory")->capture_default_str();
    sub->callback(
        [shared, run = std::move(run)] { shared.action = [shared, run] { return run(shared); }; });
    return sub;
}

base::Status print_pages(const Shared& shared, ServiceCall call) {
    do {
        MITRAL_TRY(const auto answer, call_service(shared.state, call));
        MITRAL_CHECK(print_rows(answer.body));
        call.continuation = answer.continuation;
    } while (!call.continuation.empty());
    return {};
}

}  // namespace mitral::cloud
