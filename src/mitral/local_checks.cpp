#include "mitral/local_checks.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "base/file.hpp"
#include "base/process.hpp"

namespace mitral::cli {
namespace {

constexpr mode_t others_write = S_IWGRP | S_IWOTH;
constexpr mode_t others_all = S_IRWXG | S_IRWXO;
constexpr mode_t spool_forbidden = S_IWGRP | S_IRWXO;  // the uplink's group reads
constexpr std::uint64_t mebibyte = 1024 * 1024;

std::string parent_of(const std::string& path) {
    const auto slash = path.rfind('/');
    return slash == std::string::npos ? "." : path.substr(0, slash == 0 ? 1 : slash);
}

// "chmod g-w,o= PATH": exactly the forbidden bits, so that following it ends the complaint.
std::string chmod_away(mode_t forbidden, const std::string& path) {
    const auto clause = [](char who, mode_t bits) -> std::string {
        if (bits == (S_IROTH | S_IWOTH | S_IXOTH))
            return fmt::format("{}=", who);
        const std::string out =
            fmt::format("{}{}{}", (bits & S_IROTH) != 0 ? "r" : "",
                        (bits & S_IWOTH) != 0 ? "w" : "", (bits & S_IXOTH) != 0 ? "x" : "");
        return out.empty() ? out : fmt::format("{}-{}", who, out);
    };
    const auto group = clause('g', (forbidden & S_IRWXG) >> 3);
    const auto others = clause('o', forbidden & S_IRWXO);
    return fmt::format("chmod {}{}{} {}", group, group.empty() || others.empty() ? "" : ",", others,
                       path);
}

// What a path has to be like; gathers the first complaint.
class Inspection {
  public:
    void directory(const std::string& path, const std::string& owner, mode_t forbidden) {
        if (complaint_)
            return;
        struct stat status{};
        if (::stat(path.c_str(), &status) != 0)
            return complain(path, std::error_code(errno, std::generic_category()).message(),
                            "make it (systemd-tmpfiles --create mitral.conf), or run this as root");
        if (!S_ISDIR(status.st_mode))
            return complain(path, "is no directory", "move it away");
        check_owner(path, status, owner);
        check_mode(path, status, forbidden);
    }
    void trusted_file(const std::string& path) {
        if (complaint_)
            return;
        struct stat status{};
        if (::stat(path.c_str(), &status) != 0)
            return complain(path, std::error_code(errno, std::generic_category()).message(),
                            "put it there, or correct the path in the configuration");
        check_mode(path, status, others_write);
        if (!complaint_ && status.st_uid != 0 && status.st_uid != ::geteuid())
            complain(path, fmt::format("belongs to uid {}", status.st_uid), "chown root " + path);
    }
    // A bundle need not be there yet; its key decides who may replace all roots.
    void trust(const net::TrustSettings& trust) {
        for (const auto& file : trust.root_files)
            trusted_file(file);
        if (trust.bundle_file.empty())
            return;
        if (::access(trust.bundle_file.c_str(), F_OK) == 0)
            trusted_file(trust.bundle_file);
        if (!trust.bundle_key_file.empty())
            trusted_file(trust.bundle_key_file);
    }
    [[nodiscard]] std::optional<Finding> complaint() const { return complaint_; }
    [[nodiscard]] int seen() const noexcept { return seen_; }

  private:
    void check_owner(const std::string& path, const struct stat& status, const std::string& owner) {
        if (complaint_ || owner.empty())
            return;
        const auto uid = base::user_id(owner);
        if (!uid)
            return complain(path, "its user " + owner + " does not exist",
                            "create it (systemd-sysusers mitral.conf)");
        if (status.st_uid != *uid)
            complain(path, fmt::format("belongs to uid {}, not to {}", status.st_uid, owner),
                     fmt::format("chown -R {} {}", owner, path));
    }
    void check_mode(const std::string& path, const struct stat& status, mode_t forbidden) {
        ++seen_;
        if (!complaint_ && (status.st_mode & forbidden) != 0)
            complain(path, fmt::format("has mode {:04o}", status.st_mode & 07777),
                     chmod_away(forbidden, path));
    }
    void complain(const std::string& path, std::string_view what, std::string remedy) {
        complaint_ = fault(fmt::format("{} {}", path, what), std::move(remedy));
    }

