#include "intake/hl7/refused_peers.hpp"

#include "base/log.hpp"

namespace mitral::intake::hl7 {

void RefusedPeers::note(const net::Address& address, std::string_view reason,
                        std::string_view source) {
    ++total_;
    const auto now = clock_.monotonic();
    const Kind kind(address, reason);
    if (told_.size() >= max_told)
        std::erase_if(told_, [&](const auto& entry) { return now - entry.second.at >= quiet; });
    auto found = told_.find(kind);
    if (found != told_.end() && now - found->second.at < quiet) {
        ++found->second.since;
        return;
    }
    if (found == told_.end()) {
        if (told_.size() >= max_told)
            return;
        found = told_.try_emplace(kind).first;
    }
    found->second.at = now;
    base::log_security("peer-cut-off", {{"address", address.to_text()},
                                        {"source", source},
                                        {"reason", reason},
                                        {"untold", std::exchange(found->second.since, 0)}});
}

}  // namespace mitral::intake::hl7
