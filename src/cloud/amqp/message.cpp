#include "cloud/amqp/message.hpp"

#include <fmt/format.h>
#include <proton/codec.h>
#include <proton/message.h>

#include <algorithm>
#include <cstdlib>
#include <memory>

#include "base/clock.hpp"
#include "base/encoding.hpp"
#include "cloud/amqp/sections.hpp"
#include "cloud/error.hpp"

namespace mitral::cloud::amqp {
namespace {

struct FreeMessage {
    void operator()(pn_message_t* message) const noexcept { pn_message_free(message); }
};
using MessagePtr = std::unique_ptr<pn_message_t, FreeMessage>;

std::string to_string(pn_bytes_t bytes) {
    return bytes.start == nullptr ? std::string() : std::string(bytes.start, bytes.size);
}

pn_bytes_t to_bytes(std::string_view text) {
    return pn_bytes(text.size(), text.data());
}

std::string or_empty(const char* text) {
    return text == nullptr ? std::string() : std::string(text);
}

Uuid to_uuid(pn_uuid_t from) {
    Uuid uuid;
    std::copy_n(from.bytes, uuid.bytes.size(), uuid.bytes.begin());
    return uuid;
}

Value read_value(pn_data_t* data) {
    switch (pn_data_type(data)) {
        case PN_BOOL:
            return pn_data_get_bool(data);
        case PN_UBYTE:
            return std::uint64_t{pn_data_get_ubyte(data)};
        case PN_BYTE:
            return std::int64_t{pn_data_get_byte(data)};
        case PN_USHORT:
            return std::uint64_t{pn_data_get_ushort(data)};
        case PN_SHORT:
            return std::int64_t{pn_data_get_short(data)};
        case PN_UINT:
            return std::uint64_t{pn_data_get_uint(data)};
        case PN_INT:
            return std::int64_t{pn_data_get_int(data)};
        case PN_ULONG:
            return pn_data_get_ulong(data);
        case PN_LONG:
            return pn_data_get_long(data);
        case PN_FLOAT:
            return fmt::format("{}", pn_data_get_float(data));
        case PN_DOUBLE:
            return fmt::format("{}", pn_data_get_double(data));
        case PN_TIMESTAMP:
            return Timestamp{pn_data_get_timestamp(data)};
        case PN_UUID:
            return to_uuid(pn_data_get_uuid(data));
        case PN_BINARY:
            return Binary{to_string(pn_data_get_binary(data))};
        case PN_STRING:
            return to_string(pn_data_get_string(data));
        case PN_SYMBOL:
            return to_string(pn_data_get_symbol(data));
        default:
            return {};
    }
}

Map read_map(pn_data_t* data) {
    Map map;
    pn_data_rewind(data);
    if (!pn_data_next(data) || pn_data_type(data) != PN_MAP || !pn_data_enter(data))
        return map;
    while (pn_data_next(data)) {
        auto name = text_of(read_value(data));
        if (!pn_data_next(data))
            break;
        map.emplace_back(std::move(name), read_value(data));
    }
    return map;
}

Value read_id(pn_msgid_t id) {
    switch (id.type) {
        case PN_ULONG:
            return id.u.as_ulong;
        case PN_UUID:
            return to_uuid(id.u.as_uuid);
        case PN_BINARY:
            return Binary{to_string(id.u.as_bytes)};
        case PN_STRING:
            return to_string(id.u.as_bytes);
        default:
            return {};
    }
}

std::string read_body(pn_data_t* data) {
    pn_data_rewind(data);
    if (!pn_data_next(data))
        return {};
    const auto value = read_value(data);
    if (const auto* binary = std::get_if<Binary>(&value))
        return binary->bytes;
    return text_of(value);
}

void put_value(pn_data_t* data, const Value& value);

void put_strings(pn_data_t* data, const std::vector<std::string>& texts) {
    pn_data_put_array(data, false, PN_STRING);
    pn_data_enter(data);
    for (const auto& text : texts)
        pn_data_put_string(data, to_bytes(text));
    pn_data_exit(data);
}

pn_uuid_t from_uuid(const Uuid& uuid) {
    pn_uuid_t to{};
    std::copy(uuid.bytes.begin(), uuid.bytes.end(), to.bytes);
    return to;
}

struct Put {
    pn_data_t* data;
    void operator()(std::monostate) const { pn_data_put_null(data); }
    void operator()(bool value) const { pn_data_put_bool(data, value); }
    void operator()(std::int32_t value) const { pn_data_put_int(data, value); }
    void operator()(std::int64_t value) const { pn_data_put_long(data, value); }
    void operator()(std::uint64_t value) const { pn_data_put_ulong(data, value); }
    void operator()(Timestamp value) const { pn_data_put_timestamp(data, value.ms); }
    void operator()(const std::string& value) const { pn_data_put_string(data, to_bytes(value)); }
    void operator()(const Binary& value) const { pn_data_put_binary(data, to_bytes(value.bytes)); }
    void operator()(const Uuid& value) const { pn_data_put_uuid(data, from_uuid(value)); }
    void operator()(const std::vector<std::string>& value) const { put_strings(data, value); }
};

void put_value(pn_data_t* data, const Value& value) {
    std::visit(Put{data}, value);
}

enum class Keys : std::uint8_t { strings, symbols };

void put_map(pn_data_t* data, const Map& map, Keys keys) {
    pn_data_put_map(data);
    pn_data_enter(data);
    for (const auto& [name, value] : map) {
        if (keys == Keys::symbols)
            pn_data_put_symbol(data, to_bytes(name));
        else
            pn_data_put_string(data, to_bytes(name));
        put_value(data, value);
    }
    pn_data_exit(data);
}

void put_id(pn_data_t* data, const Value& id) {
    if (!std::holds_alternative<std::monostate>(id))
        put_value(data, id);
}

void put_body(pn_message_t* to, const Message& message) {
    auto* data = pn_message_body(to);
    if (const auto* map = std::get_if<Map>(&message.body))
        return put_map(data, *map, Keys::strings);
    if (const auto* text = std::get_if<std::string>(&message.body)) {
        if (!text->empty())
            pn_data_put_string(data, to_bytes(*text));
        return;
    }
    pn_message_set_inferred(to, true);
    pn_data_put_binary(data, to_bytes(std::get<Binary>(message.body).bytes));
}

void put_texts(pn_message_t* to, const Message& message) {
    const auto set = [to](auto setter, const std::string& text) {
        if (!text.empty())
            setter(to, text.c_str());
    };
    set(pn_message_set_address, message.to);
    set(pn_message_set_reply_to, message.reply_to);
    set(pn_message_set_content_type, message.content_type);
    set(pn_message_set_content_encoding, message.content_encoding);
    if (!message.user_id.empty())
        pn_message_set_user_id(to, to_bytes(message.user_id));
}

}  // namespace

std::string text_of(const Value& value) {
    if (const auto* text = std::get_if<std::string>(&value))
        return *text;
    if (const auto* number = std::get_if<std::uint64_t>(&value))
        return std::to_string(*number);
    if (const auto* number = std::get_if<std::int64_t>(&value))
        return std::to_string(*number);
    if (const auto* truth = std::get_if<bool>(&value))
        return *truth ? "true" : "false";
    if (const auto* time = std::get_if<Timestamp>(&value))
        return base::to_iso8601(base::WallTime{time->ms});
    const auto* uuid = std::get_if<Uuid>(&value);
    const auto* binary = std::get_if<Binary>(&value);
    std::string hex;
    if (uuid != nullptr)
        hex = base::to_hex(uuid->bytes);
    else if (binary != nullptr)
        hex = base::to_hex(base::as_bytes(binary->bytes));
    // Microsoft's Node SDK sends ids that look like UUIDs as 16 bytes.
    if (hex.size() == 32)
        for (const std::size_t at : {20U, 16U, 12U, 8U})
            hex.insert(at, 1, '-');
    return hex;
}

std::string text_property(const Message& message, std::string_view name) {
    for (const auto& [known, value] : message.properties)
        if (known == name)
            return text_of(value);
    return {};
}

base::Result<Message> decode_message(base::ByteView bytes) {
    const MessagePtr from(pn_message());
    const auto* start = reinterpret_cast<const char*>(bytes.data());
    // The library would end the process over an empty one.
    if (!from || bytes.empty() || !are_sections(bytes) ||
        pn_message_decode(from.get(), start, bytes.size()) != 0)
        return base::fail(CloudError::malformed_packet, "no AMQP message");
    auto* raw = from.get();
    Message message{.id = read_id(pn_message_get_id(raw)),
                    .correlation_id = read_id(pn_message_get_correlation_id(raw)),
                    .user_id = to_string(pn_message_get_user_id(raw)),
                    .to = or_empty(pn_message_get_address(raw)),
                    .reply_to = or_empty(pn_message_get_reply_to(raw)),
                    .content_type = or_empty(pn_message_get_content_type(raw)),
                    .content_encoding = or_empty(pn_message_get_content_encoding(raw)),
                    .expires_ms = pn_message_get_expiry_time(raw),
                    .ttl_ms = pn_message_get_ttl(raw)};
    message.annotations = read_map(pn_message_annotations(raw));
    message.properties = read_map(pn_message_properties(raw));
    message.body = Binary{read_body(pn_message_body(raw))};
    return message;
}

base::Result<base::Bytes> encode_message(const Message& message) {
    const MessagePtr to(pn_message());
    if (!to)
        return base::fail(std::make_error_code(std::errc::not_enough_memory), "AMQP message");
    put_texts(to.get(), message);
    put_id(pn_message_id(to.get()), message.id);
    put_id(pn_message_correlation_id(to.get()), message.correlation_id);
    if (message.expires_ms != 0)
        pn_message_set_expiry_time(to.get(), message.expires_ms);
    if (!message.annotations.empty())
        put_map(pn_message_annotations(to.get()), message.annotations, Keys::symbols);
    if (!message.properties.empty())
        put_map(pn_message_properties(to.get()), message.properties, Keys::strings);
    put_body(to.get(), message);
    pn_rwbytes_t buffer{};
    const auto size = pn_message_encode2(to.get(), &buffer);
    const std::unique_ptr<char, decltype(&std::free)> owned(buffer.start, &std::free);
    if (size < 0)
        return base::fail(CloudError::invalid_argument, "message cannot be encoded");
    const auto* start = reinterpret_cast<const std::uint8_t*>(buffer.start);
    return base::Bytes(start, start + size);
}

}  // namespace mitral::cloud::amqp
