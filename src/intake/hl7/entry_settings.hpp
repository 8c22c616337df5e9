// The tables in [intake-hl7]. Inside the room only.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/config.hpp"
#include "base/result.hpp"
#include "intake/hl7/settings.hpp"

namespace mitral::intake::hl7 {

[[nodiscard]] base::Result<ListenSettings> read_listener(
    base::Table& table);  // [[intake-hl7.listen]]
[[nodiscard]] base::Result<MonitorSettings> read_monitor(
    base::Table& table);  // [[intake-hl7.monitor]]

// A numeric address with a port, as the table's key says; names would need a resolver, which the
// sandbox does not have. Port 0 as the default: it has to be said. nullopt: finish() says why.
[[nodiscard]] std::optional<net::Endpoint> read_endpoint(base::Table& table, std::string_view key,
                                                         const std::string& text,
                                                         std::uint16_t port_if_none);

}  // namespace mitral::intake::hl7
