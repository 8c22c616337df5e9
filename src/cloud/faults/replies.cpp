#include "cloud/faults/replies.hpp"

#include <algorithm>
#include <array>

#include "cloud/mqtt/packet.hpp"

namespace mitral::cloud::faults {
namespace {

using mqtt::PacketType;
using Kinds = std::vector<std::string_view>;

constexpr std::size_t no_limit = 0x10000000;  // §2.2.3: no packet is longer
constexpr std::string_view twin_answer = "$iothub/twin/res/200/";

void append(base::Bytes& out, base::ByteView bytes) {
    out.insert(out.end(), bytes.begin(), bytes.end());
}

std::optional<mqtt::Publish> as_twin(const mqtt::Frame& frame) {
    if (frame.type != PacketType::publish)
        return std::nullopt;
    const auto publish = mqtt::parse_publish(frame);
    if (!publish || !publish->topic.starts_with(twin_answer))
        return std::nullopt;
    return *publish;
}

Kinds kinds_for(const mqtt::Frame& frame) {
    switch (frame.type) {
        case PacketType::connack:
            return {"connack", "truncated"};
        case PacketType::puback:
        case PacketType::suback:
        case PacketType::unsuback:
            return {"packet-id", "truncated"};
        case PacketType::publish:
            return as_twin(frame) ? Kinds{"twin-json", "truncated"} : Kinds{"truncated"};
        default:
            return {};
    }
}

// The kind to strike with: the one that was ordered, or for "any" one that fits.
std::string_view choose(const Kinds& fitting, std::string_view wanted, Dice& dice) {
    if (fitting.empty())
        return {};
    if (wanted == "any")
        return fitting[dice.below(fitting.size())];
    const auto found = std::ranges::find(fitting, wanted);  // `wanted` ends with its order
    return found == fitting.end() ? std::string_view() : *found;
}

// A code that is reserved, flags that are reserved, a length that is not 2 (§3.2).
base::Bytes broken_connack(Dice& dice) {
    static constexpr std::array<std::array<std::uint8_t, 5>, 3> forms{
        {{0x20, 2, 0, 0x7f}, {0x20, 2, 0xfe, 0}, {0x20, 3, 0, 0, 0}}};
    const auto& form = forms[dice.below(forms.size())];
    return {form.begin(), form.begin() + 2 + form[1]};
}

// Far from the ids that a client counts up from 1, and never 0.
base::Bytes with_other_id(base::ByteView packet, const mqtt::Frame& frame) {
    base::Bytes out(packet.begin(), packet.end());
    auto& high = out[packet.size() - frame.body.size()];
    high ^= 0x80U;
    if (high == 0 && out[packet.size() - frame.body.size() + 1] == 0)
        high = 0x40;
    return out;
}

std::string broken_twin(std::string_view json, Dice& dice) {
    switch (dice.below(4)) {
        case 0:
            return std::string(json.substr(0, json.size() / 2));
        case 1:
            return "[1,2]";
        case 2:
            return R"({"desired":null})";
        default:
            return R"({"desired":{"$version":"x"},"reported":7})";
    }
}

base::Bytes broken(std::string_view kind, base::ByteView packet, const mqtt::Frame& frame,
                   Dice& dice) {
    if (kind == "connack")
        return broken_connack(dice);
    if (kind == "packet-id")
        return with_other_id(packet, frame);
    if (kind == "twin-json") {
        const auto publish = as_twin(frame);
        base::Bytes out;
        mqtt::append_publish(out, publish->topic,
                             base::as_bytes(broken_twin(base::as_text(publish->payload), dice)));
        return out;
    }
    const auto half = packet.first((packet.size() + 1) / 2);
    return {half.begin(), half.end()};
}

}  // namespace

bool Replies::distort(base::Bytes& packets) {
    if (faults_.in_force(Fault::malformed) == nullptr)
        return false;
    base::Bytes out;
    for (base::ByteView rest = packets; !rest.empty();) {
        const auto frame = mqtt::next_frame(rest, no_limit);
        if (!frame || !*frame) {  // not ours to judge
            append(out, rest);
            break;
        }
        const auto packet = rest.first((*frame)->size);
        rest = rest.subspan(packet.size());
        const auto kind = faults_.malformation([&](std::string_view wanted, Dice& dice) {
            return choose(kinds_for(**frame), wanted, dice);
        });
        append(out, kind.empty() ? base::Bytes(packet.begin(), packet.end())
                                 : broken(kind, packet, **frame, faults_.dice(Fault::malformed)));
        if (kind == "truncated") {
            packets = std::move(out);
            return true;
        }
    }
    packets = std::move(out);
    return false;
}

void Replies::distort(http::Response& response) {
    if (response.source || response.later || response.body.empty())
        return;
    const auto kind = faults_.malformation([](std::string_view wanted, Dice& dice) {
        return choose({"http-json", "http-html", "http-cut"}, wanted, dice);
    });
    if (kind == "http-json") {
        response.body.resize(response.body.size() / 2);
    } else if (kind == "http-html") {
        response.content_type = "text/html";
        response.body =
            "<html><body><h1>Our services aren't available right now</h1></body></html>";
    } else if (kind == "http-cut") {
        response.cut_short = true;
    }
}

}  // namespace mitral::cloud::faults
