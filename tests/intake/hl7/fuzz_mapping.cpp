// A message of a monitor, under a code table and without one: whatever it says, its readings keep
// every bound, are the same the next time, and survive the spool.
#include <cstdlib>
#include <string>

#include "clinical/record.hpp"
#include "intake/hl7/code_table.hpp"
#include "intake/hl7/interpreter.hpp"

namespace {

using namespace mitral;
using namespace mitral::intake::hl7;

class Stand final : public Pseudonyms {
  public:
    std::optional<std::string> of(std::string_view id, std::string_view) override {
        return id.size() % 5 == 0 ? std::nullopt : std::optional(std::string(22, 'p'));
    }
};

void require(bool condition) {
    if (!condition)
        std::abort();
}

void check_record(const clinical::Reading& reading) {
    require(clinical::check(reading).has_value());
    base::Bytes record;
    clinical::append_record(reading, record);
    require(record.size() <= clinical::max_record_size);
    const auto back = clinical::decode_record(record);
    require(back && *back == reading);
}

const Dialect& dialect() {
    static const auto table = parse_code_table(R"([dialect]
name = "fuzz"
units = { "x" = "/min" }
absent = { "-1" = "error", "?" = "unknown" }
[[dialect.code]]
id = "1"
name = "A"
means = "MDC_TEMP"
unit = "Cel"
[[dialect.code]]
id = "2"
publish_as = "B"
unit = "ms"
rate = "100"
scale = "2"
)",
                                               "fuzz");
    require(table.has_value());
    return *table;
}

const Zone& zone() {
    static const auto paris = Zone::find("Europe/Paris");
    require(paris.has_value());
    return *paris;
}

void read_as(const Message& message, const Sender& sender) {
    const Arrival arrival{{1'767'258'000'000}, base::ClockState::synchronised};
    Stand pseudonyms;
    Interpreter interpreter(&pseudonyms);
    NotUnderstood counts;
    Findings findings;
    const auto readings = interpreter.read(message, sender, arrival, counts, &findings);
    NotUnderstood again;
    const auto same = interpreter.read(message, sender, arrival, again);
    require(readings.has_value() == same.has_value() && counts == again);
    if (!readings)
        return;
    require(*readings == *same);
    require(readings->size() <= Interpreter::max_readings);
    for (const auto& reading : *readings)
        check_record(reading);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    for (const auto part : split_batch(text)) {
        const auto message = Message::parse(part);
        if (!message)
            continue;
        Sender sender;
        sender.source = "icu-1";
        read_as(*message, sender);
        sender.dialect = &dialect();
        sender.zone = &zone();
        sender.beds.emplace("ICU^^7", "icu-7");
        read_as(*message, sender);
    }
    return 0;
}
