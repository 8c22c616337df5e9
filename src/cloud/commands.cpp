#include "cloud/commands.hpp"

#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/event_loop.hpp"
#include "base/file.hpp"
#include "base/log.hpp"
#include "base/privileges.hpp"
#include "base/process.hpp"
#include "base/sandbox.hpp"
#include "cloud/api/registry_api.hpp"
#include "cloud/server.hpp"
#include "cloud/state.hpp"

namespace mitral::cloud {
namespace {

using Json = nlohmann::ordered_json;

base::Status print(const Json& value) {
    return base::write_all(STDOUT_FILENO, base::as_bytes(value.dump() + "\n"));
}

// One descriptor a client: take what the administrator allows.
void raise_descriptor_limit() {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return;
    limit.rlim_cur = limit.rlim_max;
    (void)::setrlimit(RLIMIT_NOFILE, &limit);
}

// A link that an earlier run planted must not carry the gift elsewhere: links are given away
// themselves, and a file with a second name is left alone.
base::Status give_to(const std::string& path, uid_t user, gid_t group) {
    struct stat info{};
    if (::lstat(path.c_str(), &info) != 0)
        return base::fail_errno("look at " + path);
    if (!S_ISDIR(info.st_mode) && info.st_nlink > 1)
        return base::fail(std::make_error_code(std::errc::too_many_links),
                          path + " has a second name; remove one of them");
    if (::lchown(path.c_str(), user, group) != 0)
        return base::fail_errno("give " + path + " away");
    return {};
}

base::Status give_tree_to(const std::string& path, uid_t user, gid_t group) {
    namespace fs = std::filesystem;
    std::error_code error;
    if (fs::symlink_status(path, error).type() == fs::file_type::not_found)
        return {};
    MITRAL_CHECK(give_to(path, user, group));
    if (!fs::is_directory(fs::symlink_status(path, error)))
        return {};
    fs::recursive_directory_iterator entry(path, error);
    for (; !error && entry != fs::end(entry); entry.increment(error))
        MITRAL_CHECK(give_to(entry->path(), user, group));
    return error ? base::Status(base::fail(error, "list " + path)) : base::Status();
}

// The directory must belong to the user that the process becomes before the sandbox closes, and so
// must what commands run by root have made in it. Nothing else is given away, in case the directory
// is a wrong one.
base::Status prepare_directory(const Settings& settings) {
    MITRAL_CHECK(base::make_directory(settings.state, 0755));
    if (::geteuid() != 0 || settings.user.empty())
        return {};
    base::SandboxPolicy policy;
    policy.user = settings.user;
    MITRAL_TRY(const auto identity, base::identity_of(policy));
    for (const auto* name : {"cloud.db", "cloud.db-wal", "cloud.db-shm", "cloud.db-journal", "lock",
                             "ports.json", "messages", "time", "tls", "updates"})
        MITRAL_CHECK(give_tree_to(settings.state + "/" + name, identity.user, identity.group));
    return give_to(settings.state, identity.user, identity.group);
}

base::Result<std::string> hub_host(const State& state) {
    MITRAL_TRY(const auto known, state.database.fact("hub-host"));
    return known.value_or("localhost:8883");
}

}  // namespace

base::Status serve(const Settings& settings) {
    MITRAL_CHECK(base::harden_process());
    ::umask(0022);  // clients read the certificate authority; what is secret has a mode of its own
    // A file size limit is a full disk: the write fails, nothing is acknowledged, the process
    // stays.
    (void)std::signal(SIGXFSZ, SIG_IGN);
    raise_descriptor_limit();
    MITRAL_TRY(const auto loop, base::EventLoop::create());
    MITRAL_CHECK(loop->on_termination([&] { loop->stop(); }));
    const base::SystemClock clock;
    MITRAL_TRY(auto sockets, bind_sockets(settings));
    MITRAL_CHECK(prepare_directory(settings));
    base::SandboxPolicy cage;
    cage.user = settings.user;
    cage.writable = {settings.state};
    cage.internet = true;
    MITRAL_TRY(const auto sandbox, base::enter_sandbox(cage));
    MITRAL_TRY(const auto server, Server::start(*loop, clock, settings, std::move(sockets)));
    const auto ports = server->ports();
    base::log(base::Severity::notice, "ready",
              {{"mqtt", ports.mqtt},
               {"https", ports.https},
               {"admin", ports.admin},
               {"landlock_abi", sandbox.landlock_abi},
               {"state", settings.state}});
    base::notify_ready();
    return loop->run();
}

base::Status enroll_group(const std::string& directory, const std::string& name) {
    const base::SystemClock clock;
    MITRAL_TRY(const auto state, State::open(directory, clock));
    MITRAL_TRY(auto group, state->enrollments.find(dps::EnrollmentKind::group, name));
    if (!group) {
        MITRAL_TRY(group,
                   state->enrollments.put({.kind = dps::EnrollmentKind::group, .id = name}, ""));
    }
    return print({{"id_scope", state->id_scope},
                  {"group", group->id},
                  {"primary_key", group->primary_key},
                  {"secondary_key", group->secondary_key}});
}

base::Status list_devices(const std::string& directory) {
    const base::SystemClock clock;
    MITRAL_TRY(const auto state, State::open(directory, clock));
    MITRAL_TRY(const auto devices, state->registry.list(1'000'000));
    for (const auto& device : devices)
        MITRAL_CHECK(
            print({{"deviceId", device.id}, {"status", device.enabled ? "enabled" : "disabled"}}));
    return {};
}

base::Status show_device(const std::string& directory, const std::string& id) {
    const base::SystemClock clock;
    MITRAL_TRY(const auto state, State::open(directory, clock));
    MITRAL_TRY(auto device, state->registry.find(id));
    if (!device) {
        MITRAL_TRY(device, state->registry.create({.id = id}));
    }
    MITRAL_TRY(const auto host, hub_host(*state));
    return print(
        {{"deviceId", device->id},
         {"primary_key", device->authentication.primary_key},
         {"secondary_key", device->authentication.secondary_key},
         {"connection_string", "HostName=" + host + ";DeviceId=" + device->id +
                                   ";SharedAccessKey=" + device->authentication.primary_key}});
}

base::Status show_policies(const std::string& directory) {
    const base::SystemClock clock;
    MITRAL_TRY(const auto state, State::open(directory, clock));
    MITRAL_TRY(const auto host, hub_host(*state));
    for (const auto service : {hub::hub_service, hub::dps_service, hub::update_service}) {
        MITRAL_TRY(const auto policies, state->policies.list(service));
        for (const auto& policy : policies)
            MITRAL_CHECK(print(
                {{"service", std::string(service)},
                 {"policy", policy.name},
                 {"primary_key", policy.primary_key},
                 {"connection_string", "HostName=" + host + ";SharedAccessKeyName=" + policy.name +
                                           ";SharedAccessKey=" + policy.primary_key}}));
    }
    return {};
}

}  // namespace mitral::cloud
