#pragma once

#include <memory>

#include "base/clock.hpp"
#include "base/event_loop.hpp"
#include "base/fd.hpp"
#include "cloud/settings.hpp"

namespace mitral::cloud {

struct Ports {
    std::uint16_t mqtt = 0;
    std::uint16_t https = 0;
    std::uint16_t amqp = 0;  // 0: none
    std::uint16_t admin = 0;
    std::uint16_t files = 0;  // 0: not open
    std::uint16_t time = 0;   // 0: no time service
};

// Bound before the process gives up its rights: low ports need them.
struct Sockets {
    base::UniqueFd mqtt;
    base::UniqueFd https;
    base::UniqueFd amqp;
    base::UniqueFd admin;
    base::UniqueFd files;
    base::UniqueFd time_tcp;  // these two only with a time port
    base::UniqueFd time_udp;
};
[[nodiscard]] base::Result<Sockets> bind_sockets(const Settings& settings);

// The whole local Azure in one process, wired together. Runs on the loop that it is given.
class Server {
  public:
    // Opens state and ports, makes certificates, and is ready: clients may connect as soon as the
    // loop runs.
    [[nodiscard]] static base::Result<std::unique_ptr<Server>> start(base::EventLoop& loop,
                                                                     const base::Clock& clock,
                                                                     const Settings& settings,
                                                                     Sockets sockets);
    virtual ~Server() = default;
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;

    [[nodiscard]] virtual Ports ports() const = 0;

  protected:
    Server() = default;
};

}  // namespace mitral::cloud
