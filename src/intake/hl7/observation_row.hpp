// An OBX segment (HL7 v2.6 §7.4.2), as far as it says what was measured. Views. No I/O.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "intake/hl7/message.hpp"

namespace mitral::intake::hl7 {

class ObservationRow {
  public:
    ObservationRow(const Segment& segment, const Delimiters& delimiters,
                   std::uint16_t index) noexcept;

    [[nodiscard]] std::uint16_t index() const noexcept { return index_; }  // among the OBX, from 0
    [[nodiscard]] std::string_view type() const noexcept { return field(2); }
    [[nodiscard]] Part identifier() const noexcept { return part(3); }
    [[nodiscard]] std::string_view sub_id() const noexcept { return field(4); }
    [[nodiscard]] Part value() const noexcept { return part(5); }
    [[nodiscard]] Part unit() const noexcept { return part(6); }
    [[nodiscard]] Part flags() const noexcept { return part(8); }
    [[nodiscard]] std::string_view status() const noexcept { return field(11); }
    [[nodiscard]] std::string_view time() const noexcept { return field(14); }

    [[nodiscard]] bool has_samples() const noexcept { return type() == "NA" || type() == "MA"; }
    // A device, a channel: says where in the containment tree what follows stands.
    [[nodiscard]] bool is_containment() const noexcept {
        return type().empty() && value().empty() && unit().empty();
    }

  private:
    static constexpr std::size_t last_field = 14;

    [[nodiscard]] std::string_view field(std::size_t number) const noexcept {
        return fields_[number];
    }
    [[nodiscard]] Part part(std::size_t number) const noexcept {
        return {fields_[number], *delimiters_};
    }

    std::array<std::string_view, last_field + 1> fields_;
    const Delimiters* delimiters_;
    std::uint16_t index_;
};

}  // namespace mitral::intake::hl7
