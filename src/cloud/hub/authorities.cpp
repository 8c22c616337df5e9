#include "cloud/hub/authorities.hpp"

#include <algorithm>

#include "azure/ids.hpp"
#include "cloud/error.hpp"
#include "cloud/tls/client_certificate.hpp"

namespace mitral::cloud::hub {
namespace {

Authority read_row(const store::Statement& row) {
    return {.name = row.text(0), .pem = row.text(1), .added = {row.integer(2)}};
}

}  // namespace

base::Result<Authority> Authorities::put(std::string_view name, std::string_view certificate) {
    if (const auto good = azure::check_device_id(name); !good)
        return base::fail(CloudError::invalid_argument, good.error().context);
    MITRAL_TRY(const auto facts, tls::read_certificate(certificate));
    if (!facts.is_authority)
        return base::fail(CloudError::invalid_argument,
                          "the certificate is no authority's (basic constraints)");
    if (facts.not_after <= clock_.wall())
        return base::fail(CloudError::invalid_argument, "the certificate has expired");
    MITRAL_TRY(const auto known, list());
    const bool replaces = std::any_of(known.begin(), known.end(),
                                      [&](const auto& entry) { return entry.name == name; });
    if (!replaces && known.size() >= max_authorities)
        return base::fail(CloudError::invalid_argument, "25 authorities exist already");
    Authority authority{.name = std::string(name), .pem = facts.pem, .added = clock_.wall()};
    auto insert = database_.prepare(
        "INSERT OR REPLACE INTO authority (name, certificate, added) VALUES (?, ?, ?)");
    insert.bind(authority.name).bind(authority.pem).bind(authority.added.ms);
    MITRAL_TRY(const auto changed, insert.run());
    (void)changed;
    return authority;
}

base::Status Authorities::remove(std::string_view name) {
    auto statement = database_.prepare("DELETE FROM authority WHERE name = ?");
    MITRAL_TRY(const auto removed, statement.bind(name).run());
    if (removed == 0)
        return base::fail(CloudError::not_found, "authority " + std::string(name));
    return {};
}

base::Result<std::optional<Authority>> Authorities::find(std::string_view name) const {
    auto query = database_.prepare("SELECT name, certificate, added FROM authority WHERE name = ?");
    MITRAL_TRY(const bool found, query.bind(name).step());
    if (!found)
        return std::nullopt;
    return read_row(query);
}

base::Result<std::vector<Authority>> Authorities::list() const {
    auto query = database_.prepare("SELECT name, certificate, added FROM authority ORDER BY name");
    std::vector<Authority> authorities;
    for (;;) {
        MITRAL_TRY(const bool row, query.step());
        if (!row)
            return authorities;
        authorities.push_back(read_row(query));
    }
}

}  // namespace mitral::cloud::hub
