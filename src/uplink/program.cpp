#include "uplink/program.hpp"

#include <unistd.h>

#include "spool/acknowledgement.hpp"
#include "spool/reader.hpp"

namespace mitral::uplink {
namespace {

constexpr std::uint16_t dns_port = 53;  // over TCP, for long answers

std::string parent_of(const std::string& path) {
    const auto slash = path.find_last_not_of('/');
    const auto cut = path.find_last_of('/', slash == std::string::npos ? 0 : slash);
    if (cut == std::string::npos)
        return ".";
    return cut == 0 ? "/" : path.substr(0, cut);
}

std::string last_part(const std::string& path) {
    const auto end = path.find_last_not_of('/');
    if (end == std::string::npos)
        return "spool";
    const auto cut = path.find_last_of('/', end);
    return path.substr(cut == std::string::npos ? 0 : cut + 1,
                       end - (cut == std::string::npos ? std::string::npos : cut));
}

bool exists(const std::string& path) {
    return ::access(path.c_str(), F_OK) == 0;
}

}  // namespace

base::SandboxPolicy sandbox_policy(const Settings& settings) {
    base::SandboxPolicy policy;
    policy.user = settings.user;
    policy.internet = true;
    policy.writable = {settings.state, parent_of(settings.status_file)};
    policy.readable = {parent_of(settings.assignment_file)};
    // An intake that was never started has no spool yet: then the folder it will appear in.
    for (const std::string& spool : settings.spools)
        policy.readable.push_back(exists(spool) ? spool : parent_of(spool));
    // What the C library reads to find a name's address.
    for (const char* path : {"/etc/resolv.conf", "/etc/hosts", "/etc/nsswitch.conf",
                             "/etc/host.conf", "/etc/gai.conf", "/run/systemd/resolve"}) {
        if (exists(path))
            policy.readable.emplace_back(path);
    }
    policy.tcp_connect = {settings.proxy ? settings.proxy->port : settings.hub_port, dns_port};
    return policy;
}

base::Result<net::TlsContext> tls_context(const Settings& settings) {
    net::TlsClientOptions options = settings.tls;
    MITRAL_TRY(options.roots_pem, net::pinned_roots(settings.trust));
    return net::TlsContext::client(options);
}

void add_spools(Uplink& uplink, const Settings& settings, spool::KeyOpener& keys) {
    for (const std::string& spool : settings.spools) {
        for (const spool::Lane lane : spool::lanes_by_priority) {
            const std::string position = spool::acknowledgement_path(settings.state, spool, lane);
            uplink.add_feed(
                {last_part(spool), lane},
                [spool, lane, position, &keys] {
                    return spool::LaneReader::open(spool, lane, position, keys);
                },
                position);
        }
    }
}

}  // namespace mitral::uplink
