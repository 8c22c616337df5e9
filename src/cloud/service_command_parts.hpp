// Private to mitral-cloud: what commands that call the service API share.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <memory>
#include <string>

#include "cloud/service_client.hpp"

namespace mitral::cloud {

// What was given, for whichever command it is.
struct Given {
    std::string id, module, body, etag, text, payload = "null", kind = "group";
    int timeout_s = 30;
    int page_size = 100;
    std::string condition, start, type, status;
    int max_seconds = 3600;
    [[nodiscard]] std::string etag_or_any() const { return etag.empty() ? "*" : etag; }
};

// All commands of one run: options, state directory, and what is to be done in the end.
struct Shared {
    std::function<base::Status()>& action;
    std::string& state;
    std::shared_ptr<Given> given = std::make_shared<Given>();
};

[[nodiscard]] base::Status call_and_print(const Shared& shared, const ServiceCall& call);
// A list as one object a line.
[[nodiscard]] base::Status print_rows(const std::string& array);
// The same for all pages of a query.
[[nodiscard]] base::Status print_pages(const Shared& shared, ServiceCall call);

CLI::App* command(CLI::App& parent, Shared shared, const char* name, const char* help,
                  std::function<base::Status(const Shared&)> run);

// Groups of commands, each in a file of its own.
void add_provisioning_commands(CLI::App& app, const Shared& shared);
void add_job_commands(CLI::App& app, const Shared& shared);
void add_call_command(CLI::App& app, const Shared& shared);

}  // namespace mitral::cloud
