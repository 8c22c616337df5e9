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

base::Status FrameGuard::look(base::ByteView input) {
    while (!input.empty() && expects_ != Expects::nothing) {
        if (body_left_ > 0) {
            const auto size = std::min(body_left_, input.size());
            body_left_ -= size;
            input = input.subspan(size);
            continue;
        }
        const auto size = std::min(head_.size() - have_, input.size());
        std::copy_n(input.begin(), size, head_.begin() + static_cast<std::ptrdiff_t>(have_));
        have_ += size;
        input = input.subspan(size);
        if (have_ == head_.size())
            MITRAL_CHECK(judge_head());
    }
    return {};
}

base::Status FrameGuard::judge_head() {
    have_ = 0;
    if (expects_ != Expects::protocol)
        return judge_frame();
    judge_protocol();
    return {};
}

void FrameGuard::judge_protocol() {
    if (head_ == amqp)
        expects_ = Expects::frame;
    else if (head_ == sasl && !authenticated_)
        expects_ = Expects::sasl_init;
    else
        expects_ = Expects::nothing;
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
    body_left_ = size - head_.size();
    if (wants_sasl) {  // none of our mechanisms has a second step
        authenticated_ = true;
        expects_ = Expects::protocol;
    }
    return {};
}

}  // namespace mitral::cloud::amqp
