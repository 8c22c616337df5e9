#include "vault/optee/backend.hpp"

#include <algorithm>

#include "base/log.hpp"
#include "trusted/protocol.h"
#include "vault/optee/refusals.hpp"
#include "vault/order.hpp"

namespace mitral::vault::optee {
namespace {

constexpr std::string_view boundary_text =
    "the secure world (OP-TEE): keys and the rules on tokens are in the Trusted Application; root "
    "here can ask for tokens within them and destroy its storage; an older storage is noticed "
    "where the platform has RPMB or a counter, elsewhere by who compares checkpoints";
constexpr std::string_view any_station_text =
    "; station = any: a development build, whoever provisions it first is its station";
constexpr std::string_view no_storage_text =
    "; its storage is gone or older than the platform's counter allows: no tokens until the unit "
    "went back to the line, data keys last until the next start";
constexpr std::size_t max_block = TRUSTED_MAX_REQUEST - 64;

class OpteeBackend final : public Backend {
  public:
    OpteeBackend(std::unique_ptr<Channel> channel, const base::Ed25519PublicKey& station_key,
                 const base::Clock& clock)
        : channel_(std::move(channel)), station_key_(station_key), clock_(clock) {}

    [[nodiscard]] base::Result<Token> mint(const HubTokenRequest& request) override;
    [[nodiscard]] base::Result<Token> mint(const RegistrationTokenRequest& request) override;
    [[nodiscard]] base::Result<DataKey> new_data_key() override;
    [[nodiscard]] base::Result<base::Secret> open_data_key(base::ByteView wrapped) override;
    [[nodiscard]] base::Result<Pseudonym> pseudonym(const Patient& patient) override;
    [[nodiscard]] base::Result<VaultStatus> status() override;
    [[nodiscard]] base::Result<base::Bytes> begin_time() override;
    [[nodiscard]] base::Result<std::int64_t> take_time(base::ByteView answer) override;
    [[nodiscard]] base::Result<base::Bytes> checkpoint(base::ByteView report) override;
    [[nodiscard]] base::Result<base::Bytes> attest(const AttestationNonce& nonce) override;
    [[nodiscard]] base::Result<base::Bytes> begin_provisioning() override;
    [[nodiscard]] base::Status execute(base::ByteView signed_order) override;

  private:
    [[nodiscard]] base::Result<base::Secret> ask(trusted_command command, base::ByteView request);
    [[nodiscard]] base::Result<base::Bytes> block(trusted_command command,
                                                  base::ByteView request = {});
    [[nodiscard]] base::Result<Token> token(trusted_command command, base::ByteView request);
    [[nodiscard]] std::int64_t claimed_time() const;
    [[nodiscard]] std::unexpected<base::Error> refuse_here(VaultError error, std::string text);

