// One whole run: question from the vault, exchange, answer to the vault.
#pragma once

#include "timed/exchange.hpp"
#include "vault/time_client.hpp"

namespace mitral::timed {

// The earliest it can be now, Unix seconds. Errors: the vault's (time_refused when no answer was
// good, not_listed and not_provisioned when nobody is to be asked), or the network's.
[[nodiscard]] base::Result<std::int64_t> fetch(vault::TimeClient& vault, const Server& server,
                                               base::Milliseconds timeout);

}  // namespace mitral::timed
