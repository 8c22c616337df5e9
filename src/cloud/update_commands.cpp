#include "cloud/update_commands.hpp"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "azure/text.hpp"
#include "base/crypto.hpp"
#include "base/encoding.hpp"
#include "base/file.hpp"
#include "cloud/admin_client.hpp"
#include "cloud/error.hpp"

namespace mitral::cloud {
namespace {

using Json = nlohmann::json;

constexpr std::size_t upload_piece = 512 * 1024;
constexpr std::size_t max_manifest = 128 * 1024;
constexpr int look_again_ms = 50;
const std::string base_path = "/deviceUpdate/default";

struct UpdateOrder {
    std::string manifest;
    std::vector<std::string> files;
    std::string friendly_name;
    std::string update;  // provider/name/version
    std::string group = "$default";
    std::string id;
    std::string device_class;
    std::string start;
};

base::Status print(const Json& value) {
    return base::write_all(STDOUT_FILENO, base::as_bytes(value.dump() + "\n"));
}

base::Result<Json> ask(const std::string& state, const std::string& method, const std::string& path,
                       const std::string& body = {}) {
    MITRAL_TRY(const auto answer, ask_server(state, method, base_path + path, body));
    return answer.empty() ? Json::object() : Json::parse(answer, nullptr, false);
}

std::string quoted(const std::string& text) {
    return azure::percent_encode(text);
}

base::Result<Json> update_id(const std::string& text) {
    const auto first = text.find('/');
    const auto second = text.find('/', first + 1);
    if (first == std::string::npos || second == std::string::npos)
        return base::fail(CloudError::invalid_argument, "--update takes provider/name/version");
    return Json{{"provider", text.substr(0, first)},
                {"name", text.substr(first + 1, second - first - 1)},
                {"version", text.substr(second + 1)}};
}

base::Result<std::string> update_path(const std::string& text) {
    MITRAL_TRY(const auto id, update_id(text));
    return "/updates/providers/" + quoted(id["provider"]) + "/names/" + quoted(id["name"]) +
           "/versions/" + quoted(id["version"]);
}

base::Status upload(const std::string& state, const std::string& path, const std::string& name) {
    MITRAL_TRY(const auto file, base::open_file(path, O_RDONLY));
    std::string piece(upload_piece, '\0');
    std::int64_t offset = 0;
    for (;;) {
        const auto got = ::read(file.get(), piece.data(), piece.size());
        if (got < 0)
            return base::fail_errno("read " + path);
        if (got == 0 && offset > 0)
            return {};
        MITRAL_TRY(
            const auto stored,
            ask(state, "PUT", "/incoming/" + quoted(name) + "?offset=" + std::to_string(offset),
                piece.substr(0, static_cast<std::size_t>(got))));
        (void)stored;
        offset += got;
        if (got == 0)
            return {};
    }
}

std::string file_name(const std::string& path) {
    return std::filesystem::path(path).filename().string();
}

// Those that the manifest names, beside it, unless others are given.
std::vector<std::string> files_of(const UpdateOrder& order, const Json& manifest) {
    auto paths = order.files;
    if (!paths.empty() || !manifest.is_object() || !manifest.contains("files") ||
        !manifest["files"].is_array())
        return paths;
    const auto beside = std::filesystem::path(order.manifest).parent_path();
    for (const auto& file : manifest["files"])
        if (file.is_object() && file.contains("filename") && file["filename"].is_string())
            paths.push_back((beside / file["filename"].get<std::string>()).string());
    return paths;
}

base::Status wait_for(const std::string& state, const std::string& operation) {
    for (;;) {
        MITRAL_TRY(const auto now, ask(state, "GET", "/updates/operations/" + operation));
        const auto status = now.value("status", "");
        if (status == "Failed")
            return base::fail(CloudError::invalid_argument,
                              now["error"].value("message", "the import failed"));
        if (status == "Succeeded")
            return print(now);
        (void)::poll(nullptr, 0, look_again_ms);
    }
}

base::Status import(const std::string& state, const UpdateOrder& order) {
    MITRAL_TRY(const auto text, base::read_text_file(order.manifest, max_manifest));
    const std::string place = base_path + "/incoming/";
    const auto manifest_name = file_name(order.manifest);
    MITRAL_CHECK(upload(state, order.manifest, manifest_name));
    Json files = Json::array();
    for (const auto& path : files_of(order, Json::parse(text, nullptr, false))) {
        MITRAL_CHECK(upload(state, path, file_name(path)));
        files.push_back({{"filename", file_name(path)}, {"url", place + quoted(file_name(path))}});
    }
    Json item{{"importManifest",
               {{"url", place + quoted(manifest_name)},
                {"sizeInBytes", text.size()},
                {"hashes", {{"sha256", base::to_base64(base::sha256(base::as_bytes(text)))}}}}},
              {"files", std::move(files)}};
    if (!order.friendly_name.empty())
        item["friendlyName"] = order.friendly_name;
    MITRAL_TRY(const auto started,
               ask(state, "POST", "/updates:import", Json::array({item}).dump()));
    return wait_for(state, started.value("operationId", ""));
}

// Each item of all pages on a line of its own.
base::Status list(const std::string& state, const std::string& path) {
    for (auto next = path; !next.empty();) {
        MITRAL_TRY(const auto page, ask(state, "GET", next));
        for (const auto& item : page.value("value", Json::array()))
            MITRAL_CHECK(print(item));
        const auto link = page.value("nextLink", "");
        next = link.empty() ? "" : link.substr(base_path.size());
    }
    return {};
}

base::Status remove(const std::string& state, const UpdateOrder& order) {
    MITRAL_TRY(const auto path, update_path(order.update));
    MITRAL_TRY(const auto removed, ask(state, "DELETE", path));
    return print(removed);
}

std::string deployment_path(const UpdateOrder& order) {
    return "/management/groups/" + quoted(order.group) + "/deployments/" + quoted(order.id);
}

base::Status deploy(const std::string& state, const UpdateOrder& order) {
    MITRAL_TRY(const auto id, update_id(order.update));
    Json body{{"update", {{"updateId", id}}}};
    if (!order.start.empty())
        body["startDateTime"] = order.start;
    MITRAL_TRY(const auto made, ask(state, "PUT", deployment_path(order), body.dump()));
    return print(made);
}

base::Status status(const std::string& state, const UpdateOrder& order) {
    MITRAL_TRY(const auto now, ask(state, "GET", deployment_path(order) + "/status"));
    return print(now);
}

// In all device classes of the deployment, or the one that was named.
base::Status act(const std::string& state, const UpdateOrder& order, const std::string& verb) {
    MITRAL_TRY(const auto known, ask(state, "GET", deployment_path(order)));
    const auto classes = order.device_class.empty()
                             ? known.value("deviceClassSubgroups", std::vector<std::string>())
                             : std::vector{order.device_class};
    for (const auto& one : classes) {
        MITRAL_TRY(const auto done,
                   ask(state, "POST",
                       "/management/groups/" + quoted(order.group) + "/deviceClassSubgroups/" +
                           quoted(one) + "/deployments/" + quoted(order.id) + ":" + verb));
        (void)done;
    }
    return status(state, order);
}

}  // namespace

void add_update_commands(CLI::App& app, std::string& state, std::function<base::Status()>& action) {
    auto* update = app.add_subcommand("update", "Device Update of a running server");
    update->require_subcommand(1);
    const auto order = std::make_shared<UpdateOrder>();
    const auto add = [&](const char* name, const char* help, auto call) {
        auto* sub = update->add_subcommand(name, help);
        sub->add_option("--state", state, "State directory")->capture_default_str();
        sub->callback([&state, &action, order, call] {
            action = [&state, order, call] { return call(state, *order); };
        });
        return sub;
    };
    const auto add_path = [&](const char* name, const char* help, const char* method,
                              const char* path) {
        add(name, help, [method, path](const std::string& at, const UpdateOrder&) -> base::Status {
            if (std::string_view(method) == "LIST")
                return list(at, path);
            MITRAL_TRY(const auto answer, ask(at, method, path));
            return print(answer);
        });
    };
    auto* sub = add("import", "Import an update from its import manifest", import);
    sub->add_option("--manifest", order->manifest, "Import manifest, version 5.0")->required();
    sub->add_option("--file", order->files, "A file; default: those of the manifest, beside it");
    sub->add_option("--friendly-name", order->friendly_name, "Shown to people");
    add_path("list", "List the imported updates", "LIST", "/updates");
    sub = add("delete", "Delete an update that no active deployment uses", remove);
    sub->add_option("--update", order->update, "provider/name/version")->required();
    sub = add("deploy", "Deploy an update to a group", deploy);
    sub->add_option("--update", order->update, "provider/name/version")->required();
    sub->add_option("--start", order->start, "When, RFC 3339; default: now");
    const auto name_deployment = [&](CLI::App* command) {
        command->add_option("--group", order->group, "Value of the tag ADUGroup")
            ->capture_default_str();
        command->add_option("--id", order->id, "The deployment's id")->required();
    };
    name_deployment(sub);
    name_deployment(add("status", "Show how far a deployment is", status));
    for (const auto* verb : {"cancel", "retry"}) {
        sub = add(verb, "Cancel a deployment, or retry it where it failed",
                  [verb](const std::string& at, const UpdateOrder& given) {
                      return act(at, given, verb);
                  });
        name_deployment(sub);
        sub->add_option("--class", order->device_class, "A device class; default: all");
    }
    add_path("devices", "List the devices with an update agent", "LIST", "/management/devices");
    add_path("roots", "Print the root keys that devices must trust", "GET", "/keys/roots");
    add_path("rotate-root", "Sign under a new root", "POST", "/keys/roots:rotate");
    add_path("rotate-signing-key", "Sign with a new key, disable the old one", "POST",
             "/keys/signing:rotate");
}

}  // namespace mitral::cloud
