#include "intake/store/group_commit.hpp"

#include <utility>

namespace mitral::intake {

GroupCommit::GroupCommit(base::EventLoop& loop, ReadingStore& store, Limits limits,
                         std::function<void(bool committed)> closed)
    : loop_(loop), store_(store), limits_(limits), closed_(std::move(closed)) {}

GroupCommit::~GroupCommit() {
    if (timer_)
        loop_.cancel(*timer_);
}

void GroupCommit::touched() {
    if (store_.open_bytes() >= limits_.bytes)
        return close();
    if (timer_)
        return;
    const auto delay = store_.has_open_group() ? limits_.delay : base::Milliseconds(0);
    timer_ = loop_.after(delay, [this] {
        timer_.reset();
        close();
    });
}

void GroupCommit::close() {
    if (timer_)
        loop_.cancel(*std::exchange(timer_, std::nullopt));
    closed_(!store_.has_open_group() || store_.commit().has_value());
}

}  // namespace mitral::intake
