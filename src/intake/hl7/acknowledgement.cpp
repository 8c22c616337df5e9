#include "intake/hl7/acknowledgement.hpp"

#include <algorithm>
#include <initializer_list>
#include <utility>

#include "intake/hl7/mllp_decoder.hpp"
#include "intake/hl7/number.hpp"

namespace mitral::intake::hl7 {
namespace {

// MSH-15 and MSH-16, table 0155.
bool wants(std::string_view condition, Verdict verdict) noexcept {
    if (condition.empty() || condition == "NE")
        return false;
    if (condition == "ER")
        return verdict != Verdict::accepted;
    if (condition == "SU")
        return verdict == Verdict::accepted;
    return true;  // AL; whoever says what the table does not know may wait for an answer for ever
}

std::string_view condition_of(const Part& field) noexcept {
    return field.is_null() ? std::string_view{} : trimmed(field.component(1).raw());
}

// We only ever say what happened to the message as a whole, so one answer serves: the commit
// acknowledgement where it is asked for, the application's otherwise.
std::optional<std::string_view> code_for(const Segment& header, Verdict verdict) noexcept {
    const auto accept = condition_of(header.field(15));
    const auto application = condition_of(header.field(16));
    const auto index = static_cast<std::size_t>(verdict);
    if (accept.empty() && application.empty())
        return std::string_view("AAAEAR").substr(2 * index, 2);
    if (wants(accept, verdict))
        return std::string_view("CACECR").substr(2 * index, 2);
    if (wants(application, verdict))
        return std::string_view("AAAEAR").substr(2 * index, 2);
    return std::nullopt;
}

// "2026-11-22T10:16:12.345Z" as HL7 writes it.
std::string to_hl7_time(base::WallTime now) {
    auto text = base::to_iso8601(now);
    std::erase_if(text, [](char c) { return c == '-' || c == ':' || c == 'T' || c == 'Z'; });
    return text + "+0000";
}

}  // namespace

std::optional<std::string> acknowledge(const Segment& header, Verdict verdict,
                                       std::string_view reason, base::WallTime now,
                                       std::string_view own_control_id) {
    const auto code = code_for(header, verdict);
    if (!code)
        return std::nullopt;
    const auto separator = header.field(1).raw();
    std::string out(1, frame_start);
    const auto fields = [&](std::initializer_list<std::string_view> values) {
        bool first = true;
        for (const auto value : values) {
            if (!std::exchange(first, false))
                out.append(separator);
            out.append(value);
        }
        out.push_back('\r');
    };
    const auto trigger = header.field(9).component(2).raw();
    const auto component = header.field(2).raw().substr(0, 1);
    std::string type("ACK");
    if (!trigger.empty())
        type.append(component).append(trigger).append(component).append("ACK");
    const auto version = header.field(12).component(1).raw();
    // MSH-1 is the separator itself: "MSH" and MSH-2 stand on either side of it.
    fields({"MSH", header.field(2).raw(), header.field(5).raw(), header.field(6).raw(),
            header.field(3).raw(), header.field(4).raw(), to_hl7_time(now), "", type,
            own_control_id, header.field(11).raw(), version.empty() ? "2.6" : version});
    if (reason.empty())
        fields({"MSA", *code, header.field(10).raw()});
    else
        fields({"MSA", *code, header.field(10).raw(), reason});
    out.push_back(frame_end);
    out.push_back(frame_trailer);
    return out;
}

}  // namespace mitral::intake::hl7
