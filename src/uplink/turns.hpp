// Who may send next: alerts, then what is written now, then what had piled up. Who waits is not
// starved: one message of eight goes to the data while alerts wait, and of the data's one of eight
// to the backlog while live messages wait. No I/O. Not thread-safe.
#pragma once

#include <array>
#include <cstdint>

namespace mitral::uplink {

enum class Urgency : std::uint8_t { alert, live, backlog };

class Turns {
  public:
    static constexpr std::uint32_t share = 8;
    using Order = std::array<Urgency, 3>;

    // To be asked in this order for something to send.
    [[nodiscard]] Order order() const noexcept;
    void sent(Urgency urgency) noexcept;
    // It was asked in vain.
    void had_none(Urgency urgency) noexcept;

  private:
    std::uint32_t alerts_in_a_row_ = 0;
    std::uint32_t live_in_a_row_ = 0;  // whatever alerts went between
};

}  // namespace mitral::uplink
