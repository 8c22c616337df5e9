#include "cloud/mqtt/roster.hpp"

#include "cloud/mqtt/connection.hpp"

namespace mitral::cloud::mqtt {

std::size_t Roster::drop_all(std::string_view reason, std::string_view device) {
    return each_of(device, [reason](Connection& connection) { connection.drop(reason); });
}

std::size_t Roster::vanish(std::string_view device) {
    return each_of(device, [](Connection& connection) { connection.vanish(); });
}

template <typename Action>
std::size_t Roster::each_of(std::string_view device, Action action) {
    std::size_t concerned = 0;
    for (auto* connection : connections_) {
        if (!device.empty() && connection->device() != device)
            continue;
        action(*connection);
        ++concerned;
    }
    return concerned;
}

void Roster::silence(bool silent) {
    silent_ = silent;
    if (silent)
        return;
    for (auto* connection : connections_)
        if (connection->lost_bytes())
            connection->drop("bytes were lost while the hub was silent");
}

}  // namespace mitral::cloud::mqtt
