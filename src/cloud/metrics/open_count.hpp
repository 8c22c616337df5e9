#pragma once

#include <cstdint>
#include <memory>
#include <utility>

#include "cloud/front/transport.hpp"

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

// The same for one that somebody else made.
class CountedFrom final : public front::Protocol {
  public:
    CountedFrom(std::uint64_t& count, front::Transport& transport,
                std::unique_ptr<front::Protocol> inner)
        : Protocol(transport), count_(count), inner_(std::move(inner)) {
        ++count_;
    }
    CountedFrom(const CountedFrom&) = delete;
    CountedFrom& operator=(const CountedFrom&) = delete;
    ~CountedFrom() override { --count_; }

    [[nodiscard]] base::Result<std::size_t> on_bytes(base::ByteView input) override {
        return inner_->on_bytes(input);
    }
    void on_writable() override { inner_->on_writable(); }
    void on_deadline() override { inner_->on_deadline(); }
    void on_closed(std::string_view reason) override { inner_->on_closed(reason); }

  private:
    std::uint64_t& count_;
    std::unique_ptr<front::Protocol> inner_;
};

}  // namespace mitral::cloud::metrics
