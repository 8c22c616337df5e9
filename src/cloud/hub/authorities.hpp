#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "cloud/store/database.hpp"

namespace mitral::cloud::hub {

struct Authority {
    std::string name{};
    std::string pem{};
    base::WallTime added{};
};

// The certificate authorities whose certificates this installation takes. Azure keeps one such list
// for the hub and one for DPS, and asks for a proof of possession; here there is one list for both,
// and whoever can write it is believed.
class Authorities {
  public:
    static constexpr std::size_t max_authorities = 25;  // quota of a hub

    Authorities(store::Database& database, const base::Clock& clock)
        : database_(database), clock_(clock) {}

    // `certificate`: PEM, or base64 of DER, of an authority that has not expired. Replaces one of
    // the same name. Fails with invalid_argument.
    [[nodiscard]] base::Result<Authority> put(std::string_view name, std::string_view certificate);
    [[nodiscard]] base::Status remove(std::string_view name);
    [[nodiscard]] base::Result<std::optional<Authority>> find(std::string_view name) const;
    [[nodiscard]] base::Result<std::vector<Authority>> list() const;  // by name

  private:
    store::Database& database_;
    const base::Clock& clock_;
};

}  // namespace mitral::cloud::hub
