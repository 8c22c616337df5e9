// The listening sockets. A storm of connections is taken in pieces, and without descriptors left
// they wait in the kernel's queue.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "base/event_loop.hpp"
#include "base/fd.hpp"
#include "base/result.hpp"
#include "net/tls.hpp"

namespace mitral::intake::hl7 {

// A socket that listens already, and how its connections speak.
struct Listener {
    base::UniqueFd socket;
    std::shared_ptr<const net::TlsContext> tls;  // null: plain TCP
};

// Not thread-safe; lives on the loop's thread.
class Acceptor {
  public:
    using Handler = std::function<void(base::UniqueFd socket, const net::TlsContext* tls)>;

    Acceptor(base::EventLoop& loop, Listener listener, Handler accepted);
    ~Acceptor();
    Acceptor(const Acceptor&) = delete;
    Acceptor& operator=(const Acceptor&) = delete;

    [[nodiscard]] base::Status start();

  private:
    void accept_some();
    void pause();

    base::EventLoop& loop_;
    Listener listener_;
    Handler accepted_;
    bool watching_ = false;
    std::optional<base::EventLoop::TimerId> resume_timer_;
};

}  // namespace mitral::intake::hl7
