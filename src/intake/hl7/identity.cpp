#include <span>

#include "base/crypto.hpp"
#include "base/encoding.hpp"
#include "intake/hl7/interpreter.hpp"

namespace mitral::intake::hl7 {
namespace {

constexpr std::size_t control_id_bytes = 16;

// From the first segment's beginning to the last one's end.
std::string_view text_of(const Message& message) noexcept {
    const auto first = message.segments().front().raw();
    const auto last = message.segments().back().raw();
    return {first.data(), static_cast<std::size_t>(last.data() + last.size() - first.data())};
}

std::string shortened(base::ByteView text) {
    const auto digest = base::sha256(text);
    return base::to_hex(std::span(digest).first<control_id_bytes>());
}

}  // namespace

std::string control_id_of(const Message& message, const Dialect* dialect) {
    const auto& header = message.header();
    const auto id = header.field(10).raw();
    if (id.empty() || (dialect != nullptr && dialect->control_id_is_type))
        return shortened(base::as_bytes(text_of(message)));
    std::string named(header.field(3).raw());
    named.append(1, '\0').append(id).append(1, '\0').append(header.field(7).raw());
    return shortened(base::as_bytes(named));
}

}  // namespace mitral::intake::hl7
