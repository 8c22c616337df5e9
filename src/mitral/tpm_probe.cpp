#include "mitral/tpm_probe.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <charconv>
#include <string_view>

#include "net/connect.hpp"
#include "vault/errors.hpp"

namespace mitral::cli {
namespace {

constexpr std::string_view device_prefix = "device:";
constexpr std::string_view swtpm_prefix = "swtpm:";

std::unexpected<base::Error> absent(std::string text) {
    return base::fail(vault::VaultError::backend_unavailable, std::move(text));
}

base::Status look_at(const std::string& path) {
    struct stat status{};
    if (::stat(path.c_str(), &status) != 0)
        return absent("no TPM at " + path + " (vault.tcti): " +
                      std::error_code(errno, std::generic_category()).message());
    if (!S_ISCHR(status.st_mode))
        return absent(path + " (vault.tcti) is no TPM device");
    return {};
}

std::string_view option(std::string_view options, std::string_view key,
                        std::string_view otherwise) {
    const auto at = options.find(key);
    if (at == std::string_view::npos)
        return otherwise;
    const auto value = options.substr(at + key.size());
    return value.substr(0, value.find(','));
}

base::Status connect_to(std::string_view options, base::Milliseconds timeout) {
    net::Endpoint server{std::string(option(options, "host=", "127.0.0.1")), 0};
    const auto port = option(options, "port=", "2321");
    (void)std::from_chars(port.data(), port.data() + port.size(), server.port);
    if (const auto reached = net::connect_tcp({server, {}, timeout}); !reached)
        return absent("no TPM answers at " + std::string(swtpm_prefix) + std::string(options) +
                      " (vault.tcti): " + reached.error().message());
    return {};
}

}  // namespace

base::Status probe_tpm(const std::string& tcti, base::Milliseconds timeout) {
    if (tcti.starts_with(device_prefix))
        return look_at(tcti.substr(device_prefix.size()));
    if (tcti.starts_with(swtpm_prefix))
        return connect_to(std::string_view(tcti).substr(swtpm_prefix.size()), timeout);
    return {};
}

}  // namespace mitral::cli
