#include "intake/hl7/triplets.hpp"

#include <array>

#include "intake/hl7/number.hpp"

namespace mitral::intake::hl7 {

Triplets::Triplets(const Part& field) noexcept {
    // One walk, because this runs for every observation.
    const auto& delimiters = field.delimiters();
    const std::array<std::string_view*, 6> parts{&id,       &text,       &system,
                                                 &other_id, &other_text, &other_system};
    const auto whole = field.raw();
    std::size_t begin = 0;
    std::size_t part = 0;
    const auto finish = [&](std::size_t end) {
        *parts[part] = trimmed(whole.substr(begin, end - begin));
    };
    for (std::size_t at = 0; at < whole.size(); ++at) {
        if (whole[at] == delimiters.repetition) {
            finish(at);
            return;
        }
        if (whole[at] != delimiters.component)
            continue;
        finish(at);
        begin = at + 1;
        if (++part == parts.size())
            return;
    }
    finish(whole.size());
}

}  // namespace mitral::intake::hl7
