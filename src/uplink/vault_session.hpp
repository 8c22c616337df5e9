// The two things the uplink wants of the vault, over a connection that is made again when the vault
// was restarted. Blocking; one per thread.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "spool/keys.hpp"
#include "vault/client.hpp"

namespace mitral::uplink {

class VaultSession final : public spool::KeyOpener {
  public:
    using Connect = std::function<base::Result<std::unique_ptr<vault::Client>>()>;
    explicit VaultSession(Connect connect) : connect_(std::move(connect)) {}

    [[nodiscard]] base::Result<vault::Token> mint(const std::string& hub, base::Seconds lifetime);
    [[nodiscard]] base::Result<base::Secret> open_segment_key(base::ByteView wrapped) override;

  private:
    template <typename Call>
    auto ask(Call call) -> decltype(call(std::declval<vault::Client&>()));

    Connect connect_;
    std::unique_ptr<vault::Client> client_;
};

}  // namespace mitral::uplink
