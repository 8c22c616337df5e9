#pragma once

#include "base/bytes.hpp"
#include "cloud/faults.hpp"
#include "cloud/http/message.hpp"

namespace mitral::cloud::faults {

// Breaks a share of the answers while the fault `malformed` is on. How, its seed decides.
class Replies {
  public:
    explicit Replies(Faults& faults) : faults_(faults) {}  // outlives this

    // `packets`: whole MQTT packets that are about to leave. True: the connection ends behind them.
    [[nodiscard]] bool distort(base::Bytes& packets);
    // Streams and late answers are left alone.
    void distort(http::Response& response);

  private:
    Faults& faults_;
};

}  // namespace mitral::cloud::faults
