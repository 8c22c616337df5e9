// Who may ask for what: a right is (peer uid, identity, operation). Peers are known by the kernel's
// word (SO_PEERCRED), never by their own.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "vault/protocol.hpp"

namespace mitral::vault {

struct PeerRights {
    uid_t uid = 0;
    std::vector<Operation> may;
    // Whose tokens mint-hub gives: "" is the device itself, otherwise a module id.
    std::vector<std::string> identities{std::string()};
};

class RightsTable {
  public:
    RightsTable() = default;
    explicit RightsTable(std::vector<PeerRights> peers) : peers_(std::move(peers)) {}

    [[nodiscard]] bool allows(uid_t uid, const Request& request) const;
    [[nodiscard]] bool knows(uid_t uid) const;

  private:
    std::vector<PeerRights> peers_;
};

}  // namespace mitral::vault
