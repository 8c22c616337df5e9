#include "cloud/tls/self_signed.hpp"

#include <unistd.h>

#include <algorithm>
#include <optional>

#include "base/file.hpp"
#include "cloud/tls/x509.hpp"

namespace mitral::cloud::tls {
namespace {

constexpr std::size_t max_pem = 64 * 1024;
constexpr int ca_days = 3650;
constexpr int server_days = 397;
constexpr int renew_days = 30;

base::Result<Identity> load(const std::string& certificate, const std::string& key) {
    MITRAL_TRY(const auto certificate_pem, base::read_text_file(certificate, max_pem));
    MITRAL_TRY(const auto key_pem, base::read_text_file(key, max_pem));
    return parse_identity(certificate_pem, key_pem);
}

base::Status save(const Identity& identity, const std::string& certificate,
                  const std::string& key) {
    MITRAL_TRY(const auto certificate_pem, to_pem(*identity.certificate));
    MITRAL_TRY(const auto key_pem, to_pem(*identity.key));
    // The key first: a certificate never stands without its key.
    MITRAL_CHECK(base::replace_file(key, base::as_bytes(key_pem), 0600));
    return base::replace_file(certificate, base::as_bytes(certificate_pem), 0644);
}

bool is_usable(const Identity& server, const Identity& ca, const std::vector<std::string>& names,
               base::WallTime now) {
    return is_issued_by(*server.certificate, *ca.certificate) &&
           is_valid_until(*server.certificate, now.unix_seconds() + renew_days * 86'400) &&
           std::all_of(names.begin(), names.end(), [&](const std::string& name) {
               return is_for_name(*server.certificate, name);
           });
}

}  // namespace

base::Result<ServerFiles> ensure_certificates(const std::string& directory,
                                              const std::vector<std::string>& names,
                                              base::WallTime now, const std::string& authority) {
    MITRAL_CHECK(base::make_directory(directory, 0755));
    const ServerFiles files{directory + "/ca.pem", directory + "/server.pem",
                            directory + "/server.key"};
    const auto ca_key = directory + "/ca.key";
    auto ca = load(files.ca, ca_key);
    if (!ca) {
        // Clients trust the one that was: only a user may give it up.
        if (::access(files.ca.c_str(), F_OK) == 0)
            return base::fail_with(files.ca +
                                       " and ca.key cannot be used (put them back, or "
                                       "remove both; clients must then trust the new one)",
                                   ca.error());
        ca = make_authority(authority, now, ca_days);
        if (!ca)
            return std::unexpected(std::move(ca).error());
        MITRAL_CHECK(save(*ca, files.ca, ca_key));
    }
    const auto server = load(files.certificate, files.key);
    if (server && is_usable(*server, *ca, names, now))
        return files;
    MITRAL_TRY(const auto made, make_server(*ca, names, now, server_days));
    MITRAL_CHECK(save(made, files.certificate, files.key));
    return files;
}

}  // namespace mitral::cloud::tls
