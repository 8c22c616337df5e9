#include "cloud/front/link_pool.hpp"

#include <malloc.h>

#include <utility>

#include "base/log.hpp"

namespace mitral::cloud::front {
namespace {

constexpr std::size_t scratch_size = 64 * 1024;

}  // namespace

LinkPool::LinkPool(base::EventLoop& loop, const base::Clock& clock, PoolLimits limits)
    : loop_(loop), clock_(clock), limits_(limits), scratch_(scratch_size) {}

LinkPool::~LinkPool() {
    if (end_scheduled_)
        loop_.cancel(end_timer_);
    for (auto& [id, link] : links_)
        link->protocol_->on_closed("server stops");
}

void LinkPool::adopt(net::Stream stream, const ProtocolFactory& make_protocol,
                     const Origin& origin) {
    const auto id = next_id_++;
    if (!origin.is_local && strangers_.size() >= limits_.strangers)
        make_room(1);
    auto link = std::make_unique<Link>(*this, id, std::move(stream), make_protocol, origin);
    auto& adopted = *links_.emplace(id, std::move(link)).first->second;
    if (!origin.is_local)
        strangers_.insert(id);
    adopted.start();
}

std::size_t LinkPool::each_of(const Listener& port, const std::function<void(Link&)>& action) {
    std::size_t count = 0;
    for (auto& [id, link] : links_)
        if (link->port_ == &port && !link->closing_) {
            action(*link);
            ++count;
        }
    return count;
}

void LinkPool::make_room(std::size_t wanted) {
    for (; wanted > 0 && !strangers_.empty(); --wanted) {
        const auto oldest = links_.find(*strangers_.begin());
        strangers_.erase(strangers_.begin());
        ++displaced_;
        if (oldest != links_.end())
            oldest->second->close("made room for another connection");
    }
}

void LinkPool::note_handshake_done() noexcept {
    --handshakes_;
    // What a handshake frees lies between what its connection keeps, in holes that are too small
    // for the next: 28 KB for each, if their pages do not go back to the kernel.
    if (++handshakes_done_ % limits_.handshakes == 0)
        (void)::malloc_trim(0);
}

void LinkPool::bury() {
    vanished_.clear();
    for (auto& [id, link] : links_)
        link->come_to_light();
}

void LinkPool::mark_dirty(Link& link) {
    if (!std::exchange(link.dirty_, true))
        dirty_.push_back(link.id_);
    schedule_end_of_pass();
}

void LinkPool::read_again(Link& link) {
    read_again_.push_back(link.id_);
    schedule_end_of_pass();
}

void LinkPool::schedule_end_of_pass() {
    if (!std::exchange(end_scheduled_, true))
        end_timer_ = loop_.after(base::Milliseconds(0), [this] { end_of_pass(); });
}

void LinkPool::end_of_pass() {
    end_scheduled_ = false;
    const auto committed = commit();
    for (const auto id : std::exchange(dirty_, {}))
        if (const auto found = links_.find(id); found != links_.end())
            settle(*found->second, committed);
    (void)commit();  // the wills of the connections that just ended
    for (const auto id : std::exchange(read_again_, {}))
        if (const auto found = links_.find(id); found != links_.end() && !found->second->closing_)
            found->second->read_some();
}

base::Status LinkPool::commit() {
    if (!commit_)
        return {};
    auto committed = commit_();
    if (!committed)
        base::log(base::Severity::error, "commit-failed", {{"cause", committed.error().message()}});
    return committed;
}

void LinkPool::settle(Link& link, const base::Status& committed) {
    link.dirty_ = false;
    const bool waited = std::exchange(link.needs_commit_, false);
    if (waited && !committed)
        link.close("message log cannot be written");
    else if (!link.closing_)
        link.flush();
    if (!link.closing_)
        return;
    link.protocol_->on_closed(link.close_reason_);
    if (link.vanished_)
        vanished_.push_back(std::move(link.stream_));
    else
        link.stream_.shutdown();
    links_.erase(link.id_);
}

bool LinkPool::account(std::size_t before, std::size_t now) noexcept {
    buffered_ = buffered_ - before + now;
    return buffered_ <= limits_.buffered_bytes;
}

}  // namespace mitral::cloud::front
