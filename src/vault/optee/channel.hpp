// The way to the Trusted Application: one session, one command at a time.
#pragma once

#include <cstdint>
#include <memory>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "base/secret.hpp"

namespace mitral::vault::optee {

class Channel {
  public:
    virtual ~Channel() = default;

    // A command of trusted/protocol.h; the result is its reply, the status byte included, and may
    // hold a key. Fails with backend_unavailable when nobody answers: a later call may find the
    // trust zone again.
    [[nodiscard]] virtual base::Result<base::Secret> invoke(std::uint32_t command,
                                                            base::ByteView request) = 0;

  protected:
    Channel() = default;
};

// Over libteec, as the user this process runs as; /dev/tee0 and a tee-supplicant are needed.
// Connects when it is first used.
[[nodiscard]] std::unique_ptr<Channel> open_tee_channel();

}  // namespace mitral::vault::optee
