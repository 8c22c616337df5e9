#include "cloud/log/scrub.hpp"

#include "base/log.hpp"

namespace mitral::cloud::log {
namespace {

// 12 MB a second: a gigabyte within two minutes, and little of a processor.
constexpr std::size_t piece = 256 * 1024;
constexpr base::Milliseconds pause{20};

}  // namespace

Scrub::~Scrub() {
    if (timer_)
        loop_.cancel(*timer_);
}

void Scrub::go_on() {
    timer_ = loop_.after(pause, [this] { step(); });
}

void Scrub::step() {
    timer_.reset();
    const auto text = tail_.next(piece);
    if (!text)
        base::log(base::Severity::error, "message-log-not-checked",
                  {{"cause", text.error().message()}});
    else if (!text->empty())
        go_on();
}

}  // namespace mitral::cloud::log
