#include "vault/tpm/backend.hpp"

#include <charconv>
#include <optional>

#include "base/errors.hpp"
#include "base/process.hpp"
#include "vault/custody.hpp"
#include "vault/tpm/store.hpp"

namespace mitral::vault::tpm {
namespace {

constexpr std::string_view device_prefix = "device:";
constexpr std::string_view swtpm_prefix = "swtpm:";
constexpr std::uint16_t default_port = 2321;

// "host=…,port=…" of the TCP transports.
std::optional<std::uint16_t> port_of(std::string_view options) {
    constexpr std::string_view key = "port=";
    const auto at = options.find(key);
    if (at == std::string_view::npos)
        return default_port;
    const auto text = options.substr(at + key.size());
    std::uint16_t port = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
    const bool ends = end == text.data() + text.size() || *end == ',';
    if (error != std::errc{} || !ends || port == 0 || port == 65535)
        return std::nullopt;
    return port;
}

}  // namespace

base::Result<std::unique_ptr<Backend>> open_backend(const std::string& directory,
                                                    const std::string& tcti,
                                                    const base::Ed25519PublicKey& station_key,
                                                    const base::Clock& clock) {
    MITRAL_TRY(auto store, Store::open(directory, tcti));
    return Custody::open(std::move(store), station_key, clock);
}

base::Status extend_sandbox(const std::string& tcti, base::SandboxPolicy& policy) {
    const std::string_view text = tcti;
    if (text.starts_with(device_prefix)) {
        policy.writable.emplace_back(text.substr(device_prefix.size()));
        // Debian gives the TPM to this group; it counts only when the daemon starts as root.
        if (base::group_id("tss"))
            policy.supplementary_groups.emplace_back("tss");
        return {};
    }
    if (text.starts_with(swtpm_prefix)) {
        if (const auto port = port_of(text.substr(swtpm_prefix.size()))) {
            policy.internet = true;
            policy.tcp_connect = {*port,
                                  static_cast<std::uint16_t>(*port + 1)};  // and its control port
            return {};
        }
    }
    return base::fail(
        base::BaseError::invalid_setting,
        "vault.tcti '" + tcti + "' is neither device:/dev/tpmrm0 nor swtpm:host=127.0.0.1,port=N");
}

}  // namespace mitral::vault::tpm