    std::unique_ptr<Channel> channel_;
    base::Ed25519PublicKey station_key_;
    const base::Clock& clock_;
    std::uint64_t refusals_ = 0;  // of what could not even be carried
    bool doubt_told_ = false;
};

auto damaged() {
    return base::fail(VaultError::backend_failure, "the trust zone's reply does not parse");
}

base::Secret secret_of(base::ByteView bytes) {
    return base::Secret(bytes);
}

// The payload: what follows the status byte.
base::Result<base::Secret> OpteeBackend::ask(trusted_command command, base::ByteView request) {
    MITRAL_TRY(const auto reply, channel_->invoke(command, request));
    const auto bytes = reply.view();
    if (bytes.empty())
        return damaged();
    if (bytes[0] != TRUSTED_OK)
        return refusal(bytes[0]);
    return secret_of(bytes.subspan(1));
}

std::unexpected<base::Error> OpteeBackend::refuse_here(VaultError error, std::string text) {
    ++refusals_;
    return base::fail(error, std::move(text));
}

// A clock that does not know the time claims none, and gets no token.
std::int64_t OpteeBackend::claimed_time() const {
    return clock_.state() == base::ClockState::implausible ? -1 : clock_.wall().unix_seconds();
}

base::Result<Token> OpteeBackend::token(trusted_command command, base::ByteView request) {
    MITRAL_TRY(const auto reply, ask(command, request));
    base::ByteReader in(reply.view());
    const auto expiry = in.u64();
    const auto text = in.block16();
    if (!expiry || !text || !in.done())
        return damaged();
    return Token{secret_of(*text), static_cast<std::int64_t>(*expiry)};
}

base::Result<Token> OpteeBackend::mint(const HubTokenRequest& request) {
    if (request.hub.size() + request.module_id.size() > max_block)
        return refuse_here(VaultError::not_listed, "hub is not on the provisioned list");
    base::ByteWriter out;
    out.u64(static_cast<std::uint64_t>(claimed_time()));
    out.u64(static_cast<std::uint64_t>(request.lifetime.count()));
    out.text16(request.hub).text16(request.module_id);
    return token(TRUSTED_MINT_HUB, out.bytes());
}

base::Result<Token> OpteeBackend::mint(const RegistrationTokenRequest& request) {
    base::ByteWriter out;
    out.u64(static_cast<std::uint64_t>(claimed_time()));
    out.u64(static_cast<std::uint64_t>(request.lifetime.count()));
    return token(TRUSTED_MINT_REGISTRATION, out.bytes());
}

base::Result<DataKey> OpteeBackend::new_data_key() {
    MITRAL_TRY(const auto reply, ask(TRUSTED_NEW_DATA_KEY, {}));
    base::ByteReader in(reply.view());
    const auto key = in.block16();
    const auto wrapped = in.block16();
    if (!key || !wrapped || !in.done())
        return damaged();
    return DataKey{secret_of(*key), base::Bytes(wrapped->begin(), wrapped->end())};
}

base::Result<base::Secret> OpteeBackend::open_data_key(base::ByteView wrapped) {
    if (wrapped.size() > max_block)
        return base::fail(VaultError::key_refused, "wrapped key has an impossible size");
    MITRAL_TRY(const auto reply,
               ask(TRUSTED_OPEN_DATA_KEY, base::ByteWriter().block16(wrapped).bytes()));
    base::ByteReader in(reply.view());
    const auto key = in.block16();
    if (!key || !in.done())
        return damaged();
    return secret_of(*key);
}

base::Result<Pseudonym> OpteeBackend::pseudonym(const Patient& patient) {
    if (!is_nameable(patient))
        return refuse_here(VaultError::malformed, "nobody is named, or at too much length");
    base::ByteWriter out;
    out.text16(patient.id).text16(patient.authority);
    auto request = std::move(out).bytes();
    auto reply = ask(TRUSTED_PSEUDONYM, request);
    base::wipe(request);
    if (!reply)
        return std::unexpected(reply.error());
    Pseudonym result{};
    if (reply->size() != result.size())
        return damaged();
    std::copy_n(reply->view().begin(), result.size(), result.begin());
    return result;
}

base::Result<VaultStatus> OpteeBackend::status() {
    constexpr std::size_t numbers = 46;
    MITRAL_TRY(const auto reply, ask(TRUSTED_STATUS, {}));
    if (reply.size() < numbers)
        return damaged();
    base::ByteReader in(reply.view());
    const auto state = in.u8();
    const auto mints = in.u64();
    const auto refusals = in.u64();
    const auto floor = in.u64();
    const auto allowance = in.u32();
    const auto lifetime = in.u32();
    const auto pending = in.u8();
    const auto subject = in.u8();
    const auto doubtful = in.u8();
    const auto authority = in.u8();
    const auto signed_age = in.u64();
    const auto station_known = in.u8();
    const auto id_scope = in.text16();
    const auto registration_id = in.text16();
    const auto dps_host = in.text16();
    if (!id_scope || !registration_id || !dps_host || !in.done() ||
        *state > static_cast<std::uint8_t>(VaultState::wiped))
        return damaged();
    if (*doubtful != 0 && !std::exchange(doubt_told_, true))
        base::log_security("vault-state-refused",
                           {{"cause", *doubtful == 2 ? "storage is gone or older than it may be"
                                                     : "lost, damaged or of another unit"}});
    VaultStatus status;
    status.state = static_cast<VaultState>(*state);
    status.backend = "optee";
    status.boundary = boundary_text;
    if (*doubtful == 2)
        status.boundary += no_storage_text;
    if (*station_known == 0)
        status.boundary += any_station_text;
    status.id_scope = *id_scope;
    status.registration_id = *registration_id;
    status.dps_host = *dps_host;
    status.mint_count = *mints;
    status.refusal_count = *refusals + refusals_;
    status.time_floor_s = static_cast<std::int64_t>(*floor);
    status.time_allowance_s = *allowance;
    status.max_token_lifetime_s = *lifetime;
    status.time_authority = *authority != 0;
    status.signed_time_age_s = static_cast<std::int64_t>(*signed_age);
    status.pending_key = *pending != 0;
    status.subject_key = *subject != 0;
    return status;
}

// What comes as one block and is no secret.
base::Result<base::Bytes> OpteeBackend::block(trusted_command command, base::ByteView request) {
    MITRAL_TRY(const auto reply, ask(command, request));
    base::ByteReader in(reply.view());
    const auto bytes = in.block16();
    if (!bytes || !in.done())
        return damaged();
    return base::Bytes(bytes->begin(), bytes->end());
}

base::Result<base::Bytes> OpteeBackend::begin_time() {
    return block(TRUSTED_BEGIN_TIME);
}

base::Result<std::int64_t> OpteeBackend::take_time(base::ByteView answer) {
    if (answer.size() > max_block)
        return refuse_here(VaultError::time_refused, "the answer has an impossible size");
    MITRAL_TRY(const auto reply,
               ask(TRUSTED_TAKE_TIME, base::ByteWriter().block16(answer).bytes()));
    base::ByteReader in(reply.view());
    const auto earliest = in.u64();
    if (!earliest || !in.done())
        return damaged();
    return static_cast<std::int64_t>(*earliest);
}

base::Result<base::Bytes> OpteeBackend::checkpoint(base::ByteView report) {
    if (report.size() > EVIDENCE_MAX_REPORT)
        return refuse_here(VaultError::malformed, "the report has an impossible size");
    return block(TRUSTED_CHECKPOINT, base::ByteWriter().block16(report).bytes());
}

base::Result<base::Bytes> OpteeBackend::attest(const AttestationNonce& nonce) {
    return block(TRUSTED_ATTEST, nonce);
}

base::Result<base::Bytes> OpteeBackend::begin_provisioning() {
    return block(TRUSTED_BEGIN_PROVISIONING);
}

base::Status OpteeBackend::execute(base::ByteView signed_order) {
    if (signed_order.size() > max_order_size)
        return refuse_here(VaultError::order_malformed, "order has an impossible size");
    base::ByteWriter out;
    out.raw(station_key_).block16(signed_order);
    MITRAL_CHECK(ask(TRUSTED_EXECUTE_ORDER, out.bytes()));
    // The Trusted Application judged it; this is for the log.
    if (const auto parsed = parse_order(signed_order)) {
        const Order& order = parsed->order;
        if (order.kind == OrderKind::wipe)
            base::log_security("vault-wiped");
        base::log(base::Severity::notice, "order-executed",
                  {{"kind", to_string(order.kind)},
                   {"signer", order.signer == Authority::fleet ? "fleet" : "station"},
                   {"reason", order.reason}});
    }
    return {};
}

}  // namespace

base::Result<std::unique_ptr<Backend>> open_backend(std::unique_ptr<Channel> channel,
                                                    const base::Ed25519PublicKey& station_key,
                                                    const base::Clock& clock) {
    auto backend = std::make_unique<OpteeBackend>(std::move(channel), station_key, clock);
    MITRAL_CHECK(backend->status());
    return backend;
}

}  // namespace mitral::vault::optee
