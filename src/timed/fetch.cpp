#include "timed/fetch.hpp"

#include <optional>

#include "vault/errors.hpp"

namespace mitral::timed {

base::Result<std::int64_t> fetch(vault::TimeClient& vault, const Server& server,
                                 base::Milliseconds timeout) {
    MITRAL_TRY(const auto question, vault.begin_time());
    std::int64_t earliest = 0;
    std::optional<base::Error> refusal;
    const auto heard =
        exchange(server, question, timeout, [&](base::ByteView answer) -> base::Result<bool> {
            const auto taken = vault.take_time(answer);
            if (!taken && taken.error().code == vault::VaultError::time_refused) {
                refusal = taken.error();
                return false;
            }
            if (!taken)
                return std::unexpected(taken.error());
            earliest = *taken;
            return true;
        });
    if (heard)
        return earliest;
    // What was wrong with the answers says more than that no other came.
    return std::unexpected(refusal ? *refusal : heard.error());
}

}  // namespace mitral::timed
