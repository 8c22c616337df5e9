#include "mitral/status.hpp"

#include <fmt/format.h>

#include <iterator>
#include <nlohmann/json.hpp>

#include "mitral/local_checks.hpp"
#include "mitral/uplink_view.hpp"
#include "vault/client.hpp"

namespace mitral::cli {
namespace {

using Json = nlohmann::ordered_json;

std::string_view to_string(vault::VaultState state) {
    switch (state) {
        case vault::VaultState::unprovisioned:
            return "unprovisioned";
        case vault::VaultState::ready:
            return "ready";
        case vault::VaultState::quarantined:
            return "quarantined";
        case vault::VaultState::wiped:
            return "wiped";
    }
    return "unknown";
}

std::string time_of(std::int64_t unix_s) {
    return unix_s == 0 ? "never" : base::to_iso8601({unix_s * 1000});
}

class Description {
  public:
    Description(const UnitSettings& settings, const base::Clock& clock)
        : settings_(settings), clock_(clock) {}

    StatusReport run() {
        document_["schema"] = "mitral.status/1";
        document_["time"] = base::to_iso8601(clock_.wall());
        document_["clock"] = base::to_string(clock_.state());
        line("clock", fmt::format("{}, {}", base::to_iso8601(clock_.wall()),
                                  base::to_string(clock_.state())));
        describe_vault();
        if (settings_.intake)
            describe_intake();
        if (settings_.uplink)
            describe_uplink();
        report_.json = document_.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
        return std::move(report_);
    }

  private:
    void line(std::string_view part, std::string_view text) {
        fmt::format_to(std::back_inserter(report_.text), "{:<10} {}\n", part, text);
    }
    void missing(const char* part, const base::Error& error) {
        report_.complete = false;
        line(part, "not available: " + error.message());
        document_[part] = {{"error", error.message()}};
    }

    void describe_vault() {
        const auto client = vault::Client::connect(vault_socket_of(settings_));
        if (!client)
            return missing("vault", client.error());
        const auto status = (*client)->status();
        if (!status)
            return missing("vault", status.error());
        line("vault", fmt::format("{}, back end {}", to_string(status->state), status->backend));
        line("", status->boundary);
        line("identity", status->registration_id.empty()
                             ? std::string("none")
                             : fmt::format("{} in {} at {}", status->registration_id,
                                           status->id_scope, status->dps_host));
        line("tokens", fmt::format("{} minted, {} refused, at most {} s each", status->mint_count,
                                   status->refusal_count, status->max_token_lifetime_s));
        line("patients",
             status->subject_key ? "pseudonyms under the hospital's key" : "no key for pseudonyms");
        line("time", fmt::format("floor {}, allowance {} s", time_of(status->time_floor_s),
                                 status->time_allowance_s));
        document_["vault"] = {{"state", to_string(status->state)},
                              {"backend", status->backend},
                              {"boundary", status->boundary},
                              {"id_scope", status->id_scope},
                              {"registration_id", status->registration_id},
                              {"dps_host", status->dps_host},
                              {"mint_count", status->mint_count},
                              {"refusal_count", status->refusal_count},
                              {"max_token_lifetime_s", status->max_token_lifetime_s},
                              {"time_floor_s", status->time_floor_s},
                              {"time_allowance_s", status->time_allowance_s},
                              {"pending_key", status->pending_key},
                              {"subject_key", status->subject_key}};
    }

    void describe_intake() {
        const auto& intake = *settings_.intake;
        constexpr std::uint64_t mebibyte = 1024 * 1024;
        const auto used = bytes_below(intake.spool.directory);
        line("spool", fmt::format("{}: {} of {} MiB", intake.spool.directory, used / mebibyte,
                                  intake.spool.max_bytes / mebibyte));
        document_["spool"] = {{"directory", intake.spool.directory},
                              {"bytes", used},
                              {"max_bytes", intake.spool.max_bytes}};
        const auto view = read_intake_view(intake.status);
        if (!view)
            return missing("intake", view.error());
        line("intake", fmt::format("{} readings, {} observations, {} refused, {} sources connected",
                                   view->readings, view->observations, view->refused,
                                   view->open_connections));
        document_["intake"] = {{"readings", view->readings},
                               {"observations", view->observations},
                               {"refused", view->refused},
                               {"open_connections", view->open_connections},
                               {"queued", view->queued},
                               {"dropped_records", view->dropped},
                               {"updated", base::to_iso8601(view->updated)}};
    }

    void describe_uplink() {
        const auto view = read_uplink_view(settings_.uplink->status_file);
        if (!view)
            return missing("uplink", view.error());
        line("uplink",
             fmt::format("{}{}{}, {} queued ({} live), {} renewals, {} failures", view->state,
                         view->hub.empty() ? "" : " to " + view->hub,
                         view->tls_version.empty() ? "" : " over " + view->tls_version,
                         view->queued, view->live_queued, view->renewals, view->failures));
        if (!view->connected && !view->last_error.empty())
            line("", "last error: " + view->last_error);
        document_["uplink"] = {{"state", view->state},
                               {"connected", view->connected},
                               {"hub", view->hub},
                               {"tls_version", view->tls_version},
                               {"queued", view->queued},
                               {"live_queued", view->live_queued},
                               {"renewals", view->renewals},
                               {"failures", view->failures},
                               {"token_age_s", view->token_age_s},
                               {"last_error", view->last_error},
                               {"updated", base::to_iso8601(view->updated)}};
    }

    const UnitSettings& settings_;
    const base::Clock& clock_;
    Json document_;
    StatusReport report_;
};

}  // namespace

StatusReport describe_unit(const UnitSettings& settings, const base::Clock& clock) {
    return Description(settings, clock).run();
}

}  // namespace mitral::cli
