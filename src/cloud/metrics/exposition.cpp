#include "cloud/metrics/exposition.hpp"

#include <fmt/format.h>

#include <iterator>

namespace mitral::cloud::metrics {

Exposition& Exposition::counter(std::string_view name, std::string_view help) {
    return family(name, "counter", help);
}

Exposition& Exposition::gauge(std::string_view name, std::string_view help) {
    return family(name, "gauge", help);
}

// What describes the process has the names that all programs use for it.
Exposition& Exposition::family(std::string_view name, std::string_view type,
                               std::string_view help) {
    name_ = name.starts_with("process_") ? std::string(name) : fmt::format("mitral_cloud_{}", name);
    fmt::format_to(std::back_inserter(text_), "# HELP {0} {1}\n# TYPE {0} {2}\n", name_, help,
                   type);
    return *this;
}

Exposition& Exposition::sample(std::uint64_t value) {
    fmt::format_to(std::back_inserter(text_), "{} {}\n", name_, value);
    return *this;
}

Exposition& Exposition::sample(std::string_view label, std::string_view is, std::uint64_t value) {
    fmt::format_to(std::back_inserter(text_), "{}{{{}=\"{}\"}} {}\n", name_, label, is, value);
    return *this;
}

Exposition& Exposition::sample(std::pair<std::string_view, std::string_view> first,
                               std::pair<std::string_view, std::string_view> second,
                               std::uint64_t value) {
    fmt::format_to(std::back_inserter(text_), "{}{{{}=\"{}\",{}=\"{}\"}} {}\n", name_, first.first,
                   first.second, second.first, second.second, value);
    return *this;
}

Exposition& Exposition::seconds(std::int64_t milliseconds) {
    fmt::format_to(std::back_inserter(text_), "{} {}.{:03}\n", name_, milliseconds / 1000,
                   milliseconds % 1000);
    return *this;
}

}  // namespace mitral::cloud::metrics
