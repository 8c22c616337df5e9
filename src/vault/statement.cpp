#include "vault/statement.hpp"

#include <algorithm>

#include "vault/errors.hpp"

namespace mitral::vault {
namespace {

constexpr std::string_view magic = "MVS1";
constexpr std::size_t max_backend = 16;
constexpr std::size_t max_wrapping_key = 1024;

}  // namespace

base::Bytes encode(const Statement& statement) {
    base::ByteWriter out;
    out.text(magic).text16(statement.backend).block16(statement.wrapping_key).raw(statement.nonce);
    return std::move(out).bytes();
}

base::Result<Statement> decode_statement(base::ByteView bytes) {
    base::ByteReader in(bytes);
    const auto start = in.take(magic.size());
    const auto backend = in.text16();
    const auto key = in.block16();
    const auto nonce = in.take(Nonce{}.size());
    if (!start || base::as_text(*start) != magic || !backend || backend->size() > max_backend ||
        !key || key->size() > max_wrapping_key || !nonce || !in.done())
        return base::fail(VaultError::malformed, "provisioning statement does not parse");
    Statement statement{std::string(*backend), base::Bytes(key->begin(), key->end()), {}};
    std::copy(nonce->begin(), nonce->end(), statement.nonce.begin());
    return statement;
}

}  // namespace mitral::vault
