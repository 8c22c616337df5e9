#include "uplink/vault_session.hpp"

#include "base/fail_point.hpp"
#include "spool/errors.hpp"
#include "vault/errors.hpp"

namespace mitral::uplink {
namespace {

template <typename Answer>
bool lost_connection(const Answer& answer) {
    return !answer && answer.error().code == vault::VaultError::vault_unavailable;
}

}  // namespace

// A connection from an earlier call may be dead: then, and only then, the call is made once more. A
// refusal is an answer.
template <typename Call>
auto VaultSession::ask(Call call) -> decltype(call(std::declval<vault::Client&>())) {
    if (client_) {
        if (auto answer = call(*client_); !lost_connection(answer))
            return answer;
        client_.reset();
    }
    MITRAL_TRY(client_, connect_());
    auto answer = call(*client_);
    if (lost_connection(answer))
        client_.reset();
    return answer;
}

base::Result<vault::Token> VaultSession::mint(const std::string& hub, base::Seconds lifetime) {
    return ask([&](vault::Client& client) {
        return client.mint(
            vault::HubTokenRequest{.hub = hub, .module_id = {}, .lifetime = lifetime});
    });
}

base::Result<base::Secret> VaultSession::open_segment_key(base::ByteView wrapped) {
    auto key = ask([&](vault::Client& client) { return client.open_data_key(wrapped); });
    MITRAL_FAIL_POINT("uplink.key-opened");
    // The trust zone judged this wrapping: a wipe voided it, or it was made elsewhere. For good.
    if (!key && key.error().code == vault::VaultError::key_refused)
        return base::fail(spool::SpoolError::key_void, key.error().message());
    return key;
}

// Not made again at once: a checkpoint that fails is asked for again later.
base::Result<base::Bytes> VaultSession::checkpoint(const attest::Report& report) {
    if (!connect_evidence_)
        return base::fail(vault::VaultError::vault_unavailable, "no connection for evidence");
    if (!evidence_client_) {
        MITRAL_TRY(evidence_client_, connect_evidence_());
    }
    auto checkpoint = evidence_client_->checkpoint(report);
    if (lost_connection(checkpoint))
        evidence_client_.reset();
    return checkpoint;
}

}  // namespace mitral::uplink
