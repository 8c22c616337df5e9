#pragma once

#include <sys/socket.h>

#include <memory>

#include "base/event_loop.hpp"
#include "base/fd.hpp"
#include "cloud/front/transport.hpp"
#include "cloud/time/authority.hpp"
#include "cloud/time/rate_limit.hpp"

namespace mitral::cloud::time {

// Binds a UDP socket to the address and port that a TCP socket listens on.
[[nodiscard]] base::Result<base::UniqueFd> bind_beside(int tcp_socket);

// Answers Roughtime requests: over UDP all that lie in the socket's queue in one loop pass, up to a
// batch, with one signature; over TCP all that one read brought. What is no proper request gets no
// answer. Both share one rate.
class Responder {
  public:
    static constexpr std::int64_t answers_per_second = 5000;

    struct Counters {
        std::uint64_t answers = 0;
        std::uint64_t ignored = 0;  // no proper requests
        std::uint64_t limited = 0;  // beyond the rate
    };

    [[nodiscard]] static base::Result<std::unique_ptr<Responder>> open(base::EventLoop& loop,
                                                                       const base::Clock& clock,
                                                                       Authority authority,
                                                                       base::UniqueFd udp_socket);
    Responder(const Responder&) = delete;
    Responder& operator=(const Responder&) = delete;
    ~Responder();

    // For the TCP listener; the connections must not outlive this.
    [[nodiscard]] std::unique_ptr<front::Protocol> connection(front::Transport& transport);
    [[nodiscard]] const Counters& counters() const noexcept { return counters_; }

    // At most Authority::max_batch packets; an empty answer where there is none to give.
    [[nodiscard]] std::vector<base::Bytes> answer(const std::vector<base::ByteView>& packets);

  private:
    Responder(base::EventLoop& loop, const base::Clock& clock, Authority authority,
              base::UniqueFd socket);
    void serve_datagrams();

    base::EventLoop& loop_;
    const base::Clock& clock_;
    Authority authority_;
    base::UniqueFd socket_;
    RateLimit rate_;
    Counters counters_;
};

}  // namespace mitral::cloud::time
