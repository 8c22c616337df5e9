// What mitral-timed asks of the vault: a question for the time authority, and to take its answer.
#pragma once

#include "vault/connection.hpp"

namespace mitral::vault {

class TimeClient {
  public:
    virtual ~TimeClient() = default;

    // not_provisioned, not_listed: there is nobody to ask.
    [[nodiscard]] virtual base::Result<base::Bytes> begin_time() = 0;
    // The earliest it can be now, Unix seconds. time_refused: no good answer; the question stays.
    [[nodiscard]] virtual base::Result<std::int64_t> take_time(base::ByteView answer) = 0;

    [[nodiscard]] static base::Result<std::unique_ptr<TimeClient>> connect(
        const std::string& socket_path, base::Milliseconds timeout = Client::usual_timeout);

  protected:
    TimeClient() = default;
};

}  // namespace mitral::vault
