#include "verify/delivery.hpp"

#include <algorithm>

#include "base/encoding.hpp"

namespace mitral::verify {
namespace {

constexpr std::size_t max_named = 10;

base::Sha256Digest hash_of(const LaneList& list) {
    std::string text;
    for (const std::string& line : list.lines)
        text.append(line).push_back('\n');
    text.append(std::to_string(list.unlisted)).push_back('\n');
    return base::sha256(base::as_bytes(text));
}

Finding altered_list(const std::string& lane) {
    return {Kind::list_altered,
            "lane " + lane + ": the list beside a checkpoint is not the one it was signed for",
            "look at what carries the messages; hold what the lane sent for unproven"};
}

Finding missing(const std::string& what) {
    return {Kind::message_missing, what + " was acknowledged to the unit and did not arrive",
            "look for it at the hub and its routes; a log that begins too late lacks it too"};
}

Finding altered(const std::string& what) {
    return {Kind::message_altered, what + " arrived with another content than the unit sent",
            "find out who writes under this unit's name; take none of the contents for proven"};
}

void judge_line(const std::string& lane, const std::string& line, const Arrivals& arrivals,
                std::vector<Finding>& out) {
    const auto space = std::min(line.find(' '), line.size());
    std::string id = lane + "-" + line.substr(0, space);
    std::replace(id.begin(), id.end(), '/', '-');
    const auto* digests = arrivals.find(id);
    if (digests == nullptr)
        out.push_back(missing("message " + id));
    else if (digests->size() != 1 ||
             *digests->begin() != line.substr(std::min(space + 1, line.size())))
        out.push_back(altered("message " + id));
}

void judge_list(const LaneList& list, const Arrivals& arrivals, std::vector<Finding>& out) {
    std::vector<Finding> found;
    for (const std::string& line : list.lines)
        judge_line(list.lane, line, arrivals, found);
    if (found.size() > max_named) {
        const auto more =
            std::to_string(found.size() - max_named) + " more messages of lane " + list.lane;
        found.resize(max_named);
        found.push_back(missing(more));
    }
    out.insert(out.end(), found.begin(), found.end());
}

}  // namespace

void Arrivals::add(std::string_view message_id, base::ByteView body) {
    digests_[std::string(message_id)].insert(base::to_base64(base::sha256(body)));
}

const std::set<std::string>* Arrivals::find(const std::string& message_id) const {
    const auto found = digests_.find(message_id);
    return found == digests_.end() ? nullptr : &found->second;
}

std::vector<Finding> judge_lists(const Marks& marks, base::ByteView bytes,
                                 const std::vector<LaneList>& lists, const Arrivals& arrivals) {
    std::vector<Finding> findings;
    const auto checkpoint = attest::read_checkpoint(bytes, marks.key);
    if (!checkpoint)
        return findings;
    for (const auto& signed_lane : checkpoint->report.lanes) {
        const auto list = std::find_if(lists.begin(), lists.end(), [&](const LaneList& one) {
            return one.lane == signed_lane.name;
        });
        if (list == lists.end() || hash_of(*list) != signed_lane.hash)
            findings.push_back(altered_list(signed_lane.name));
        else
            judge_list(*list, arrivals, findings);
    }
    return findings;
}

}  // namespace mitral::verify
