// Requests for a device's logs: an operation, and how far each of its devices
// is. Where the logs go would be a storage account; a device is told the
// operation alone.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "cloud/hub/twins.hpp"
#include "cloud/store/database.hpp"

namespace mitral::cloud::adu {

struct LogCollection {
    std::string id{};
    std::string description{};
    base::WallTime created{};
};

struct LogDevice {
    std::string device{};
    std::string module{};
    std::string status = "Running";  // Succeeded, Failed
    std::string result_code{};
    std::string extended_code{};
    base::WallTime updated{};
};

class LogCollections {
  public:
    static constexpr std::size_t max_devices = 100;

    LogCollections(store::Database& database, const base::Clock& clock)
        : database_(database), clock_(clock) {}

    // Fails with already_exists.
    [[nodiscard]] base::Result<LogCollection> add(LogCollection collection,
                                                  const std::vector<LogDevice>& devices);
    [[nodiscard]] base::Result<std::optional<LogCollection>> find(std::string_view id) const;
    [[nodiscard]] base::Result<std::vector<LogCollection>> list() const;  // newest first
    [[nodiscard]] base::Result<std::vector<LogDevice>> devices(std::string_view id) const;
    // What reported.diagnosticInformation.agent says:
    // {"operationId","resultCode",…}.
    [[nodiscard]] base::Status follow(hub::TwinName name, std::string_view diagnostics);

  private:
    [[nodiscard]] base::Status save(std::string_view collection, const LogDevice& device);

    store::Database& database_;
    const base::Clock& clock_;
};

}  // namespace mitral::cloud::adu
