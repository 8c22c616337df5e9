#include "cloud/faults/roots.hpp"

#include <unistd.h>

#include "cloud/tls/self_signed.hpp"

namespace mitral::cloud::faults {
namespace {

constexpr const char* second_authority = "Mitral local Azure, second root";

std::string rollover(const std::string& directory) {
    return directory + "/rollover";
}

}  // namespace

base::Result<net::TlsContext> server_context(const std::string& directory,
                                             const std::vector<std::string>& names,
                                             const std::string& authority, base::WallTime now) {
    MITRAL_TRY(const auto files, tls::ensure_certificates(directory, names, now, authority));
    return net::TlsContext::server({.certificate_file = files.certificate,
                                    .key_file = files.key,
                                    .minimum = net::TlsVersion::tls12,
                                    .request_client_certificate = true});
}

base::Status Roots::prepare() const {
    MITRAL_TRY(const auto files, tls::ensure_certificates(rollover(directory_), names_,
                                                          clock_.wall(), second_authority));
    (void)files;
    return {};
}

base::Status Roots::use(bool other, bool fresh) {
    if (other && fresh)
        for (const auto* name : {"/ca.pem", "/ca.key"})
            (void)::unlink((rollover(directory_) + name).c_str());
    MITRAL_TRY(context_, server_context(other ? rollover(directory_) : directory_, names_,
                                        other ? second_authority : first_authority, clock_.wall()));
    return {};
}

}  // namespace mitral::cloud::faults
