#include "uplink/checkpoints.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "attest/evidence.h"
#include "azure/topics.hpp"
#include "base/encoding.hpp"
#include "base/fail_point.hpp"
#include "base/log.hpp"
#include "spool/acknowledgement.hpp"

namespace mitral::uplink {
namespace {

constexpr std::string_view schema = "mitral.checkpoint/1";

bool fits_a_report(std::string_view name) {
    return !name.empty() && name.size() <= EVIDENCE_MAX_LANE_NAME &&
           name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-/") == name.npos;
}

spool::RecordId stored_position(const std::string& file) {
    const auto position = spool::read_acknowledgement(file);
    return position && *position ? **position : spool::RecordId{};
}

// The same message for the same checkpoint, whenever it is sent.
std::string bag_of(base::ByteView checkpoint) {
    const auto name = base::to_hex(base::sha256(checkpoint)).substr(0, 32);
    return azure::encode_bag({{"$.mid", "checkpoint-" + name},
                              {"$.ct", "application/json"},
                              {"$.ce", "utf-8"},
                              {"schema", schema}});
}

}  // namespace

void Checkpoints::add_lane(const FeedName& name, const std::string& position_file) {
    list_.add_lane(name);
    std::string lane = name.writer + "/" + std::string(spool::to_string(name.lane));
    const auto named =
        std::ranges::count_if(lanes_, [](const Lane& known) { return !known.name.empty(); });
    if (!fits_a_report(lane) || named == EVIDENCE_MAX_LANES) {
        base::log(base::Severity::warning, "lane-not-in-checkpoints",
                  {{"lane", lane},
                   {"remedy", "name spools with at most 25 of a-z 0-9 -; at most 5 spools"}});
        lane.clear();
    }
    lanes_.push_back({std::move(lane), position_file, stored_position(position_file)});
}

void Checkpoints::link_up() {
    wanted_ = true;
    refused_at_.reset();  // a link costs a token anyway
}

void Checkpoints::link_lost() {
    list_.link_lost();
    for (Waiting& one : waiting_)
        one.sent = false;
}

bool Checkpoints::due() const {
    if (std::ranges::any_of(waiting_, [](const Waiting& one) { return !one.sent; }))
        return true;
    const auto now = clock_.monotonic();
    if (refused_at_ && now - *refused_at_ < after_refusal)
        return false;
    if (wanted_ || !made_at_)
        return true;
    const base::Milliseconds age = now - *made_at_;
    return age >= interval_ || (list_.size() >= due_lines && age >= least_interval);
}

base::MonotonicTime Checkpoints::due_at() const noexcept {
    const auto now = clock_.monotonic();
    if (refused_at_ && now - *refused_at_ < after_refusal)
        return *refused_at_ + after_refusal;
    return made_at_ ? *made_at_ + interval_ : now;
}

std::vector<Checkpoints::Part> Checkpoints::gather() const {
    std::vector<Part> parts;
    for (std::uint32_t i = 0; i < lanes_.size(); ++i) {
        const Lane& lane = lanes_[i];
        const auto position = stored_position(lane.position_file);
        if (lane.name.empty() || position == spool::RecordId{})
            continue;
        const bool goes_on =
            lane.covered.stream == position.stream || lane.covered == spool::RecordId{};
        const auto covered = goes_on ? lane.covered.sequence : position.sequence;
        parts.push_back({{.name = lane.name,
                          .stream = position.stream,
                          .first = std::min(covered, position.sequence) + 1,
                          .end = position.sequence + 1,
                          .hash = hash_of(list_.lane(i)),
                          .gaps = list_.lane(i).gaps},
                         i});
    }
    std::ranges::sort(parts, {}, [](const Part& part) { return part.report.name; });
    return parts;
}

void Checkpoints::make() {
    const auto parts = gather();
    attest::Report report;
    for (const Part& part : parts)
        report.lanes.push_back(part.report);
    MITRAL_FAIL_POINT("uplink.checkpoint");
    const auto checkpoint = sign_(report);
    if (!checkpoint)
        return refused(checkpoint.error());
    if (!trouble_.empty())
        base::log(base::Severity::notice, "checkpoints-again");
    trouble_.clear();
    refused_at_.reset();
    made_at_ = clock_.monotonic();
    wanted_ = false;
    waiting_.push_back({++last_number_, message_of(*checkpoint, parts)});
    for (const Part& part : parts) {
        lanes_[part.lane].covered = {part.report.stream, part.report.end - 1};
        list_.clear(part.lane);
    }
    if (waiting_.size() > max_waiting)
        waiting_.pop_front();
    MITRAL_FAIL_POINT("uplink.checkpoint-made");
}

// Readings matter more than their evidence: they go on, and the fleet notices the silence.
void Checkpoints::refused(const base::Error& error) {
    refused_at_ = clock_.monotonic();
    if (trouble_.empty())
        base::log(base::Severity::warning, "checkpoint-refused",
                  {{"cause", error.message()},
                   {"done", "readings go on without evidence; asked again each minute"}});
    trouble_ = error.message();
}

Outgoing Checkpoints::message_of(base::ByteView checkpoint, const std::vector<Part>& parts) const {
    std::string body = fmt::format(R"({{"schema":"{}","checkpoint":"{}","lanes":[)", schema,
                                   base::to_base64(checkpoint));
    for (const Part& part : parts) {
        const auto& list = list_.lane(part.lane);
        fmt::format_to(std::back_inserter(body), R"({}{{"lane":"{}","unlisted":{},"messages":[)",
                       &part == parts.data() ? "" : ",", part.report.name, list.unlisted);
        for (const std::string& line : list.lines)
            fmt::format_to(std::back_inserter(body), R"({}"{}")",
                           &line == list.lines.data() ? "" : ",", line);
        body.append("]}");
    }
    return {bag_of(checkpoint), base::to_bytes(body.append("]}"))};
}

const Outgoing* Checkpoints::front() {
    const auto unsent = [](const Waiting& one) { return !one.sent; };
    if (std::ranges::none_of(waiting_, unsent) && due())
        make();
    const auto found = std::ranges::find_if(waiting_, unsent);
    return found == waiting_.end() ? nullptr : &found->message;
}

std::uint64_t Checkpoints::pop_front() {
    const auto found = std::ranges::find_if(waiting_, [](const Waiting& one) { return !one.sent; });
    found->sent = true;
    return found->number;
}

void Checkpoints::checkpoint_acknowledged(std::uint64_t number) {
    delivered_ += std::erase_if(waiting_, [&](const Waiting& one) { return one.number == number; });
    MITRAL_FAIL_POINT("uplink.checkpoint-acknowledged");
}

void Checkpoints::finish() {
    wanted_ = wanted_ || (!finished_ && list_.size() > 0);
    finished_ = true;
}

}  // namespace mitral::uplink
