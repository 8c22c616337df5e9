#pragma once

#include <cstddef>
#include <functional>
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
    // While silent, connections take bytes and throw them away unanswered. At its end those that
    // lost some are dropped: what follows on them would make no sense.
    void silence(bool silent);
    [[nodiscard]] bool silent() const noexcept { return silent_; }
    // Called for every connection that falls silent.
    void on_silenced(std::function<void()> notify) { notify_ = std::move(notify); }
    void note_silenced() const {
        if (notify_)
            notify_();
    }
    [[nodiscard]] std::size_t size() const noexcept { return connections_.size(); }

  private:
    std::unordered_set<Connection*> connections_;
    std::function<void()> notify_;
    bool silent_ = false;
};

}  // namespace mitral::cloud::mqtt
