// What the performatives of a peer may say (AMQP 1.0 part 2, § 2.7). The library takes some things
// for granted that a peer can break; what it refuses itself is not looked at here.
#pragma once

#include <cstdint>
#include <set>
#include <utility>

#include "base/bytes.hpp"
#include "base/result.hpp"

namespace mitral::cloud::amqp {

class PeerRules {
  public:
    // Of a transfer, the start of a frame's body of this length is judged; of others all of it.
    static constexpr std::size_t transfer_start = 128;

    // True when these bytes begin a transfer.
    [[nodiscard]] static bool is_transfer(base::ByteView body);
    // The next frame's body, or the start of a transfer's. Fails with malformed_packet on:
    // what is no performative;
    // a second open;
    // a session that answers one of ours, since we begin none, or is begun twice, or not ended;
    // a link under a handle in use or above the highest one;
    // a transfer that neither names its delivery nor goes on with one (§ 2.7.5);
    // a disposition of a range that says nothing in the end, or much.
    [[nodiscard]] base::Status judge(std::uint16_t channel, base::ByteView body);

  private:
    using Link = std::pair<std::uint16_t, std::uint32_t>;  // channel, handle
    [[nodiscard]] base::Status judge_begin(std::uint16_t channel, base::ByteView list);
    [[nodiscard]] base::Status judge_end(std::uint16_t channel);
    [[nodiscard]] base::Status judge_attach(std::uint16_t channel, base::ByteView list);
    [[nodiscard]] base::Status judge_detach(std::uint16_t channel, base::ByteView list);
    [[nodiscard]] base::Status judge_transfer(std::uint16_t channel, base::ByteView body);

    bool opened_ = false;
    std::set<std::uint16_t> sessions_;
    std::set<Link> links_;
    std::set<Link> under_way_;  // with a delivery of several transfers
};

}  // namespace mitral::cloud::amqp
