#include "uplink/vault_session.hpp"

namespace mitral::uplink {

// A connection from an earlier call may be dead: then, and only then, the call is made once more.
template <typename Call>
auto VaultSession::ask(Call call) -> decltype(call(std::declval<vault::Client&>())) {
    if (client_) {
        if (auto answer = call(*client_))
            return answer;
        client_.reset();
    }
    MITRAL_TRY(client_, connect_());
    auto answer = call(*client_);
    if (!answer)
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
    return ask([&](vault::Client& client) { return client.open_data_key(wrapped); });
}

}  // namespace mitral::uplink
