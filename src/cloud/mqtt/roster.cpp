#include "cloud/mqtt/roster.hpp"

#include "cloud/mqtt/connection.hpp"

namespace mitral::cloud::mqtt {

std::size_t Roster::drop_all(std::string_view reason) {
    for (auto* connection : connections_)
        connection->drop(reason);
    return connections_.size();
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
