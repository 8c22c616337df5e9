#include "enrol/registration.hpp"

#include <fmt/format.h>

#include <optional>

#include "azure/dps.hpp"
#include "base/errors.hpp"
#include "base/fail_point.hpp"
#include "base/log.hpp"
#include "enrol/answers.hpp"
#include "enrol/errors.hpp"
#include "vault/errors.hpp"

namespace mitral::enrol {
namespace {

using azure::RegistrationAnswer;
using azure::RegistrationStatus;
using base::Milliseconds;

class Registration {
  public:
    Registration(const Surroundings& surroundings, const RegistrationOptions& options)
        : around_(surroundings),
          options_(options),
          backoff_(options.first_wait, options.longest_wait, surroundings.random),
          started_(surroundings.clock.monotonic()) {}

    base::Result<Outcome> run() {
        MITRAL_TRY(identity_, around_.vault.status());
        MITRAL_CHECK(check_identity(identity_));
        MITRAL_TRY(auto answer, exchange(register_request()));
        while (answer.status == RegistrationStatus::assigning ||
               answer.status == RegistrationStatus::unassigned) {
            MITRAL_CHECK(pause(poll_after_));
            MITRAL_TRY(answer, exchange(look_up_request(answer)));
        }
        return judge(answer);
    }

  private:
    HttpRequest register_request() const {
        HttpRequest request;
        request.method = HttpRequest::Method::put;
        request.path = azure::dps_register_path(identity_.id_scope, identity_.registration_id);
        request.body = azure::register_request_json({identity_.registration_id, "", ""});
        return request;
    }

    HttpRequest look_up_request(const RegistrationAnswer& answer) const {
        HttpRequest request;
        request.path = azure::dps_operation_path(identity_.id_scope, identity_.registration_id,
                                                 answer.operation_id);
        return request;
    }

    // One request until it is answered, or fails for good, or time is up.
    base::Result<RegistrationAnswer> exchange(HttpRequest request) {
        while (true) {
            auto answer = attempt(request);
            if (answer) {
                backoff_.reset();
                return answer;
            }
            if (!worth_another_try(answer.error()))
                return std::unexpected(std::move(answer).error());
            base::log(base::Severity::warning, "registration-retry",
                      {{"reason", answer.error().message()}});
            if (auto paused = pause(backoff_.next(asked_to_wait_)); !paused)
                return base::fail(EnrolError::out_of_time,
                                  paused.error().context + "; last: " + answer.error().message());
        }
    }

    base::Result<RegistrationAnswer> attempt(HttpRequest& request) {
        asked_to_wait_ = Milliseconds(0);
        MITRAL_CHECK(renew_token());
        request.authorization = &token_->text;
        MITRAL_FAIL_POINT("enrol.ask");
        MITRAL_TRY(const auto response, around_.https.perform(request));
        MITRAL_FAIL_POINT("enrol.answered");
        if (response.status == 429 || response.status >= 500)
            asked_to_wait_ = azure::retry_after(response.retry_after);
        poll_after_ = azure::retry_after(response.retry_after);
        return read_answer(response);
    }

    // Microsoft's service is known to answer 401 now and then for a good token: one more, fresh.
    bool worth_another_try(const base::Error& error) {
        if (error.code == EnrolError::unauthorised && !tried_fresh_token_) {
            tried_fresh_token_ = true;
            token_.reset();
            return true;
        }
        return is_temporary(error.code) || error.code == vault::VaultError::backend_unavailable ||
               error.code == vault::VaultError::rate_limited;
    }

    base::Status renew_token() {
        const auto now = around_.clock.wall().unix_seconds();
        constexpr std::int64_t spare_s = 60;
        if (token_ && token_->not_after_s - now > spare_s)
            return {};
        auto token = around_.vault.mint(vault::RegistrationTokenRequest{options_.token_lifetime});
        if (!token)
            return base::fail_with("mint a registration token", token.error());
        token_ = *std::move(token);
        MITRAL_FAIL_POINT("enrol.token-minted");
        return {};
    }

    base::Status pause(Milliseconds wait) {
        const auto spent = around_.clock.monotonic() - started_;
        if (spent + wait > options_.give_up_after)
            return base::fail(
                EnrolError::out_of_time,
                fmt::format("no assignment within {} s", options_.give_up_after.count() / 1000));
        around_.wait(wait);
        return {};
    }

    base::Result<Outcome> judge(const RegistrationAnswer& answer) {
        MITRAL_CHECK(judge_state(answer));
        MITRAL_CHECK(judge_identity(answer, identity_.registration_id));
        Outcome outcome{answer.assigned_hub, answer.device_id, answer.substatus, false};
        if (options_.confirm_hub) {
            MITRAL_CHECK(confirm_hub(outcome.hub));
            outcome.hub_confirmed = true;
        }
        return outcome;
    }

    // The list itself stays in the trust zone: a token of one second's life shows what it says.
    base::Status confirm_hub(const std::string& hub) {
        const auto token =
            around_.vault.mint(vault::HubTokenRequest{hub, std::string(), base::Seconds(1)});
        if (token)
            return {};
        if (token.error().code == vault::VaultError::not_listed)
            return foreign_hub(hub);
        return base::fail_with("ask the vault about hub " + hub, token.error());
    }

    const Surroundings& around_;
    RegistrationOptions options_;
    Backoff backoff_;
    base::MonotonicTime started_;
    vault::VaultStatus identity_;
    std::optional<vault::Token> token_;
    Milliseconds asked_to_wait_{0};
    Milliseconds poll_after_{2'000};
    bool tried_fresh_token_ = false;
};

}  // namespace

base::Result<Outcome> register_unit(const Surroundings& surroundings,
                                    const RegistrationOptions& options) {
    return Registration(surroundings, options).run();
}

base::Status check_identity(const vault::VaultStatus& status) {
    switch (status.state) {
        case vault::VaultState::ready:
            return {};
        case vault::VaultState::unprovisioned:
            return base::fail(EnrolError::not_provisioned,
                              "the vault holds no identity yet; provision the unit at a station "
                              "(mitral provision)");
        case vault::VaultState::quarantined:
            return base::fail(
                EnrolError::not_provisioned,
                "the unit is in quarantine; it registers again after a signed release");
        case vault::VaultState::wiped:
            return base::fail(EnrolError::not_provisioned,
                              "the identity was wiped; provision the unit again at a station");
    }
    return base::fail(EnrolError::not_provisioned, "the vault reports an unknown state");
}

base::Status check_server(const vault::VaultStatus& status, const net::Endpoint& server) {
    MITRAL_TRY(const auto provisioned, net::parse_endpoint(status.dps_host, server.port));
    if (provisioned.host == server.host && provisioned.port == server.port)
        return {};
    return base::fail(
        EnrolError::foreign_hub,
        fmt::format("[enrol] dps is {}:{} but this unit was provisioned for {}; correct "
                    "the configuration, or provision the unit again",
                    server.host, server.port, status.dps_host));
}

}  // namespace mitral::enrol
