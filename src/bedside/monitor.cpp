#include "bedside/monitor.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "bedside/digest.hpp"

namespace mitral::bedside {
namespace {

constexpr char slot(Slot which) {
    return static_cast<char>(which);
}

std::string base36(std::uint64_t number) {
    constexpr std::string_view digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    std::string text;
    do {
        text += digits[number % 36];
        number /= 36;
    } while (number > 0);
    std::ranges::reverse(text);
    return text;
}

std::string_view character_set(Letters letters) {
    switch (letters) {
        case Letters::utf8:
            return "UNICODE UTF-8";
        case Letters::latin1:
            return "8859/1";
        case Letters::ascii:
            break;
    }
    return "";
}

std::string order_of(const Dialect& dialect) {
    return dialect.codes == Codes::mdc ? "182777000^monitoring of patient^SCT"
                                       : fmt::format("VITALS^VITALS^{}", private_system);
}

}  // namespace

base::Result<Monitor> Monitor::create(const BedPlan& plan, std::uint64_t seed, std::size_t number,
                                      base::WallTime started, const Repertoire& repertoire) {
    MITRAL_TRY(auto clock, LocalClock::in(plan.zone));
    Monitor monitor(plan, std::move(clock), repertoire);
    monitor.person_ = invent_person(seed, number, plan.dialect->letters);
    monitor.sender_ = plan.dialect->containment
                          ? fmt::format("BEDSIDE^{:016X}^EUI-64", 0x0002040000000000ULL + number)
                          : fmt::format("MON{}", number);
    monitor.run_ =
        base36(static_cast<std::uint64_t>(started.ms)) + base36(number % (36 * 36 * 36)) + "-";
    monitor.vitals_header_ = monitor.header(Lane::vitals);
    monitor.wave_header_ = monitor.header(Lane::waves);
    if (plan.remarks)
        monitor.remark_ = fmt::format("OBX|999|ST|0^REMARK^L||{} {} slept well|||||||F\r",
                                      monitor.person_.given, monitor.person_.family);
    return monitor;
}

std::string Monitor::header(Lane lane) const {
    const Dialect& dialect = *plan_->dialect;
    const auto event = lane == Lane::vitals ? dialect.event : dialect.wave_event;
    std::string text =
        fmt::format("MSH|{}|{}|WARD|||{}||{}|{}|P|{}|||{}|{}||{}|||{}", dialect.encoding, sender_,
                    slot(Slot::now), event, slot(Slot::control_id), dialect.version, dialect.accept,
                    dialect.application, character_set(dialect.letters), dialect.profile);
    text.erase(text.find_last_not_of('|') + 1);
    text += fmt::format("\rPID|||{}^^^HOSP^PI||{}^{}||{}|{}\r", person_.id, person_.family,
                        person_.given, person_.birth, person_.sex);
    text += fmt::format("PV1||I|ICU^{}^{}\r", plan_->source, plan_->source);
    text += fmt::format("OBR|1|{0}^MON|{0}^MON|{1}|||{2}", slot(Slot::control_id),
                        order_of(dialect), slot(Slot::observed));
    if (lane == Lane::waves)
        text += fmt::format("|{}", slot(Slot::now));
    return text + '\r';
}

std::string Monitor::time_text(base::WallTime time) {
    return clock_.text(time, plan_->dialect->milliseconds, plan_->dialect->zone);
}

base::WallTime Monitor::time_of(Slot which, const Message& message) const {
    base::WallTime time = message.now;
    if (which == Slot::observed)
        time.ms -= message.script->window.count();
    else if (which == Slot::cuff)
        time.ms -= cuff_age.count();
    if (!plan_->dialect->milliseconds)
        time.ms -= time.ms % 1000;
    return time;
}

std::string Monitor::fill(std::string_view text, const Message& message) {
    std::array<std::string, 5> filling;  // by slot
    filling[static_cast<std::size_t>(Slot::control_id)] = message.control_id;
    for (const auto which : {Slot::now, Slot::observed, Slot::cuff})
        filling[static_cast<std::size_t>(which)] = time_text(time_of(which, message));
    std::string out;
    out.reserve(text.size() + 512);
    std::size_t from = 0;
    for (std::size_t at = 0; at < text.size(); ++at) {
        const auto byte = static_cast<unsigned char>(text[at]);
        if (byte == 0 || byte >= filling.size())
            continue;
        out.append(text, from, at - from).append(filling[byte]);
        from = at + 1;
    }
    return out.append(text, from);
}

Message Monitor::say(Lane lane, base::WallTime now) {
    Message message;
    message.now = {now.ms + plan_->clock_offset.count()};
    message.script = lane == Lane::vitals ? &repertoire_->vitals(plan_->first_row + said_vitals_++)
                                          : &repertoire_->waves(said_waves_++);
    message.control_id = run_ + base36(++serial_);
    message.identity =
        message_identity(sender_, message.control_id, time_text(time_of(Slot::now, message)));
    const auto& header = lane == Lane::vitals ? vitals_header_ : wave_header_;
    message.text = fill(header + message.script->segments, message) + remark_;
    if (!plan_->dialect->last_segment_ends)
        message.text.pop_back();
    return message;
}

std::vector<Promise> Monitor::promises(const Message& message) const {
    std::vector<Promise> out;
    const auto& times = message.script->times;
    out.reserve(message.script->expected.size());
    for (const auto& expected : message.script->expected) {
        const auto order = std::ranges::find(times, expected.time) - times.begin();
        out.push_back(
            {order == 0 ? message.identity : fmt::format("{}.{}", message.identity, order),
             expected.index, message.script->lane,
             digest(expected.digest_head, time_of(expected.time, message).ms)});
    }
    return out;
}

std::string Monitor::batch(const std::vector<const Message*>& messages) const {
    const auto encoding = plan_->dialect->encoding;
    std::string text = fmt::format("FHS|{0}|{1}|WARD\rBHS|{0}|{1}|WARD\r", encoding, sender_);
    for (const auto* message : messages) {
        text += message->text;
        if (!text.ends_with('\r'))
            text += '\r';
    }
    text += fmt::format("BTS|{}\rFTS|1", messages.size());
    if (plan_->dialect->last_segment_ends)
        text += '\r';
    return text;
}

}  // namespace mitral::bedside
