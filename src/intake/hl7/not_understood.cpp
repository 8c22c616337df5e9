#include "intake/hl7/not_understood.hpp"

namespace mitral::intake::hl7 {

const std::array<NamedCounter, 11>& not_understood_counters() noexcept {
    static constexpr std::array<NamedCounter, 11> counters{
        {{"codes", &NotUnderstood::codes},
         {"conflicting-codes", &NotUnderstood::conflicting_codes},
         {"units", &NotUnderstood::units},
         {"texts", &NotUnderstood::texts},
         {"values", &NotUnderstood::values},
         {"waves", &NotUnderstood::waves},
         {"times", &NotUnderstood::times},
         {"segments", &NotUnderstood::segments},
         {"beds", &NotUnderstood::beds},
         {"subjects", &NotUnderstood::subjects},
         {"character-sets", &NotUnderstood::character_sets}}};
    static_assert(sizeof(NotUnderstood) == counters.size() * sizeof(std::uint64_t));
    return counters;
}

std::uint64_t NotUnderstood::total() const noexcept {
    std::uint64_t sum = 0;
    for (const auto& [name, counter] : not_understood_counters())
        sum += this->*counter;
    return sum;
}

NotUnderstood& NotUnderstood::operator+=(const NotUnderstood& other) noexcept {
    for (const auto& [name, counter] : not_understood_counters())
        this->*counter += other.*counter;
    return *this;
}

}  // namespace mitral::intake::hl7
