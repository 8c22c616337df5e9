#include "intake/lines/recent_ids.hpp"

#include <algorithm>

namespace mitral::intake {

RecentIds::RecentIds(std::size_t ids_per_source, std::size_t sources)
    : ids_per_source_(ids_per_source), max_sources_(sources) {}

RecentIds::Source& RecentIds::source_of(std::string_view name) {
    auto found = sources_.find(name);
    if (found == sources_.end()) {
        if (sources_.size() >= max_sources_)
            forget_oldest_source();
        found = sources_.try_emplace(std::string(name)).first;
    }
    found->second.last_use = ++uses_;
    return found->second;
}

void RecentIds::forget_oldest_source() {
    auto oldest = sources_.end();
    for (auto it = sources_.begin(); it != sources_.end(); ++it) {
        if (!it->second.in_group &&
            (oldest == sources_.end() || it->second.last_use < oldest->second.last_use))
            oldest = it;
    }
    if (oldest != sources_.end())
        sources_.erase(oldest);
}

RecentIds::Seen RecentIds::check_in(std::string_view source_name, std::string_view id) {
    auto& source = source_of(source_name);
    if (const auto found = source.index.find(id); found != source.index.end())
        return found->second->committed ? Seen::before : Seen::in_open_group;
    source.order.push_back({std::string(id), false});
    auto& added = source.order.back();
    source.index.emplace(added.text, &added);
    if (source.order.size() > ids_per_source_) {
        source.index.erase(source.order.front().text);
        source.order.pop_front();
    }
    if (!source.in_group) {
        source.in_group = true;
        group_.push_back(&source);
    }
    last_added_ = &source;
    return Seen::no;
}

void RecentIds::take_back() {
    if (last_added_ == nullptr)
        return;
    auto& order = last_added_->order;
    last_added_->index.erase(order.back().text);
    order.pop_back();
    last_added_ = nullptr;
}

void RecentIds::close_group(bool durable) {
    for (auto* source : group_) {
        auto& order = source->order;
        if (durable) {
            for (auto id = order.rbegin(); id != order.rend() && !id->committed; ++id)
                id->committed = true;
        } else {
            while (!order.empty() && !order.back().committed) {
                source->index.erase(order.back().text);
                order.pop_back();
            }
        }
        source->in_group = false;
    }
    group_.clear();
    last_added_ = nullptr;
}

}  // namespace mitral::intake
