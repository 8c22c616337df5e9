#include "bedside/digest.hpp"

#include "base/crypto.hpp"
#include "base/encoding.hpp"

namespace mitral::bedside {
namespace {

std::string half_digest(std::string_view text) {
    const auto all = base::sha256(base::as_bytes(text));
    return base::to_hex(base::ByteView(all).first(16));
}

}  // namespace

std::string value_content(std::string_view decimal) {
    return "value:" + std::string(decimal);
}

std::string absent_content(std::string_view reason) {
    return "absent:" + std::string(reason);
}

std::string wave_content(std::uint32_t rate, std::string_view scale,
                         std::span<const std::int32_t> samples) {
    std::string text = "wave:" + std::to_string(rate) + ":" + std::string(scale) + ":";
    for (std::size_t i = 0; i < samples.size(); ++i) {
        if (i > 0)
            text += ',';
        text += std::to_string(samples[i]);
    }
    return text;
}

std::string digest_head(std::string_view code, std::string_view unit, std::string_view content) {
    std::string head = "[\"";
    for (const auto part : {code, unit, content})
        head.append(part).append("\",\"");
    head.pop_back();  // the last quote opens nothing
    return head;
}

std::string digest(std::string_view head, std::int64_t device_time_ms) {
    std::string text(head);
    text += std::to_string(device_time_ms);
    text += ']';
    return half_digest(text);
}

std::string message_identity(std::string_view sender, std::string_view control_id,
                             std::string_view time) {
    std::string text(sender);
    text += '\0';
    text += control_id;
    text += '\0';
    text += time;
    return half_digest(text);
}

}  // namespace mitral::bedside
