#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cloud/store/database.hpp"

namespace mitral::cloud::hub {

// Persistent MQTT sessions: which filters a client asked for. Microsoft's Node SDK subscribes once
// and relies on this after every renewal of its token.
class SessionStore {
  public:
    explicit SessionStore(store::Database& database) : database_(database) {}

    struct Opened {
        bool present = false;  // an older session goes on
        std::vector<std::string> filters{};
    };
    // A clean session forgets what was stored and stores nothing.
    [[nodiscard]] base::Result<Opened> open(std::string_view client, bool clean);
    [[nodiscard]] base::Status add(std::string_view client, std::string_view filter,
                                   std::uint8_t qos);
    [[nodiscard]] base::Status remove(std::string_view client, std::string_view filter);

  private:
    [[nodiscard]] base::Result<std::vector<std::string>> filters(std::string_view client) const;
    [[nodiscard]] base::Status forget(std::string_view client);

    store::Database& database_;
};

}  // namespace mitral::cloud::hub
