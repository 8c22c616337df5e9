#include "intake/store/recent_ids.hpp"

#include <algorithm>

namespace mitral::intake {

RecentIds::RecentIds(Bounds bounds) : bounds_(bounds) {}

RecentIds::Seen RecentIds::find(std::string_view source_name, Fingerprint reading) {
    const auto source = sources_.find(source_name);
    if (source == sources_.end())
        return Seen::no;
    source->second.last_use = ++uses_;
    const auto found = source->second.ring.find(reading.id);
    if (!found)
        return Seen::no;
    if (found->content != reading.content)
        return Seen::with_other_content;
    return found->age < source->second.open ? Seen::in_open_group : Seen::before;
}

void RecentIds::add(std::string_view source_name, Fingerprint reading) {
    auto* source = source_of(source_name);
    if (source == nullptr)
        return;
    auto& ring = source->ring;
    if (ring.full() && ring.capacity() < bounds_.ids_per_source) {
        const auto more = FingerprintRing::bytes(ring.capacity());
        if (make_room(more, source)) {
            ring.grow();
            bytes_ += more;
        }
    }
    ring.push(reading);
    if (source->open == 0)
        group_.push_back(source);
    source->open = std::min(source->open + 1, ring.capacity());
}

RecentIds::Source* RecentIds::source_of(std::string_view name) {
    auto found = sources_.find(name);
    if (found == sources_.end()) {
        const auto capacity = std::min(FingerprintRing::smallest, bounds_.ids_per_source);
        const auto more = source_bytes + FingerprintRing::bytes(capacity);
        if (sources_.size() >= bounds_.sources && !forget_oldest_source(nullptr))
            return nullptr;
        if (!make_room(more, nullptr))
            return nullptr;
        found = sources_.try_emplace(std::string(name), capacity).first;
        bytes_ += more;
    }
    found->second.last_use = ++uses_;
    return &found->second;
}

bool RecentIds::make_room(std::size_t bytes, const Source* keep) {
    while (bytes_ + bytes > bounds_.bytes) {
        if (!forget_oldest_source(keep))
            return false;
    }
    return true;
}

bool RecentIds::forget_oldest_source(const Source* keep) {
    auto oldest = sources_.end();
    for (auto it = sources_.begin(); it != sources_.end(); ++it) {
        if (&it->second != keep && it->second.open == 0 &&
            (oldest == sources_.end() || it->second.last_use < oldest->second.last_use))
            oldest = it;
    }
    if (oldest == sources_.end())
        return false;
    bytes_ -= source_bytes + FingerprintRing::bytes(oldest->second.ring.capacity());
    sources_.erase(oldest);
    return true;
}

void RecentIds::close_group(bool durable) {
    for (auto* source : group_) {
        for (std::size_t i = durable ? source->open : 0; i < source->open; ++i)
            source->ring.pop();
        source->open = 0;
    }
    group_.clear();
}

}  // namespace mitral::intake
