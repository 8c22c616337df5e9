// A unit on the test bench: a back end of either kind with a clock under control, and the station
// that provisions it.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/crypto.hpp"
#include "vault/backend.hpp"
#include "vault/host_channel.hpp"
#include "vault/order.hpp"
#include "vault/station.hpp"
#include "vault/swtpm.hpp"

namespace mitral::test {

// Removed with its content.
class ScratchDirectory {
  public:
    ScratchDirectory();
    ScratchDirectory(const ScratchDirectory&) = delete;
    ScratchDirectory& operator=(const ScratchDirectory&) = delete;
    ~ScratchDirectory();
    [[nodiscard]] const std::string& path() const noexcept { return path_; }

  private:
    std::string path_;
};

enum class BackendKind { software, tpm, optee };
[[nodiscard]] std::string_view to_string(BackendKind kind);

constexpr std::string_view registration_id = "unit-0042";
constexpr std::string_view hub = "contoso.azure-devices.net";
constexpr std::string_view other_hub = "localhost:38883";
constexpr std::string_view module = "DeviceUpdate";
constexpr std::string_view alert_module = "alerts";
constexpr std::int64_t start_s = 1'780'000'000;  // 2026-05-28
constexpr std::uint32_t allowance_s = 30 * 24 * 3600;

[[nodiscard]] vault::Policy standard_policy();

class Bench {
  public:
    explicit Bench(BackendKind kind);

    // The daemon stops and starts: only files and the TPM remain.
    void restart();
    [[nodiscard]] base::Result<std::unique_ptr<vault::Backend>> try_open();
    [[nodiscard]] vault::Backend& backend() { return *backend_; }
    [[nodiscard]] vault::VaultStatus status();

    // An order of this station with the next counter; `keys` and `policy` are left to the caller.
    [[nodiscard]] vault::Order order(vault::OrderKind kind);
    [[nodiscard]] base::Status execute(const vault::Order& order) {
        return execute(order, station_key);
    }
    [[nodiscard]] base::Status execute(const vault::Order& order, const base::Secret& key);
    [[nodiscard]] vault::Statement statement();
    [[nodiscard]] vault::Order provision_order() { return provision_order(statement()); }
    [[nodiscard]] vault::Order provision_order(const vault::Statement& said);
    [[nodiscard]] base::Status provision();
    [[nodiscard]] base::Status rotate_to(base::ByteView device_key);

    [[nodiscard]] base::Result<vault::Token> mint(std::string_view hub_name,
                                                  std::string_view module_id = {},
                                                  std::int64_t lifetime_s = 3600);
    [[nodiscard]] base::Result<vault::Token> mint() { return mint(hub); }

    BackendKind kind;
    ScratchDirectory scratch;
    std::string state_directory;
    std::optional<Swtpm> tpm;
    base::ManualClock clock{base::WallTime{start_s * 1000}};
    base::Secret station_key;
    base::Secret fleet_key;
    base::Secret device_key;
    PowerCut power;             // of the `optee` kind
    HostMode host;              // of the `optee` kind
    base::Secret hardware_key;  // of a host zone: what a board has in its fuses
    std::uint64_t next_counter = 1000;

  private:
    std::unique_ptr<vault::Backend> backend_;
};

// Judges a token with code of its own: splits the text, computes HMAC and Base64 with OpenSSL
// directly.
struct TokenParts {
    std::string sr;
    std::string se;
    std::string skn;
    base::Bytes signature;
};
[[nodiscard]] TokenParts split(const vault::Token& token);
[[nodiscard]] bool is_signed_with(const vault::Token& token, base::ByteView key);

[[nodiscard]] std::error_code code_of(const base::Status& status);
template <typename T>
[[nodiscard]] std::error_code code_of(const base::Result<T>& result) {
    return result ? std::error_code{} : result.error().code;
}

}  // namespace mitral::test
