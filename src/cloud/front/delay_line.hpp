#pragma once

#include <functional>
#include <list>

#include "base/bytes.hpp"
#include "base/event_loop.hpp"

namespace mitral::cloud::front {

// How late bytes of a port are to be: a fault on demand.
class Lag {
  public:
    virtual ~Lag() = default;
    // For the bytes just read from a client, and those just queued for one; zero: at once.
    [[nodiscard]] virtual base::Milliseconds inbound() = 0;
    [[nodiscard]] virtual base::Milliseconds outbound() = 0;
};

// Bytes on their way: they come out in the order in which they went in, each not before its time.
class DelayLine {
  public:
    using Release = std::function<void(base::ByteView)>;

    DelayLine(base::EventLoop& loop, const base::Clock& clock, Release release)
        : loop_(loop), clock_(clock), release_(std::move(release)) {}
    DelayLine(const DelayLine&) = delete;
    DelayLine& operator=(const DelayLine&) = delete;
    ~DelayLine();

    [[nodiscard]] bool empty() const noexcept { return pieces_.empty(); }
    [[nodiscard]] std::size_t size() const noexcept { return size_; }  // bytes
    void put(base::ByteView bytes, base::Milliseconds delay);
    // All of it now.
    void release_all();

  private:
    struct Piece {
        base::MonotonicTime due;
        base::Bytes bytes;
    };
    void arm();
    void release_due();
    void release_first();

    base::EventLoop& loop_;
    const base::Clock& clock_;
    Release release_;
    std::list<Piece> pieces_;  // an idle link pays for no chunk
    std::size_t size_ = 0;
    bool armed_ = false;
    base::EventLoop::TimerId timer_{};
};

}  // namespace mitral::cloud::front
