#include "cloud/amqp/encoding.hpp"

#include <algorithm>

namespace mitral::cloud::amqp {
namespace {

enum Constructor : std::uint8_t {
    description = 0x00,
    null = 0x40,
    true_ = 0x41,
    false_ = 0x42,
    uint_0 = 0x43,
    ulong_0 = 0x44,
    list_0 = 0x45,
    small_uint = 0x52,
    small_ulong = 0x53,
    boolean_ = 0x56,
    uint_32 = 0x70,
    ulong_64 = 0x80,
    list_8 = 0xc0,
    list_32 = 0xd0,
};

}  // namespace

bool EncodedValues::fail() {
    broken_ = true;
    rest_ = {};
    return false;
}

std::uint8_t EncodedValues::constructor() {
    if (rest_.empty())
        return null;
    const auto value = rest_.front();
    rest_ = rest_.subspan(1);
    return value;
}

std::uint64_t EncodedValues::number(std::size_t size) {
    if (rest_.size() < size)
        return fail(), 0;
    std::uint64_t value = 0;
    for (const auto octet : rest_.first(size))
        value = value << 8U | octet;
    rest_ = rest_.subspan(size);
    return value;
}

std::optional<std::uint32_t> EncodedValues::uint() {
    switch (constructor()) {
        case null:
            return std::nullopt;
        case uint_0:
            return 0U;
        case small_uint:
            return static_cast<std::uint32_t>(number(1));
        case uint_32:
            return static_cast<std::uint32_t>(number(4));
        default:
            fail();
            return std::nullopt;
    }
}

std::optional<bool> EncodedValues::boolean() {
    switch (constructor()) {
        case null:
            return std::nullopt;
        case true_:
            return true;
        case false_:
            return false;
        case boolean_:
            return number(1) != 0;
        default:
            fail();
            return std::nullopt;
    }
}

std::optional<std::string_view> EncodedValues::block(std::uint8_t short_form,
                                                     std::uint8_t long_form) {
    const auto form = constructor();
    if (form == null)
        return std::nullopt;
    if (form != short_form && form != long_form)
        return fail(), std::nullopt;
    const auto size = number(form == short_form ? 1 : 4);
    if (size > rest_.size())
        return fail(), std::nullopt;
    const auto content = base::as_text(rest_.first(size));
    rest_ = rest_.subspan(size);
    return content;
}

std::optional<std::string_view> EncodedValues::text() {
    return block(0xa1, 0xb1);
}

std::optional<std::string_view> EncodedValues::bytes() {
    return block(0xa0, 0xb0);
}

std::optional<EncodedValues::Described> EncodedValues::described() {
    const auto first = constructor();
    if (first == null)
        return std::nullopt;
    if (first != description)
        return fail(), std::nullopt;
    Described found;
    switch (constructor()) {
        case ulong_0:
            break;
        case small_ulong:
            found.code = number(1);
            break;
        case ulong_64:
            found.code = number(8);
            break;
        default:
            return fail(), std::nullopt;
    }
    found.value = rest_;
    if (!skip_plain())
        return std::nullopt;
    found.value = found.value.first(found.value.size() - rest_.size());
    return found;
}

EncodedValues EncodedValues::list() {
    const auto form = constructor();
    if (form == list_0)
        return EncodedValues({});
    const std::size_t width = form == list_8 ? 1 : 4;
    if (form != list_8 && form != list_32)
        return fail(), EncodedValues({});
    const auto size = number(width);
    if (size < width || size > rest_.size())
        return fail(), EncodedValues({});
    const auto members = rest_.first(size).subspan(width);  // behind their count
    rest_ = rest_.subspan(size);
    return EncodedValues(members);
}

// How much follows a constructor is in its upper half.
bool EncodedValues::skip_plain() {
    if (rest_.empty())
        return fail();
    const unsigned kind = static_cast<unsigned>(constructor()) >> 4U;
    std::uint64_t size = 0;
    if (kind >= 0x5 && kind <= 0x9)
        size = std::uint64_t{1} << (kind - 0x5U);
    else if (kind == 0xa || kind == 0xc || kind == 0xe)
        size = number(1);
    else if (kind == 0xb || kind == 0xd || kind == 0xf)
        size = number(4);
    else if (kind != 0x4)
        return fail();
    if (broken_ || size > rest_.size())
        return fail();
    rest_ = rest_.subspan(size);
    return true;
}

bool EncodedValues::skip() {
    if (rest_.empty() || rest_.front() != description)
        return skip_plain();
    rest_ = rest_.subspan(1);
    return skip_plain() && skip_plain();
}

}  // namespace mitral::cloud::amqp
