#pragma once

#include <cstddef>
#include <functional>
#include <string_view>
#include <unordered_set>

#include "base/bytes.hpp"

namespace mitral::cloud::mqtt {

class Connection;

// All MQTT connections, admitted or not, so that a fault can end them.
class Roster {
  public:
    void add(Connection& connection) { connections_.insert(&connection); }
    void remove(Connection& connection) noexcept { connections_.erase(&connection); }
    // Cuts every connection off as a lost network would: nothing that is queued is sent any more.
    // Of one device, if one is named.
    std::size_t drop_all(std::string_view reason, std::string_view device = {});
    // Lets the hub vanish from these connections without a word; how many that were.
    std::size_t vanish(std::string_view device);
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
    // Looks at whole packets before they leave; may change them, and asks with true for the
    // connection's end behind them.
    void set_distortion(std::function<bool(base::Bytes&)> distort) {
        distort_ = std::move(distort);
    }
    [[nodiscard]] bool distort(base::Bytes& packets) const { return distort_ && distort_(packets); }
    [[nodiscard]] std::size_t size() const noexcept { return connections_.size(); }

  private:
    template <typename Action>
    std::size_t each_of(std::string_view device, Action action);

    std::unordered_set<Connection*> connections_;
    std::function<void()> notify_;
    std::function<bool(base::Bytes&)> distort_;
    bool silent_ = false;
};

}  // namespace mitral::cloud::mqtt
