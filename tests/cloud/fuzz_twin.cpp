// Twin patches: the first byte cuts the input into two patches, applied one after the other. What
// was accepted keeps the limits, and the patch that a replacement tells leads where it led.
#include <cstdlib>

#include "base/bytes.hpp"
#include "cloud/hub/twin_document.hpp"
#include "cloud/hub/twin_limits.hpp"

namespace {

using namespace mitral::cloud::hub;

constexpr mitral::base::WallTime now{1'767'225'600'000};

void require(bool condition) {
    if (!condition)
        std::abort();
}

void check(TwinPart part, const TwinSection& section) {
    const auto values = mitral::cloud::Json::parse(section.values);
    require(values.is_object() && check_twin_values(values).has_value());
    require(twin_size(values) <= max_size(part));
    const auto shown = mitral::cloud::Json::parse(with_metadata(section));
    require(shown.at("$version") == section.version);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0)
        return 0;
    const auto text = mitral::base::as_text({data + 1, size - 1});
    const auto cut = std::min<std::size_t>(data[0], text.size());
    for (const auto part : {TwinPart::tags, TwinPart::desired, TwinPart::reported}) {
        const auto first = patched(part, {}, text.substr(0, cut), now);
        const auto before = first ? first->after : TwinSection{};
        check(part, before);
        if (const auto second = patched(part, before, text.substr(cut), now)) {
            check(part, second->after);
            require(patched(part, second->after, text.substr(cut), now)->after.values ==
                    second->after.values);
        }
        if (const auto other = replaced(part, before, text.substr(cut), now)) {
            check(part, other->after);
            require(patched(part, before, other->patch, now)->after.values == other->after.values);
        }
    }
    return 0;
}
