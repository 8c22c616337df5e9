// Segment keys from the vault. A connection per key: keys are asked for once a segment, and a vault
// that was restarted in between is simply met again.
#pragma once

#include <string>
#include <utility>

#include "spool/keys.hpp"
#include "vault/client.hpp"

namespace mitral::intake {

class VaultKeyIssuer final : public spool::KeyIssuer {
  public:
    explicit VaultKeyIssuer(std::string socket) : socket_(std::move(socket)) {}

    base::Result<spool::SegmentKey> new_segment_key() override {
        MITRAL_TRY(const auto client, vault::Client::connect(socket_));
        MITRAL_TRY(auto key, client->new_data_key());
        return spool::SegmentKey{std::move(key.key), std::move(key.wrapped)};
    }

  private:
    std::string socket_;
};

}  // namespace mitral::intake
