#include "mitral/settings.hpp"

#include <algorithm>
#include <utility>

#include "base/errors.hpp"
#include "intake/hl7/equipment.hpp"
#include "intake/hl7/settings.hpp"
#include "intake/lines/settings.hpp"
#include "timed/settings.hpp"

namespace mitral::cli {
namespace {

constexpr std::string_view known_tables[] = {
    "vault", "intake-lines", "intake-hl7", "enrol",
    "timed", "uplink",       "cloud"};  // cloud is read by mitral-cloud alone

base::Status check_names(const std::vector<std::string>& names) {
    for (const auto& name : names) {
        if (std::ranges::find(known_tables, name) == std::end(known_tables))
            return base::fail(
                base::BaseError::invalid_setting,
                "no program of Mitral reads [" + name + "]; see docs/configuration.md");
    }
    return {};
}

}  // namespace

base::Result<UnitSettings> read_unit_settings(const base::Config& config) {
    const auto names = config.names();
    MITRAL_CHECK(check_names(names));
    const auto has = [&names](std::string_view name) {
        return std::ranges::find(names, name) != names.end();
    };
    UnitSettings settings;
    if (has("vault")) {
        MITRAL_TRY(settings.vault, vault::read_settings(config));
    }
    if (has("intake-lines")) {
        MITRAL_TRY(auto lines, intake::read_settings(config));
        settings.intakes.push_back({"intake-lines", std::move(lines)});
    }
    if (has("intake-hl7")) {
        MITRAL_TRY(auto hl7, intake::hl7::read_settings(config));
        // Zones, code tables and certificates are read at the start, too.
        MITRAL_TRY(const auto equipment, intake::hl7::Equipment::load(hl7));
        settings.intakes.push_back({"intake-hl7", std::move(hl7.adapter)});
    }
    if (has("enrol")) {
        MITRAL_TRY(settings.enrol, enrol::read_settings(config.table("enrol")));
    }
    if (has("timed")) {
        MITRAL_CHECK(timed::read_settings(config.table("timed")));
    }
    if (has("uplink")) {
        MITRAL_TRY(settings.uplink, uplink::read_settings(config.table("uplink")));
    }
    return settings;
}

std::string vault_socket_of(const UnitSettings& settings) {
    if (settings.vault)
        return settings.vault->socket;
    if (settings.uplink)
        return settings.uplink->vault_socket;
    if (settings.enrol)
        return settings.enrol->vault_socket;
    return settings.intakes.empty() ? "/run/mitral/vault/vault.sock"
                                    : settings.intakes.front().settings.vault;
}

}  // namespace mitral::cli
