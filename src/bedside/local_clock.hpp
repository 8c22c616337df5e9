// The clock on a monitor's screen: HL7 times (v2.6 §2.A.22) in the monitor's zone.
#pragma once

#include <memory>
#include <string>

#include "base/clock.hpp"
#include "base/result.hpp"

namespace mitral::bedside {

class LocalClock {
  public:
    // An IANA name ("Europe/Paris"); empty: UTC.
    [[nodiscard]] static base::Result<LocalClock> in(const std::string& zone);
    LocalClock(LocalClock&&) noexcept;
    LocalClock& operator=(LocalClock&&) noexcept;
    ~LocalClock();

    // "20261122101612.345+0100", with or without fraction and zone.
    [[nodiscard]] std::string text(base::WallTime time, bool milliseconds, bool zone);

  private:
    struct State;
    explicit LocalClock(std::unique_ptr<State> state) noexcept;
    std::unique_ptr<State> state_;
};

}  // namespace mitral::bedside
