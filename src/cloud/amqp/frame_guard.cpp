#include "cloud/amqp/frame_guard.hpp"

#include <algorithm>

#include "cloud/error.hpp"

namespace mitral::cloud::amqp {
namespace {

constexpr std::array<std::uint8_t, 8> amqp{'A', 'M', 'Q', 'P', 0, 1, 0, 0};
constexpr std::array<std::uint8_t, 8> sasl{'A', 'M', 'Q', 'P', 3, 1, 0, 0};
constexpr std::uint8_t amqp_frame = 0;
constexpr std::uint8_t sasl_frame = 1;

auto malformed(const char* why) {
    return base::fail(CloudError::malformed_packet, why);
}

}  // namespace

base::Status FrameGuard::look(base::ByteView input, std::size_t largest_performative) {
    largest_performative_ = largest_performative;
    while (!input.empty()) {
        if (body_left_ > 0) {
            MITRAL_CHECK(look_into_body(input));
            continue;
        }
        const auto size = std::min(head_.size() - have_, input.size());
        std::copy_n(input.begin(), size, head_.begin() + static_cast<std::ptrdiff_t>(have_));
        have_ += size;
        input = input.subspan(size);
        if (expects_ == Expects::protocol && !begins_a_protocol()) {
            refused_protocol_ = true;
            return malformed("neither AMQP 1.0 nor its SASL");
        }
        if (have_ == head_.size())
            MITRAL_CHECK(judge_head());
    }
    return {};
}

// Takes what there is of a frame's body.
base::Status FrameGuard::look_into_body(base::ByteView& input) {
    const auto piece = input.first(std::min(body_left_, input.size()));
    body_left_ -= piece.size();
    input = input.subspan(piece.size());
    if (judged_)
        return {};
    // A performative is kept until it is whole, a transfer's payload not at all.
    const bool in_start = body_.size() < PeerRules::transfer_start;
    const auto wanted = in_start ? PeerRules::transfer_start - body_.size() : piece.size();
    const auto start = piece.first(std::min(wanted, piece.size()));
    body_.insert(body_.end(), start.begin(), start.end());
    if (PeerRules::is_transfer(body_)) {
        if (body_.size() < PeerRules::transfer_start && body_left_ > 0)
            return {};
        return judge_body();
    }
    const auto rest = piece.subspan(start.size());
    if (body_.size() + rest.size() + body_left_ > largest_performative_)
        return malformed("a performative too large");
    body_.insert(body_.end(), rest.begin(), rest.end());
    return body_left_ == 0 ? judge_body() : base::Status();
}

base::Status FrameGuard::judge_body() {
    judged_ = true;
    auto verdict = rules_.judge(channel(), body_);
    body_.clear();
    return verdict;
}

base::Status FrameGuard::judge_head() {
    have_ = 0;
    if (expects_ != Expects::protocol)
        return judge_frame();
    expects_ = head_ == amqp ? Expects::frame : Expects::sasl_init;
    return {};
}

bool FrameGuard::begins_a_protocol() const {
    const auto begins = [&](const auto& protocol) {
        return std::equal(head_.begin(), head_.begin() + static_cast<std::ptrdiff_t>(have_),
                          protocol.begin());
    };
    return begins(amqp) || (begins(sasl) && !authenticated_);
}

base::Status FrameGuard::judge_frame() {
    std::size_t size = 0;
    for (std::size_t i = 0; i < 4; ++i)
        size = size << 8 | head_[i];
    if (size < head_.size())
        return malformed("a frame shorter than its header");
    const bool wants_sasl = expects_ == Expects::sasl_init;
    if (head_[5] != (wants_sasl ? sasl_frame : amqp_frame))
        return malformed("a frame of the wrong type");
    if (head_[4] != head_.size() / 4)
        return malformed("an extended header");
    body_left_ = size - head_.size();
    judged_ = wants_sasl;
    if (wants_sasl) {  // none of our mechanisms has a second step
        authenticated_ = true;
        expects_ = Expects::protocol;
    }
    return {};
}

}  // namespace mitral::cloud::amqp
