#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cloud/hub/authentication.hpp"
#include "cloud/store/database.hpp"

namespace mitral::cloud::hub {

struct Module {
    std::string device{};
    std::string id{};
    std::string generation{};
    std::string etag{};
    std::string managed_by{};
    Authentication authentication{};
};

// Identities of modules, each with an authentication of its own. They go with their device.
class Modules {
  public:
    static constexpr std::size_t max_of_a_device = 50;

    explicit Modules(store::Database& database) : database_(database) {}

    // Makes generation, etag and empty keys. Fails with not_found (the device), already_exists,
    // invalid_argument, throttled above max_of_a_device.
    [[nodiscard]] base::Result<Module> create(Module module);
    // `etag` "*" matches any; empty keys and thumbprints stay. Fails with not_found, stale_etag,
    // invalid_argument.
    [[nodiscard]] base::Result<Module> update(Module module, std::string_view etag);
    [[nodiscard]] base::Status remove(std::string_view device, std::string_view id,
                                      std::string_view etag);

    [[nodiscard]] base::Result<std::optional<Module>> find(std::string_view device,
                                                           std::string_view id) const;
    [[nodiscard]] base::Result<std::vector<Module>> list(std::string_view device) const;  // by id

  private:
    [[nodiscard]] base::Result<Module> existing(std::string_view device, std::string_view id,
                                                std::string_view etag) const;
    [[nodiscard]] base::Status store(const Module& module);

    store::Database& database_;
};

}  // namespace mitral::cloud::hub
