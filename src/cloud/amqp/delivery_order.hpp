// Which deliveries of a peer are under way, and whether its next transfer may follow. The library
// takes for granted that the first transfer of a delivery names it, and ends the process when it
// does not; any other that breaks the order it refuses itself.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"

namespace mitral::cloud::amqp {

class DeliveryOrder {
  public:
    // As much of a frame's body as judge() wants to see: what stands before a transfer's state.
    static constexpr std::size_t judged_bytes = 96;

    // The start of the next frame's body: judged_bytes of it, or all when it is shorter. Fails with
    // malformed_packet on what is no performative (AMQP 1.0 part 2, § 2.7), and on a transfer that
    // neither names its delivery nor goes on with one (§ 2.7.5).
    [[nodiscard]] base::Status judge(std::uint16_t channel, base::ByteView start);

  private:
    struct Delivery {
        std::uint16_t channel = 0;
        std::uint32_t handle = 0;
        bool operator==(const Delivery&) const = default;
    };
    [[nodiscard]] base::Status judge_transfer(std::uint16_t channel, base::ByteView fields);

    std::vector<Delivery> under_way_;
};

}  // namespace mitral::cloud::amqp
