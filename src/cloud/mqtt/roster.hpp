#pragma once

#include <cstddef>
#include <string_view>
#include <unordered_set>

namespace mitral::cloud::mqtt {

class Connection;

// All MQTT connections, admitted or not, so that a fault can end them.
class Roster {
  public:
    void add(Connection& connection) { connections_.insert(&connection); }
    void remove(Connection& connection) noexcept { connections_.erase(&connection); }
    // Cuts every connection off as a lost network would: nothing that is queued is sent any more.
    std::size_t drop_all(std::string_view reason);
    [[nodiscard]] std::size_t size() const noexcept { return connections_.size(); }

  private:
    std::unordered_set<Connection*> connections_;
};

}  // namespace mitral::cloud::mqtt
