#include "cloud/mqtt/roster.hpp"

#include "cloud/mqtt/connection.hpp"

namespace mitral::cloud::mqtt {

std::size_t Roster::drop_all(std::string_view reason) {
    for (auto* connection : connections_)
        connection->drop(reason);
    return connections_.size();
}

}  // namespace mitral::cloud::mqtt
