// The datagrams between vault and clients (docs/formats/vault-protocol.md): version first, one
// request and one reply each, ≤ 4 KiB, big-endian.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "base/secret.hpp"
#include "vault/client.hpp"
#include "vault/errors.hpp"

namespace mitral::vault {

constexpr std::uint8_t protocol_version = 1;
constexpr std::size_t max_message = 4096;  // bytes

enum class Operation : std::uint8_t {
    mint_hub = 1,
    mint_registration = 2,
    new_data_key = 3,
    open_data_key = 4,
    status = 5,
    begin_provisioning = 6,
    execute_order = 7,
    pseudonym = 8,
    begin_time = 9,
    take_time = 10,
    checkpoint = 11,
    attest = 12,
};
constexpr std::uint8_t last_operation = 12;
// As `may` of [[vault.peer]] writes them: "mint-hub".
[[nodiscard]] std::string_view to_string(Operation operation) noexcept;
[[nodiscard]] std::optional<Operation> operation_named(std::string_view name) noexcept;

struct Request {
    Operation operation = Operation::status;
    std::string hub;           // mint_hub
    std::string module_id;     // mint_hub
    base::Seconds lifetime{};  // both mints
    base::Bytes blob;          // open_data_key: wrapped key; execute_order: signed order;
                               // take_time: the authority's answer; checkpoint: report;
                               // attest: nonce (32)
    Patient patient{};         // pseudonym
};

[[nodiscard]] base::Bytes encode(const Request& request);
// Hostile input: exactly one request, no byte more.
[[nodiscard]] base::Result<Request> decode_request(base::ByteView datagram);

// Replies may hold tokens and keys, so they live in a Secret until they are sent.
[[nodiscard]] base::Secret encode_reply();
[[nodiscard]] base::Secret encode_reply(const base::Error& error);
[[nodiscard]] base::Secret encode_reply(const Token& token);
[[nodiscard]] base::Secret encode_reply(const DataKey& key);
[[nodiscard]] base::Secret encode_reply(const base::Secret& key);
[[nodiscard]] base::Secret encode_reply(const Pseudonym& pseudonym);
[[nodiscard]] base::Secret encode_reply(const VaultStatus& status);
[[nodiscard]] base::Secret encode_reply(const base::Bytes& statement);
[[nodiscard]] base::Secret encode_reply(std::int64_t earliest_s);

// Each turns a refusal of the vault into its VaultError.
[[nodiscard]] base::Status decode_empty_reply(base::ByteView datagram);
[[nodiscard]] base::Result<Token> decode_token_reply(base::ByteView datagram);
[[nodiscard]] base::Result<DataKey> decode_data_key_reply(base::ByteView datagram);
[[nodiscard]] base::Result<base::Secret> decode_key_reply(base::ByteView datagram);
[[nodiscard]] base::Result<Pseudonym> decode_pseudonym_reply(base::ByteView datagram);
[[nodiscard]] base::Result<VaultStatus> decode_status_reply(base::ByteView datagram);
[[nodiscard]] base::Result<std::int64_t> decode_time_reply(base::ByteView datagram);
[[nodiscard]] base::Result<base::Bytes> decode_statement_reply(base::ByteView datagram);
[[nodiscard]] base::Result<base::Bytes> decode_evidence_reply(base::ByteView datagram);

}  // namespace mitral::vault
