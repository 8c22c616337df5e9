#include "cloud/log/entry.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/encoding.hpp"
#include "cloud/log/checksum.hpp"

namespace mitral::cloud::log {
namespace {

// Length of the well-formed UTF-8 sequence at the front, 0 when there is none (RFC 3629 §4).
std::size_t sequence_length(std::string_view text) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const auto continues = [&](std::size_t i, unsigned char low = 0x80, unsigned char high = 0xbf) {
        return i < text.size() && byte(i) >= low && byte(i) <= high;
    };
    const auto lead = byte(0);
    if (lead < 0x80)
        return 1;
    if (lead >= 0xc2 && lead <= 0xdf)
        return continues(1) ? 2 : 0;
    if (lead >= 0xe0 && lead <= 0xef) {
        const unsigned char low = lead == 0xe0 ? 0xa0 : 0x80;
        const unsigned char high = lead == 0xed ? 0x9f : 0xbf;
        return continues(1, low, high) && continues(2) ? 3 : 0;
    }
    if (lead >= 0xf0 && lead <= 0xf4) {
        const unsigned char low = lead == 0xf0 ? 0x90 : 0x80;
        const unsigned char high = lead == 0xf4 ? 0x8f : 0xbf;
        return continues(1, low, high) && continues(2) && continues(3) ? 4 : 0;
    }
    return 0;
}

constexpr auto stands_for_itself = [] {
    std::array<bool, 256> table{};
    for (unsigned char byte = 0x20; byte < 0x7f; ++byte)
        table[byte] = byte != '"' && byte != '\\';
    return table;
}();

bool is_plain(char c) {
    return stands_for_itself[static_cast<unsigned char>(c)];
}

void append_members(std::string& out, const azure::PropertyBag& bag) {
    bool first = true;
    for (auto it = bag.begin(); it != bag.end(); ++it) {
        const auto repeats = [&](const auto& later) { return later.name == it->name; };
        if (std::any_of(it + 1, bag.end(), repeats))
            continue;
        if (!std::exchange(first, false))
            out.push_back(',');
        append_json_string(out, it->name);
        out.push_back(':');
        if (it->value)
            append_json_string(out, *it->value);
        else
            out.append("null");
    }
}

void append_member(std::string& out, std::string_view name, std::string_view value) {
    out.append(",\"").append(name).append("\":");
    append_json_string(out, value);
}

}  // namespace

std::string to_json_members(const azure::PropertyBag& bag) {
    std::string members;
    append_members(members, bag);
    return members;
}

void append_json_string(std::string& out, std::string_view text) {
    out.push_back('"');
    while (!text.empty()) {
        const auto plain = std::find_if_not(text.begin(), text.end(), is_plain);
        const auto count = static_cast<std::size_t>(plain - text.begin());
        out.append(text.substr(0, count));
        text.remove_prefix(count);
        if (text.empty())
            break;
        const auto length = sequence_length(text);
        const char c = text.front();
        if (c == '"' || c == '\\')
            out.append({'\\', c});
        else if (length == 1)
            fmt::format_to(std::back_inserter(out), "\\u{:04x}", static_cast<unsigned char>(c));
        else if (length == 0)
            out.append("\\ufffd");
        else
            out.append(text.substr(0, length));
        text.remove_prefix(std::max<std::size_t>(length, 1));
    }
    out.push_back('"');
}

void append_line(std::string& out, std::uint64_t offset, const Entry& entry) {
    const auto begin = out.size();
    fmt::format_to(std::back_inserter(out), "{{\"offset\":{},\"enqueued\":\"{}\"", offset,
                   base::to_iso8601(entry.enqueued));
    append_member(out, "device", entry.device);
    if (!entry.module.empty())
        append_member(out, "module", entry.module);
    append_member(out, "mid", entry.message_id);
    out.append(",\"properties\":{");
    append_members(out, entry.properties);
    out.append("},\"system\":{");
    append_members(out, entry.system);
    if (!entry.system.empty() && !entry.stamps.empty())
        out.push_back(',');
    out.append(entry.stamps).push_back('}');
    append_member(out, "topic_bag", entry.bag);
    out.append(",\"body\":\"");
    base::append_base64(entry.body, out);
    fmt::format_to(std::back_inserter(out), "\",\"qos\":{},\"dup\":{}", entry.qos, entry.duplicate);
    seal_line(out, begin);
}

}  // namespace mitral::cloud::log
