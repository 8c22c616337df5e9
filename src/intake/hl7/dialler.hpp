// Keeps a connection to a monitor that is the server: dials, asks, and dials again.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/clock.hpp"
#include "base/event_loop.hpp"
#include "base/fd.hpp"
#include "intake/hl7/server.hpp"
#include "net/connect.hpp"
#include "net/tls.hpp"

namespace mitral::intake::hl7 {

enum class Query : std::uint8_t { none, mindray };

struct DialPlan {
    net::Endpoint target;                        // numeric
    std::shared_ptr<const net::TlsContext> tls;  // null: plain TCP
    std::string name;                            // in its certificate
    Query query = Query::none;
    base::Milliseconds query_interval{60'000};
    // Between attempts: the first wait, doubled for each one in vain.
    base::Milliseconds shortest_wait{1'000};
    base::Milliseconds longest_wait{60'000};
    base::Milliseconds connect_timeout{10'000};
};

// Not thread-safe; lives on the loop's thread. The server outlives it.
class Dialler {
  public:
    Dialler(base::EventLoop& loop, const base::Clock& clock, Server& server, Monitor& monitor,
            DialPlan plan);
    ~Dialler();
    Dialler(const Dialler&) = delete;
    Dialler& operator=(const Dialler&) = delete;

    void start();

  private:
    void dial();
    void connected();
    void hand_over(net::Stream stream);
    void failed(const std::string& why);
    void gone(bool useful);
    void wait_and_dial();
    void ask(ConnectionKey key);
    void stop_connecting();

    base::EventLoop& loop_;
    const base::Clock& clock_;
    Server& server_;
    Monitor& monitor_;
    DialPlan plan_;
    base::UniqueFd connecting_;
    std::optional<base::EventLoop::TimerId> timer_;  // to dial, to give up, or to ask again
    base::Milliseconds wait_;
    bool told_ = false;  // that it cannot be reached
    std::uint64_t queries_ = 0;
};

}  // namespace mitral::intake::hl7
