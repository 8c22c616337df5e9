#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cloud/hub/twin_document.hpp"
#include "cloud/store/database.hpp"

namespace mitral::cloud::hub {

struct TwinName {
    std::string_view device;
    std::string_view module{};  // empty: the device itself
};

struct Twin {
    std::string device{};
    std::string module{};
    // Of the device's identity, which its modules share here.
    std::string device_etag{};
    bool enabled = true;
    std::string status_reason{};
    base::WallTime status_updated{};
    std::string auth_type{};
    std::string primary_thumbprint{};
    std::string secondary_thumbprint{};
    std::int64_t waiting_messages = 0;  // cloud-to-device; of a module always 0
    bool edge = false;

    std::int64_t revision = 1;  // counts changes of tags and desired properties: the etag
    std::int64_t version = 2;   // counts all changes
    std::string model{};        // model id of the last connection that named one
    std::string tags = "{}";
    TwinSection desired{};
    TwinSection reported{};

    [[nodiscard]] std::string etag() const;
    [[nodiscard]] TwinName name() const { return {device, module}; }
};

struct TwinChange {
    // JSON objects; none: left alone.
    std::optional<std::string> tags{};
    std::optional<std::string> desired{};
    bool replace = false;  // instead of merging
};

// Whether a new twin would take the change. Fails as patched().
[[nodiscard]] base::Status check_change(const TwinChange& change);

struct TwinUpdate {
    Twin twin;
    std::string pushed{};  // merge patch for the connected client; empty: desired is as it was
};

// Twins as IoT Hub keeps them: a device or module has one as long as it is in the registry. Each
// change is one statement: a crash leaves the old or the new twin.
class Twins {
  public:
    Twins(store::Database& database, const base::Clock& clock)
        : database_(database), clock_(clock) {}

    // Fails with not_found.
    [[nodiscard]] base::Result<Twin> find(TwinName name) const;
    // By the service. `etag` "*" matches any. Fails with not_found, stale_etag, and as patched().
    [[nodiscard]] base::Result<TwinUpdate> update(TwinName name, const TwinChange& change,
                                                  std::string_view etag);
    // By the device; yields the new version of its reported properties.
    [[nodiscard]] base::Result<std::int64_t> report(TwinName name, std::string_view patch);
    // The model that a client named when it connected. Fails with not_found.
    [[nodiscard]] base::Status note_model(TwinName name, std::string_view model);

    // `look` is called with each twin after it has changed in the database.
    void observe(std::function<void(const Twin&)> look) { observer_ = std::move(look); }

    [[nodiscard]] base::WallTime now() const { return clock_.wall(); }

    enum class Of : std::uint8_t { devices, modules };
    // At most `limit` twins in the order of their names, behind `after`.
    [[nodiscard]] base::Result<std::vector<Twin>> page(Of kind, TwinName after,
                                                       std::size_t limit) const;

  private:
    [[nodiscard]] base::Status store(const Twin& twin);

    void tell(const Twin& twin) const {
        if (observer_)
            observer_(twin);
    }

    store::Database& database_;
    const base::Clock& clock_;
    std::function<void(const Twin&)> observer_;
};

}  // namespace mitral::cloud::hub
