#include "mitral/status.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>
#include <utility>

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

std::string describe_time(const vault::VaultStatus& status) {
    const auto bounds = fmt::format("floor {}, allowance {} s", time_of(status.time_floor_s),
                                    status.time_allowance_s);
    if (!status.time_authority)
        return bounds + ", no time authority";
    if (status.signed_time_age_s < 0)
        return bounds + ", no signed time since the vault's start";
    return bounds + fmt::format(", signed time {} s old", status.signed_time_age_s);
}

std::string describe_monitor(const MonitorView& monitor) {
    auto text = fmt::format("{}: {}, {} messages", monitor.source,
                            monitor.connected ? "connected" : "not connected", monitor.messages);
    if (monitor.refused != 0)
        text += fmt::format(", {} refused", monitor.refused);
    if (monitor.last_message)
        text += ", last " + base::to_iso8601(*monitor.last_message);
    if (monitor.clock_offset_ms)
        text +=
            fmt::format(", clock {:+.1f} s", static_cast<double>(*monitor.clock_offset_ms) / 1000);
    const char* before = "; not understood: ";
    for (const auto& [reason, count] : monitor.not_understood)
        text += fmt::format("{}{} {}", std::exchange(before, ", "), count, reason);
    return text;
}

Json json_of(const MonitorView& monitor) {
    Json json{{"source", monitor.source},        {"connected", monitor.connected},
              {"messages", monitor.messages},    {"refused", monitor.refused},
              {"last_message", nullptr},         {"clock_offset_ms", nullptr},
              {"not_understood", Json::object()}};
    if (monitor.last_message)
        json["last_message"] = base::to_iso8601(*monitor.last_message);
    if (monitor.clock_offset_ms)
        json["clock_offset_ms"] = *monitor.clock_offset_ms;
    for (const auto& [reason, count] : monitor.not_understood)
        json["not_understood"][reason] = count;
    return json;
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
        for (const auto& intake : settings_.intakes)
            intake.table == "intake-hl7" ? describe_monitors(intake.settings)
                                         : describe_intake(intake.settings);
        if (settings_.uplink)
            describe_uplink(*settings_.uplink);
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
        line("time", describe_time(*status));
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
                              {"time_authority", status->time_authority},
                              {"signed_time_age_s", status->signed_time_age_s},
                              {"pending_key", status->pending_key},
                              {"subject_key", status->subject_key}};
    }

    Json describe_spool(const spool::WriterOptions& spool) {
        constexpr std::uint64_t mebibyte = 1024 * 1024;
        const auto used = bytes_below(spool.directory);
        line("spool", fmt::format("{}: {} of {} MiB", spool.directory, used / mebibyte,
                                  spool.max_bytes / mebibyte));
        return {{"directory", spool.directory}, {"bytes", used}, {"max_bytes", spool.max_bytes}};
    }

    void describe_intake(const intake::AdapterSettings& intake) {
        document_["spool"] = describe_spool(intake.spool);
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

    void describe_monitors(const intake::AdapterSettings& intake) {
        auto spool = describe_spool(intake.spool);
        const auto view = read_monitors_view(intake.status);
        if (!view)
            return missing("intake-hl7", view.error());
        const auto& counters = view->intake;
        const auto connected = std::ranges::count_if(view->monitors, &MonitorView::connected);
        line("monitors",
             fmt::format("{} of {} connected, {} messages, {} readings, {} observations, {} "
                         "refused, {} connections turned away",
                         connected, view->monitors.size(), view->messages, counters.readings,
                         counters.observations, counters.refused, view->rejected));
        auto monitors = Json::array();
        for (const auto& monitor : view->monitors) {
            line("", describe_monitor(monitor));
            monitors.push_back(json_of(monitor));
        }
        document_["intake-hl7"] = {{"spool", std::move(spool)},
                                   {"messages", view->messages},
                                   {"readings", counters.readings},
                                   {"observations", counters.observations},
                                   {"refused", counters.refused},
                                   {"rejected", view->rejected},
                                   {"open_connections", counters.open_connections},
                                   {"queued", counters.queued},
                                   {"dropped_records", counters.dropped},
                                   {"updated", base::to_iso8601(counters.updated)},
                                   {"monitors", std::move(monitors)}};
    }

    void describe_uplink(const uplink::Settings& uplink) {
        const auto view = read_uplink_view(uplink.status_file);
        if (!view)
            return missing("uplink", view.error());
        line(
            "uplink",
            fmt::format("{}{}{}, {} queued ({} live), {} renewals, {} failures, {} checkpoints",
                        view->state, view->hub.empty() ? "" : " to " + view->hub,
                        view->tls_version.empty() ? "" : " over " + view->tls_version, view->queued,
                        view->live_queued, view->renewals, view->failures, view->checkpoints));
        if (!view->checkpoint_trouble.empty())
            line("", "no checkpoints: " + view->checkpoint_trouble);
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
                               {"checkpoints", view->checkpoints},
                               {"checkpoint_trouble", view->checkpoint_trouble},
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
