// What a message of a monitor says: readings in our nomenclature. Only numbers, times and what
// stands in our own tables leaves a message; the rest is counted and forgotten
// (docs/decisions/0006). Rules: docs/formats/hl7-1.md. No I/O but what Pseudonyms does.
#pragma once

#include <expected>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "clinical/observation.hpp"
#include "intake/hl7/dialect.hpp"
#include "intake/hl7/message.hpp"
#include "intake/hl7/not_understood.hpp"
#include "intake/hl7/pseudonyms.hpp"
#include "intake/hl7/zone.hpp"

namespace mitral::intake::hl7 {

// What is known of a monitor beside its messages; outlives the Interpreter's use of it.
struct Sender {
    std::string source;  // an identifier of clinical/identifier.hpp
    std::map<std::string, std::string, std::less<>> beds;  // PV1-3 as sent → source
    const Dialect* dialect = nullptr;                      // null: only the standard codes
    const Zone* zone = nullptr;  // null: times without a zone are not used
    base::Milliseconds clock_tolerance{60'000};
};

// When the gateway received a message, and how it stands with its clock.
struct Arrival {
    base::WallTime received;
    base::ClockState clock = base::ClockState::free_running;
};

// Not thread-safe, because Pseudonyms is not.
class Interpreter {
  public:
    // A message that would become more readings is refused.
    static constexpr std::size_t max_readings = 1024;

    // Null: readings go without a subject.
    explicit Interpreter(Pseudonyms* pseudonyms = nullptr) noexcept;

    // The readings of one message, each fit for ReadingStore::put: clinical::check holds and the
    // record is at most max_record_size long. Unusable: not a report of observations, one for
    // training, or one of which nothing can be kept because its bed is unknown. A message of which
    // nothing is understood is no error: no readings, counted. `findings`: what was counted of
    // which OBX, appended.
    [[nodiscard]] std::expected<std::vector<clinical::Reading>, Unusable> read(
        const Message& message, const Sender& sender, const Arrival& arrival, NotUnderstood& counts,
        Findings* findings = nullptr);

  private:
    Pseudonyms* pseudonyms_;
};

// What names a message for ever: lower-case hex of the first 16 bytes of SHA-256 over MSH-3, 00,
// MSH-10, 00, MSH-7, or over the whole text where MSH-10 is empty or the dialect says that it names
// nothing.
[[nodiscard]] std::string control_id_of(const Message& message, const Dialect* dialect);

// What the sender's clock showed: MSH-7. nullopt: not said, or without a zone where none is set.
[[nodiscard]] std::optional<base::WallTime> sent_at(const Message& message, const Zone* zone,
                                                    base::WallTime received);

}  // namespace mitral::intake::hl7
