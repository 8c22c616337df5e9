#pragma once

#include "cloud/front/transport.hpp"

namespace mitral::cloud::time {

class Responder;

// Roughtime over one TCP connection: requests one after the other, answers in their order. The
// first packet that is no proper request ends it, and so does silence.
class Stream final : public front::Protocol {
  public:
    Stream(front::Transport& transport, Responder& responder)
        : Protocol(transport), responder_(responder) {}
    [[nodiscard]] base::Result<std::size_t> on_bytes(base::ByteView input) override;

  private:
    Responder& responder_;
};

}  // namespace mitral::cloud::time
