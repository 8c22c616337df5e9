// Prometheus, text exposition format 0.0.4.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace mitral::cloud::metrics {

// Families one after the other, each with its samples. Values of labels come from fixed lists of
// ours, never from clients: so there are few of them, and none needs an escape.
class Exposition {
  public:
    // A counter's name ends in _total.
    Exposition& counter(std::string_view name, std::string_view help);
    Exposition& gauge(std::string_view name, std::string_view help);
    Exposition& sample(std::uint64_t value);
    Exposition& sample(std::string_view label, std::string_view is, std::uint64_t value);
    Exposition& sample(std::pair<std::string_view, std::string_view> first,
                       std::pair<std::string_view, std::string_view> second, std::uint64_t value);
    // Seconds, with three decimals.
    Exposition& seconds(std::int64_t milliseconds);
    [[nodiscard]] std::string take() { return std::move(text_); }

  private:
    Exposition& family(std::string_view name, std::string_view type, std::string_view help);

    std::string name_;
    std::string text_;
};

}  // namespace mitral::cloud::metrics
