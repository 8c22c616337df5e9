#include "verify/judge_lanes.hpp"

#include <algorithm>

namespace mitral::verify {
namespace {

using Findings = std::vector<Finding>;

void judge_lane(const attest::LaneReport& mark, const attest::LaneReport& now, Findings& out) {
    const auto add = [&](Kind kind, std::string cause, const char* remedy) {
        out.push_back({kind, "lane " + mark.name + ": " + std::move(cause), remedy});
    };
    if (now.stream != mark.stream)
        return add(Kind::lane_replaced, "it was made anew",
                   "compare with what was done to the unit; what it held and did not send is lost");
    if (now.end < mark.end || now.first < mark.first)
        return add(Kind::lane_shrank,
                   fell(now.end < mark.end ? "its end" : "its beginning",
                        now.end < mark.end ? mark.end : mark.first,
                        now.end < mark.end ? now.end : now.first),
                   look_at_unit);
    if (now.first > mark.end)
        add(Kind::lane_unproven,
            "no checkpoint covers records " + std::to_string(mark.end) + " to " +
                std::to_string(now.first - 1),
            "without a power cut of the unit or its uplink somebody withheld one: compare with the "
            "messages that came and with the unit's log");
    // A list, and with it `gaps` and `hash`, is of one checkpoint. One that has no record of the
    // stretch has messages beyond `end` alone, which come in any number.
    const bool same_stretch = now.first == mark.first && mark.first < mark.end;
    if (same_stretch && now.gaps < mark.gaps)
        add(Kind::lane_altered, fell("its count of gaps", mark.gaps, now.gaps), look_at_unit);
    if (same_stretch && now.end == mark.end && now.hash != mark.hash)
        add(Kind::lane_altered,
            "records " + std::to_string(now.first) + " to " + std::to_string(now.end) +
                " have another content than before",
            look_at_unit);
}

void judge_known(const Marks& marks, const attest::Report& report, Findings& out) {
    for (const auto& mark : marks.lanes) {
        const auto now = std::find_if(
            report.lanes.begin(), report.lanes.end(),
            [&mark](const attest::LaneReport& lane) { return lane.name == mark.name; });
        if (now == report.lanes.end())
            out.push_back(
                {Kind::lane_missing, "lane " + mark.name + " is reported no more", look_at_unit});
        else
            judge_lane(mark, *now, out);
    }
}

void judge_lane_count(const Marks& marks, const attest::Report& report, Findings& out) {
    const auto is_new = [&marks](const attest::LaneReport& now) {
        return std::none_of(marks.lanes.begin(), marks.lanes.end(),
                            [&now](const auto& mark) { return mark.name == now.name; });
    };
    const auto more =
        static_cast<std::size_t>(std::count_if(report.lanes.begin(), report.lanes.end(), is_new));
    if (marks.lanes.size() + more > Marks::max_lanes)
        out.push_back({Kind::too_many_lanes,
                       "more than " + std::to_string(Marks::max_lanes) +
                           " lanes were named; those beyond are not watched",
                       look_at_unit});
}

void raise(Marks& marks, const attest::LaneReport& now) {
    const auto mark =
        std::find_if(marks.lanes.begin(), marks.lanes.end(),
                     [&now](const attest::LaneReport& lane) { return lane.name == now.name; });
    if (mark == marks.lanes.end()) {
        if (marks.lanes.size() < Marks::max_lanes)
            marks.lanes.push_back(now);
    } else if (mark->stream != now.stream || (now.end >= mark->end && now.first >= mark->first)) {
        *mark = now;
    }
}

}  // namespace

std::string fell(std::string_view what, std::uint64_t from, std::uint64_t to) {
    return std::string(what) + " fell from " + std::to_string(from) + " to " + std::to_string(to);
}

void judge_lanes(const Marks& marks, const attest::Report& report, std::vector<Finding>& out) {
    judge_known(marks, report, out);
    judge_lane_count(marks, report, out);
}

void raise_lanes(Marks& marks, const attest::Report& report) {
    for (const auto& lane : report.lanes)
        raise(marks, lane);
}

}  // namespace mitral::verify