    std::optional<Finding> complaint_;
    int seen_ = 0;
};

struct Space {
    std::uint64_t free = 0;  // bytes for ordinary users
    std::uint64_t free_files = 0;
};

std::optional<Space> space_at(const std::string& path) {
    struct statvfs status{};
    if (::statvfs(path.c_str(), &status) != 0)
        return std::nullopt;
    return Space{status.f_bavail * status.f_frsize,
                 status.f_files == 0 ? UINT64_MAX : status.f_favail};
}

std::uint64_t size_of(const std::string& path, bool& is_directory) {
    struct stat status{};
    is_directory = ::lstat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
    return is_directory ? 0 : static_cast<std::uint64_t>(status.st_blocks) * 512;
}

// What the spools on one disk may still come to take, by its device.
using Promises = std::map<dev_t, std::uint64_t>;

Finding judge_spool(const Intake& intake, Promises& promises) {
    const auto& spool = intake.settings.spool;
    struct stat status{};
    const auto space = space_at(spool.directory);
    if (!space || ::stat(spool.directory.c_str(), &status) != 0)
        return fault(spool.directory + " is not there",
                     "start mitral-" + intake.table + " once, or make the directory");
    const auto used = bytes_below(spool.directory);
    auto& promised = promises[status.st_dev];
    const auto before = promised;
    const auto still_needed = spool.max_bytes > used ? spool.max_bytes - used : 0;
    promised += std::min(still_needed, UINT64_MAX - promised);
    if (space->free < promised)
        return fault(fmt::format("the spool may grow to {} MiB but only {} MiB are free at {}{}",
                                 spool.max_bytes / mebibyte, (space->free + used) / mebibyte,
                                 spool.directory,
                                 before == 0 ? std::string()
                                             : fmt::format(", of which other spools may take {}",
                                                           before / mebibyte)),
                     "lower max_bytes_mb in [" + intake.table + "], or free space");
    return good(fmt::format("spool {} of {} MiB, {} MiB free", used / mebibyte,
                            spool.max_bytes / mebibyte, space->free / mebibyte));
}

Finding judge_spools(const std::vector<Intake>& intakes) {
    Promises promises;
    Finding finding = good("room for state");
    for (const auto& intake : intakes) {
        auto next = judge_spool(intake, promises);
        if (next.verdict != Verdict::ok)
            return next;
        if (&intake != &intakes.front())
            next.text = finding.text + "; " + next.text;
        finding = std::move(next);
    }
    return finding;
}

std::optional<Finding> judge_state(const std::string& directory) {
    constexpr std::uint64_t least = 16 * mebibyte;
    constexpr std::uint64_t least_files = 64;
    const auto space = space_at(directory);
    if (!space || (space->free >= least && space->free_files >= least_files))
        return std::nullopt;
    return fault(fmt::format("{} MiB and {} files are free at {}", space->free / mebibyte,
                             space->free_files, directory),
                 "free space on that disk");
}

}  // namespace

std::uint64_t bytes_below(const std::string& directory) {
    std::uint64_t total = 0;
    const auto names = base::list_directory(directory);
    for (const auto& name : names ? *names : std::vector<std::string>{}) {
        bool is_directory = false;
        const auto path = fmt::format("{}/{}", directory, name);
        total += size_of(path, is_directory);
        const auto inner =
            is_directory ? base::list_directory(path) : base::Result<std::vector<std::string>>();
        for (const auto& file : inner ? *inner : std::vector<std::string>{})
            total += size_of(fmt::format("{}/{}", path, file), is_directory);
    }
    return total;
}

Finding check_permissions(const UnitSettings& settings, const std::string& config_file) {
    Inspection inspect;
    inspect.trusted_file(config_file);
    if (settings.vault)
        inspect.directory(settings.vault->state, settings.vault->user, others_all);
    for (const auto& intake : settings.intakes)
        inspect.directory(intake.settings.spool.directory, intake.settings.user, spool_forbidden);
    if (settings.enrol) {
        inspect.directory(parent_of(settings.enrol->assignment_file), settings.enrol->user,
                          others_write);
        inspect.trust(settings.enrol->trust);
    }
    if (settings.uplink) {
        inspect.directory(settings.uplink->state, settings.uplink->user, others_write);
        inspect.trust(settings.uplink->trust);
    }
    if (const auto complaint = inspect.complaint())
        return *complaint;
    return good(fmt::format("{} files and directories as they should be", inspect.seen()));
}

Finding check_disk(const UnitSettings& settings) {
    for (const auto& directory : {settings.vault ? settings.vault->state : std::string(),
                                  settings.uplink ? settings.uplink->state : std::string()}) {
        if (directory.empty())
            continue;
        if (auto complaint = judge_state(directory))
            return *complaint;
    }
    return judge_spools(settings.intakes);
}

Finding check_clock(const base::Clock& clock) {
    const auto now = base::to_iso8601(clock.wall());
    switch (clock.state()) {
        case base::ClockState::synchronised:
            return good(now + ", synchronised");
        case base::ClockState::free_running:
            return warn(
                now + ", not synchronised",
                "let a time service discipline it (chrony or systemd-timesyncd); a clock more than "
                "5 minutes off is refused by Azure");
        case base::ClockState::implausible:
            break;
    }
    return fault(now + " cannot be: this software is younger",
                 "set the clock; tokens are only valid around the true time");
}

}  // namespace mitral::cli
