// A scripted server, a scripted vault, and a clock that waits move.
#pragma once

#include <deque>
#include <string>
#include <vector>

#include "base/errors.hpp"
#include "enrol/https.hpp"
#include "enrol/registration.hpp"
#include "vault/client.hpp"
#include "vault/errors.hpp"

namespace mitral::test {

class ScriptedHttps final : public enrol::Https {
  public:
    std::deque<base::Result<enrol::HttpResponse>> script;  // the last entry repeats
    std::vector<enrol::HttpRequest> requests;
    std::vector<std::string> tokens;

    base::Result<enrol::HttpResponse> perform(const enrol::HttpRequest& request) override {
        requests.push_back(request);
        tokens.emplace_back(base::as_text(request.authorization->view()));
        auto answer = script.front();
        if (script.size() > 1)
            script.pop_front();
        return answer;
    }
};

class ScriptedVault final : public vault::Client {
  public:
    vault::VaultStatus identity = [] {
        vault::VaultStatus status;
        status.state = vault::VaultState::ready;
        status.id_scope = "0ne000A0A0A";
        status.registration_id = "dev-01";
        status.dps_host = "dps.example";
        return status;
    }();
    std::vector<std::string> hubs{"hub.example"};
    bool may_mint_hub = true;
    int minted = 0;
    const base::Clock* clock = nullptr;
    std::deque<vault::VaultError> mint_failures;

    base::Result<vault::Token> mint(const vault::HubTokenRequest& request) override {
        if (!may_mint_hub)
            return base::fail(vault::VaultError::refused, "");
        for (const auto& hub : hubs) {
            if (hub == request.hub)
                return token(request.lifetime);
        }
        return base::fail(vault::VaultError::not_listed, request.hub);
    }
    base::Result<vault::Token> mint(const vault::RegistrationTokenRequest& request) override {
        if (!mint_failures.empty()) {
            const auto failure = mint_failures.front();
            mint_failures.pop_front();
            return base::fail(failure, "");
        }
        return token(request.lifetime);
    }
    base::Result<vault::VaultStatus> status() override { return identity; }

    base::Result<vault::Pseudonym> pseudonym(const vault::Patient&) override { return unused(); }
    base::Result<vault::DataKey> new_data_key() override { return unused(); }
    base::Result<base::Secret> open_data_key(base::ByteView) override { return unused(); }
    base::Result<base::Bytes> begin_provisioning() override { return unused(); }
    base::Status execute(base::ByteView) override { return unused(); }

  private:
    static std::unexpected<base::Error> unused() {
        return base::fail(vault::VaultError::refused, "not in this test");
    }
    vault::Token token(base::Seconds lifetime) {
        const auto text = "SharedAccessSignature token-" + std::to_string(++minted);
        return {base::Secret(base::as_bytes(text)),
                clock->wall().unix_seconds() + lifetime.count()};
    }
};

}  // namespace mitral::test
