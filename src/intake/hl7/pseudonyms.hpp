// Who stands for a patient's id outside of the ward.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace mitral::intake::hl7 {

class Pseudonyms {
  public:
    virtual ~Pseudonyms() = default;
    // 22 characters of base64url that stand for PID-3.1 and PID-3.4.1, the same ones every time.
    // nullopt: none can be had now. Implementations cache.
    [[nodiscard]] virtual std::optional<std::string> of(std::string_view patient_id,
                                                        std::string_view authority) = 0;
};

}  // namespace mitral::intake::hl7
