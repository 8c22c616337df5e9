#include "cloud/hub/observed.hpp"

#include <array>
#include <string_view>
#include <utility>

#include "cloud/error.hpp"

namespace mitral::cloud::hub {
namespace {

constexpr std::array<std::pair<std::string_view, bool Observed::*>, 5> known{{
    {"qos2-puback", &Observed::acknowledges_qos2},
    {"filter-suback", &Observed::refuses_filters},
    {"disabled-code-3", &Observed::disabled_unavailable},
    {"x-opt-retain", &Observed::older_retain_name},
    {"clean-session-keeps-queue", &Observed::clean_keeps_queue},
}};

}  // namespace

base::Result<Observed> read_observed(std::span<const std::string> names) {
    Observed observed;
    for (const auto& name : names) {
        bool found = false;
        for (const auto& [text, field] : known)
            if (name == text)
                found = observed.*field = true;
        if (found)
            continue;
        std::string all;
        for (const auto& [text, field] : known)
            all.append(all.empty() ? "" : ", ").append(text);
        return base::fail(CloudError::invalid_argument, "as_observed: one of " + all);
    }
    return observed;
}

}  // namespace mitral::cloud::hub
