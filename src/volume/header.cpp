#include "volume/header.hpp"

#include <algorithm>

#include "base/crypto.hpp"

namespace mitral::volume {
namespace {

constexpr std::string_view magic = "MVH1";
constexpr std::size_t max_wrapped = 256;

Header read_copy(base::ByteView bytes) {
    if (std::ranges::all_of(bytes, [](std::uint8_t byte) { return byte == 0; }))
        return {};
    const Header damaged{HeaderState::damaged, {}};
    base::ByteReader in(bytes);
    const auto begins = in.take(magic.size());
    const auto wrapped = in.block16();
    if (!begins || base::as_text(*begins) != magic || !wrapped || wrapped->empty())
        return damaged;
    const auto content = bytes.first(in.position());
    const auto digest = in.take(sizeof(base::Sha256Digest));
    if (!digest || !std::ranges::equal(*digest, base::sha256(content)))
        return damaged;
    return {HeaderState::whole, {wrapped->begin(), wrapped->end()}};
}

}  // namespace

Header read_header(base::ByteView bytes) {
    if (bytes.size() != header_size)
        return {HeaderState::damaged, {}};
    auto first = read_copy(bytes.first(header_copy_size));
    auto second = read_copy(bytes.last(header_copy_size));
    if (first.state == HeaderState::whole)
        return first;
    if (second.state == HeaderState::whole)
        return second;
    return first.state == HeaderState::empty ? second : first;
}

base::Bytes write_header(base::ByteView wrapped) {
    base::ByteWriter copy;
    copy.text(magic).block16(wrapped.first(std::min(wrapped.size(), max_wrapped)));
    auto bytes = copy.bytes();
    const auto digest = base::sha256(bytes);
    bytes.insert(bytes.end(), digest.begin(), digest.end());
    bytes.resize(header_copy_size);
    auto both = bytes;
    both.insert(both.end(), bytes.begin(), bytes.end());
    return both;
}

}  // namespace mitral::volume
