#pragma once

#include <cstdint>
#include <utility>

namespace mitral::cloud::metrics {

// A `Protocol` that is counted for as long as it lives. The count outlives it.
template <typename Protocol>
class Counted final : public Protocol {
  public:
    template <typename... Arguments>
    explicit Counted(std::uint64_t& count, Arguments&&... arguments)
        : Protocol(std::forward<Arguments>(arguments)...), count_(count) {
        ++count_;
    }
    Counted(const Counted&) = delete;
    Counted& operator=(const Counted&) = delete;
    ~Counted() override { --count_; }

  private:
    std::uint64_t& count_;
};

}  // namespace mitral::cloud::metrics
