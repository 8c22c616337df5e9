#include <algorithm>
#include <cassert>

#include "vault/protocol.hpp"

namespace mitral::vault {
namespace {

// A writer that never moves what it wrote: a growing buffer would leave copies of keys behind.
class ReplyWriter {
  public:
    explicit ReplyWriter(std::uint8_t status) : buffer_(max_message) {
        u8(protocol_version).u8(status);
    }
    ReplyWriter& fixed(base::ByteView bytes) { return raw(bytes); }
    ReplyWriter& u8(std::uint8_t value) { return raw(base::ByteView(&value, 1)); }
    ReplyWriter& u32(std::uint32_t value) { return raw(base::ByteWriter().u32(value).bytes()); }
    ReplyWriter& u64(std::uint64_t value) { return raw(base::ByteWriter().u64(value).bytes()); }
    ReplyWriter& i64(std::int64_t value) { return u64(static_cast<std::uint64_t>(value)); }
    ReplyWriter& block16(base::ByteView bytes) {
        raw(base::ByteWriter().u16(static_cast<std::uint16_t>(bytes.size())).bytes());
        return raw(bytes);
    }
    ReplyWriter& text16(std::string_view text) { return block16(base::as_bytes(text)); }
    [[nodiscard]] base::Secret finish() && {
        buffer_.shrink(used_);
        return std::move(buffer_);
    }

  private:
    ReplyWriter& raw(base::ByteView bytes) {
        // Every field is bounded where it is made; their sum is far below the limit.
        assert(bytes.size() <= max_message - used_);
        const std::size_t count = std::min(bytes.size(), max_message - used_);
        std::copy_n(bytes.begin(), count,
                    buffer_.bytes().begin() + static_cast<std::ptrdiff_t>(used_));
        used_ += count;
        return *this;
    }

