#include "uplink/delivery_list.hpp"

#include "azure/topics.hpp"
#include "base/encoding.hpp"

namespace mitral::uplink {
namespace {

constexpr std::string_view gap_schema = "schema=mitral.gap%2F1";

// "<stream>-<sequence>…": what tells a message from the others of its lane. Never encoded.
std::string_view end_of_id(std::string_view bag, std::size_t start) {
    const auto id = bag.substr(0, bag.find('&'));
    return start < id.size() ? id.substr(start) : std::string_view{};
}

}  // namespace

std::uint32_t DeliveryList::add_lane(const FeedName& name) {
    std::string before;
    azure::append_property("$.mid", name.writer + "-" + std::string(spool::to_string(name.lane)),
                           before);
    lanes_.emplace_back();
    id_starts_.push_back(before.size() + 1);
    return static_cast<std::uint32_t>(lanes_.size() - 1);
}

std::uint64_t DeliveryList::published(std::uint32_t lane, const Outgoing& message) {
    UnderWay& sent = under_way_[++last_number_];
    sent.lane = lane;
    sent.gap = message.bag.find(gap_schema) != std::string::npos;
    if (size_ + under_way_.size() <= max_lines) {
        sent.line = end_of_id(message.bag, id_starts_[lane]);
        sent.line.append(" ").append(base::to_base64(base::sha256(message.body)));
    }
    return last_number_;
}

void DeliveryList::acknowledged(std::uint64_t number) {
    const auto found = under_way_.find(number);
    if (found == under_way_.end())
        return;
    Lane& lane = lanes_[found->second.lane];
    if (found->second.gap)
        ++lane.gaps;
    if (found->second.line.empty()) {
        ++lane.unlisted;
    } else {
        lane.lines.push_back(std::move(found->second.line));
        ++size_;
    }
    under_way_.erase(found);
}

void DeliveryList::clear(std::uint32_t index) {
    size_ -= lanes_[index].lines.size();
    lanes_[index] = {};
}

base::Sha256Digest hash_of(const DeliveryList::Lane& lane) {
    std::string text;
    for (const std::string& line : lane.lines)
        text.append(line).push_back('\n');
    text.append(std::to_string(lane.unlisted)).push_back('\n');
    return base::sha256(base::as_bytes(text));
}

}  // namespace mitral::uplink
