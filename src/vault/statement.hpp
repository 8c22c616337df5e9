// What a unit says when provisioning begins (docs/formats/vault-protocol.md, "Statement"). It is
// not signed: that it comes from the unit on the bench is the station's to ensure.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "base/bytes.hpp"
#include "base/result.hpp"

namespace mitral::vault {

using Nonce = std::array<std::uint8_t, 32>;

struct Statement {
    std::string backend;       // "tpm", "software", "optee"
    base::Bytes wrapping_key;  // the back end's own format
    Nonce nonce{};             // goes back in the provision order
};

[[nodiscard]] base::Bytes encode(const Statement& statement);
[[nodiscard]] base::Result<Statement> decode_statement(base::ByteView bytes);

}  // namespace mitral::vault