    base::Secret buffer_;
    std::size_t used_ = 0;
};

constexpr std::uint8_t ok = 0;
constexpr std::size_t max_context = 512;

std::uint8_t status_of(const base::Error& error) {
    if (error.code.category() == vault_category())
        return static_cast<std::uint8_t>(error.code.value());
    return static_cast<std::uint8_t>(VaultError::backend_failure);
}

auto malformed() {
    return base::fail(VaultError::malformed, "the vault's reply does not parse");
}

// Past the header; or the refusal it carries.
base::Result<base::ByteReader> open_reply(base::ByteView datagram) {
    base::ByteReader in(datagram);
    const auto version = in.u8();
    const auto status = in.u8();
    if (!version || *version != protocol_version || !status)
        return malformed();
    if (*status == ok)
        return in;
    const auto context = in.text16();
    if (!context || !in.done())
        return malformed();
    return base::fail(static_cast<VaultError>(*status), std::string(*context));
}

}  // namespace

base::Secret encode_reply() {
    return ReplyWriter(ok).finish();
}

base::Secret encode_reply(const base::Error& error) {
    ReplyWriter out(status_of(error));
    out.text16(std::string_view(error.context).substr(0, max_context));
    return std::move(out).finish();
}

base::Secret encode_reply(const Token& token) {
    ReplyWriter out(ok);
    out.i64(token.not_after_s).block16(token.text.view());
    return std::move(out).finish();
}

base::Secret encode_reply(const DataKey& key) {
    ReplyWriter out(ok);
    out.block16(key.key.view()).block16(key.wrapped);
    return std::move(out).finish();
}

base::Secret encode_reply(const base::Secret& key) {
    ReplyWriter out(ok);
    out.block16(key.view());
    return std::move(out).finish();
}

base::Secret encode_reply(const Pseudonym& pseudonym) {
    ReplyWriter out(ok);
    out.fixed(pseudonym);
    return std::move(out).finish();
}

base::Secret encode_reply(const VaultStatus& status) {
    ReplyWriter out(ok);
    out.u8(static_cast<std::uint8_t>(status.state));
    out.text16(status.backend).text16(status.boundary);
    out.text16(status.id_scope).text16(status.registration_id).text16(status.dps_host);
    out.u64(status.mint_count).u64(status.refusal_count);
    out.i64(status.time_floor_s).i64(status.time_allowance_s);
    out.u32(status.max_token_lifetime_s).u8(status.pending_key ? 1 : 0);
    out.u8(status.subject_key ? 1 : 0).u8(status.time_authority ? 1 : 0);
    out.i64(status.signed_time_age_s);
    return std::move(out).finish();
}

base::Secret encode_reply(std::int64_t earliest_s) {
    ReplyWriter out(ok);
    out.i64(earliest_s);
    return std::move(out).finish();
}

base::Secret encode_reply(const base::Bytes& statement) {
    ReplyWriter out(ok);
    out.block16(statement);
    return std::move(out).finish();
}

base::Status decode_empty_reply(base::ByteView datagram) {
    MITRAL_TRY(const auto in, open_reply(datagram));
    if (!in.done())
        return malformed();
    return {};
}

base::Result<Token> decode_token_reply(base::ByteView datagram) {
    MITRAL_TRY(auto in, open_reply(datagram));
    const auto not_after = in.u64();
    const auto text = in.block16();
    if (!not_after || !text || !in.done())
        return malformed();
    return Token{base::Secret(*text), static_cast<std::int64_t>(*not_after)};
}

base::Result<DataKey> decode_data_key_reply(base::ByteView datagram) {
    MITRAL_TRY(auto in, open_reply(datagram));
    const auto key = in.block16();
    const auto wrapped = in.block16();
    if (!key || !wrapped || !in.done())
        return malformed();
    return DataKey{base::Secret(*key), base::Bytes(wrapped->begin(), wrapped->end())};
}

base::Result<base::Secret> decode_key_reply(base::ByteView datagram) {
    MITRAL_TRY(auto in, open_reply(datagram));
    const auto key = in.block16();
    if (!key || !in.done())
        return malformed();
    return base::Secret(*key);
}

base::Result<Pseudonym> decode_pseudonym_reply(base::ByteView datagram) {
    MITRAL_TRY(auto in, open_reply(datagram));
    Pseudonym pseudonym{};
    const auto bytes = in.take(pseudonym.size());
    if (!bytes || !in.done())
        return malformed();
    std::copy(bytes->begin(), bytes->end(), pseudonym.begin());
    return pseudonym;
}

base::Result<VaultStatus> decode_status_reply(base::ByteView datagram) {
    MITRAL_TRY(auto in, open_reply(datagram));
    VaultStatus status;
    const auto state = in.u8();
    bool complete = state && *state <= 3;
    for (auto* text : {&status.backend, &status.boundary, &status.id_scope, &status.registration_id,
                       &status.dps_host}) {
        const auto value = in.text16();
        complete = complete && value;
        text->assign(value.value_or(std::string_view{}));
    }
    const auto mints = in.u64();
    const auto refusals = in.u64();
    const auto floor = in.u64();
    const auto allowance = in.u64();
    const auto lifetime = in.u32();
    const auto pending = in.u8();
    const auto subject = in.u8();
    const auto authority = in.u8();
    const auto signed_age = in.u64();
    if (!complete || !mints || !refusals || !floor || !allowance || !lifetime || !pending ||
        !subject || !authority || !signed_age || !in.done())
        return malformed();
    status.state = static_cast<VaultState>(*state);
    status.mint_count = *mints;
    status.refusal_count = *refusals;
    status.time_floor_s = static_cast<std::int64_t>(*floor);
    status.time_allowance_s = static_cast<std::int64_t>(*allowance);
    status.max_token_lifetime_s = *lifetime;
    status.pending_key = *pending != 0;
    status.subject_key = *subject != 0;
    status.time_authority = *authority != 0;
    status.signed_time_age_s = static_cast<std::int64_t>(*signed_age);
    return status;
}

base::Result<std::int64_t> decode_time_reply(base::ByteView datagram) {
    MITRAL_TRY(auto in, open_reply(datagram));
    const auto earliest = in.u64();
    if (!earliest || !in.done())
        return malformed();
    return static_cast<std::int64_t>(*earliest);
}

base::Result<base::Bytes> decode_evidence_reply(base::ByteView datagram) {
    return decode_statement_reply(datagram);
}

base::Result<base::Bytes> decode_statement_reply(base::ByteView datagram) {
    MITRAL_TRY(auto in, open_reply(datagram));
    const auto statement = in.block16();
    if (!statement || !in.done())
        return malformed();
    return base::Bytes(statement->begin(), statement->end());
}

}  // namespace mitral::vault
