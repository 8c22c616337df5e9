#include "intake/store/start_up.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include "base/file.hpp"
#include "base/process.hpp"

namespace mitral::intake {
namespace {

std::string parent_of(const std::string& path) {
    const auto slash = path.rfind('/');
    if (slash == std::string::npos)
        return ".";
    return slash == 0 ? "/" : path.substr(0, slash);
}

}  // namespace

base::Status prepare_spool(AdapterSettings& settings) {
    if (!settings.reader_group.empty()) {
        MITRAL_TRY(const auto group, base::group_id(settings.reader_group));
        settings.spool.group_id = static_cast<int>(group);
    }
    MITRAL_CHECK(base::make_directory(settings.spool.directory, 0750));
    if (geteuid() != 0 || settings.user.empty())
        return {};
    MITRAL_TRY(const auto uid, base::user_id(settings.user));
    const auto group = settings.spool.group_id < 0 ? static_cast<gid_t>(-1)
                                                   : static_cast<gid_t>(settings.spool.group_id);
    if (::chown(settings.spool.directory.c_str(), uid, group) != 0)
        return base::fail_errno("give " + settings.spool.directory + " to " + settings.user);
    return {};
}

base::SandboxPolicy sandbox_policy(const AdapterSettings& settings) {
    base::SandboxPolicy policy;
    policy.user = settings.user;
    if (!settings.reader_group.empty())
        policy.supplementary_groups = {settings.reader_group};
    policy.writable = {settings.spool.directory};
    if (!settings.status.empty())
        policy.writable.push_back(parent_of(settings.status));
    // The uplink's positions may come to exist later; without them segments stay until the bound.
    if (::access(settings.spool.acknowledgement_directory.c_str(), F_OK) == 0)
        policy.readable.push_back(settings.spool.acknowledgement_directory);
    return policy;
}

}  // namespace mitral::intake
