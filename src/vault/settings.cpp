#include "vault/settings.hpp"

#include <algorithm>

#include "base/encoding.hpp"
#include "base/errors.hpp"
#include "base/file.hpp"
#include "base/process.hpp"

namespace mitral::vault {
namespace {

constexpr std::size_t max_key_file = 256;
constexpr std::string_view module_prefix = "modules/";

auto invalid(std::string text) {
    return base::fail(base::BaseError::invalid_setting, std::move(text));
}

base::Result<base::Ed25519PublicKey> read_public_key(const std::string& path) {
    auto text = base::read_text_file(path, max_key_file);
    if (!text)
        return base::fail_with("vault.station_key", text.error());
    text->erase(text->find_last_not_of(" \r\n") + 1);
    const auto bytes = base::from_base64(*text);
    base::Ed25519PublicKey key{};
    if (!bytes || bytes->size() != key.size())
        return invalid(path + " is no Ed25519 public key (32 bytes in base64)");
    std::copy(bytes->begin(), bytes->end(), key.begin());
    return key;
}

base::Status read_operations(const std::vector<std::string>& names, PeerRights& rights) {
    for (const auto& name : names) {
        const auto operation = operation_named(name);
        if (!operation)
            return invalid("vault.peer.may: no operation is called '" + name + "'");
        rights.may.push_back(*operation);
    }
    return {};
}

base::Status read_identities(const std::vector<std::string>& names, PeerRights& rights) {
    rights.identities.clear();
    for (const auto& name : names) {
        if (name == "device")
            rights.identities.emplace_back();
        else if (name.starts_with(module_prefix) && name.size() > module_prefix.size())
            rights.identities.push_back(name.substr(module_prefix.size()));
        else
            return invalid("vault.peer.identities: '" + name +
                           "' is neither device nor modules/NAME");
    }
    return {};
}

base::Result<PeerRights> read_peer(base::Table& table) {
    const auto user = table.required_text("user");
    const auto may = table.texts("may");
    const auto identities = table.texts("identities", {"device"});
    MITRAL_CHECK(table.finish());
    PeerRights rights;
    MITRAL_TRY(rights.uid, base::user_id(user));
    MITRAL_CHECK(read_operations(may, rights));
    MITRAL_CHECK(read_identities(identities, rights));
    return rights;
}

// Without any [[vault.peer]]: each of Mitral's users may do what its program needs, root may carry
// signed orders to the vault. Users that do not exist on this machine are left out.
std::vector<PeerRights> default_peers() {
    using enum Operation;
    std::vector<PeerRights> peers{{0, {status, begin_provisioning, execute_order, attest}}};
    const std::vector<std::pair<std::string, std::vector<Operation>>> known = {
        {"mitral-intake", {new_data_key, status}},
        {"mitral-intake-hl7", {new_data_key, pseudonym}},
        {"mitral-uplink", {mint_hub, open_data_key, status, checkpoint}},
        {"mitral-enrol", {mint_registration, status}},
        {"mitral-timed", {begin_time, take_time}},
    };
    for (const auto& [user, may] : known)
        if (const auto uid = base::user_id(user))
            peers.push_back({*uid, may});
    return peers;
}

Limits read_limits(base::Table& table) {
    const auto number = [&table](const char* key, std::uint32_t fallback, std::int64_t most) {
        return static_cast<std::uint32_t>(table.integer(key, fallback, 1, most));
    };
    const Limits usual;
    Limits limits;
    limits.requests.burst = number("rate_burst", usual.requests.burst, 100'000);
    limits.requests.per_minute = number("rate_per_minute", usual.requests.per_minute, 1'000'000);
    limits.mints.burst = number("mint_burst", usual.mints.burst, 100'000);
    limits.mints.per_hour = number("mints_per_hour", usual.mints.per_hour, 100'000);
    limits.pseudonyms.burst = number("pseudonym_burst", usual.pseudonyms.burst, 100'000);
    limits.pseudonyms.per_hour = number("pseudonyms_per_hour", usual.pseudonyms.per_hour, 100'000);
    limits.evidence.burst = number("evidence_burst", usual.evidence.burst, 100'000);
    limits.evidence.per_hour = number("evidence_per_hour", usual.evidence.per_hour, 100'000);
    return limits;
}

}  // namespace

base::Result<Settings> read_settings(const base::Config& config) {
    base::Table table = config.table("vault");
    Settings settings;
    settings.socket = table.text("socket", "/run/mitral/vault/vault.sock");
    settings.state = table.text("state", "/var/lib/mitral/vault");
    settings.backend = table.text("backend", "tpm");
    settings.tcti = table.text("tcti", "device:/dev/tpmrm0");
    settings.user = table.text("user", "");
    const auto station_key = table.text("station_key", "/etc/mitral/station.pub");
    settings.rate = read_limits(table);
    auto peer_tables = table.tables("peer");
    MITRAL_CHECK(table.finish());

    std::vector<PeerRights> peers;
    for (auto& peer_table : peer_tables) {
        MITRAL_TRY(auto peer, read_peer(peer_table));
        peers.push_back(std::move(peer));
    }
    settings.rights = RightsTable(peer_tables.empty() ? default_peers() : std::move(peers));
    MITRAL_TRY(settings.station_key, read_public_key(station_key));
    if (settings.backend != "tpm" && settings.backend != "optee" && settings.backend != "software")
        return invalid("vault.backend is \"tpm\", \"optee\" or \"software\", not \"" +
                       settings.backend + "\"");
    return settings;
}

}  // namespace mitral::vault
