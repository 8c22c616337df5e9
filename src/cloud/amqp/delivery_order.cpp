#include "cloud/amqp/delivery_order.hpp"

#include <algorithm>
#include <optional>

#include "cloud/error.hpp"

namespace mitral::cloud::amqp {
namespace {

// Beyond it a peer has to name its deliveries on each transfer.
constexpr std::size_t most_under_way = 64;
constexpr std::size_t longest_tag = 32;  // part 2, § 2.8.7

constexpr std::uint8_t null = 0x40;
enum Performative : std::uint8_t {
    open = 0x10,
    begin = 0x11,
    attach = 0x12,
    transfer = 0x14,
    detach = 0x16,
    end = 0x17,
    close = 0x18,
};

auto malformed(const char* why) {
    return base::fail(CloudError::malformed_packet, why);
}

// Reads the encodings of part 1, § 1.6 that a transfer's fields may have. Past the end everything
// is null.
class Fields {
  public:
    explicit Fields(base::ByteView bytes) : rest_(bytes) {}

    std::uint8_t byte() {
        if (rest_.empty())
            return null;
        const auto value = rest_.front();
        rest_ = rest_.subspan(1);
        return value;
    }
    std::uint64_t number(std::size_t size) {
        std::uint64_t value = 0;
        if (rest_.size() < size)
            return broken_ = true, rest_ = {}, value;
        for (const auto octet : rest_.first(size))
            value = value << 8U | octet;
        rest_ = rest_.subspan(size);
        return value;
    }
    std::optional<std::uint32_t> uint() {
        switch (byte()) {
            case 0x43:
                return 0U;
            case 0x52:
                return static_cast<std::uint32_t>(number(1));
            case 0x70:
                return static_cast<std::uint32_t>(number(4));
            case null:
                return std::nullopt;
            default:
                broken_ = true;
                return std::nullopt;
        }
    }
    bool boolean() {
        switch (byte()) {
            case 0x41:
                return true;
            case 0x56:
                return number(1) != 0;
            case 0x42:
            case null:
                return false;
            default:
                broken_ = true;
                return false;
        }
    }
    void skip_tag() {
        const auto code = byte();
        if (code == null)
            return;
        const auto size = code == 0xa0 ? number(1) : code == 0xb0 ? number(4) : longest_tag + 1;
        if (size > longest_tag || size > rest_.size())
            broken_ = true;
        else
            rest_ = rest_.subspan(size);
    }
    base::ByteView list() {
        const auto code = byte();
        if (code == 0x45)
            return {};
        const std::size_t width = code == 0xc0 ? 1 : 4;
        if (code != 0xc0 && code != 0xd0)
            return broken_ = true, base::ByteView{};
        const auto size = number(width);
        auto content = rest_.first(std::min<std::size_t>(rest_.size(), size));
        broken_ = broken_ || content.size() < width;
        return content.subspan(std::min(width, content.size()));
    }
    // Nothing but values that say nothing.
    bool only_defaults() {
        while (!rest_.empty()) {
            const auto code = byte();
            if (code == 0x50)
                number(1);
            else if (code != null && code != 0x42)
                return false;
        }
        return true;
    }
    [[nodiscard]] bool broken() const { return broken_; }

  private:
    base::ByteView rest_;
    bool broken_ = false;
};

// The performative's code; none when it is something else.
std::optional<std::uint8_t> performative(Fields& fields) {
    if (fields.byte() != 0)
        return std::nullopt;
    const auto form = fields.byte();
    const auto code = fields.number(form == 0x53 ? 1 : form == 0x80 ? 8 : 0);
    if (fields.broken() || code < open || code > close)
        return std::nullopt;
    return static_cast<std::uint8_t>(code);
}

}  // namespace

base::Status DeliveryOrder::judge(std::uint16_t channel, base::ByteView start) {
    if (start.empty())
        return {};  // a heartbeat
    Fields fields(start);
    const auto code = performative(fields);
    if (!code)
        return malformed("a frame without performative");
    if (code == transfer) {
        const auto list = fields.list();
        if (fields.broken())
            return malformed("a transfer that is no list");
        return judge_transfer(channel, list);
    }
    if (code == begin || code == attach || code == detach || code == end)
        std::erase_if(under_way_, [&](const auto& known) { return known.channel == channel; });
    return {};
}

base::Status DeliveryOrder::judge_transfer(std::uint16_t channel, base::ByteView list) {
    Fields fields(list);
    const auto handle = fields.uint();
    const auto delivery_id = fields.uint();
    fields.skip_tag();
    (void)fields.uint();     // message-format
    (void)fields.boolean();  // settled
    const bool more = fields.boolean();
    if (fields.broken() || !handle)
        return malformed("a transfer that cannot be read");
    const Delivery delivery{.channel = channel, .handle = *handle};
    const auto known = std::ranges::find(under_way_, delivery);
    if (!delivery_id && known == under_way_.end())
        return malformed("a transfer without delivery-id");
    // What has a state, or was aborted, has to be named again.
    const bool goes_on = more && fields.only_defaults();
    if (known != under_way_.end() && !goes_on)
        under_way_.erase(known);
    else if (known == under_way_.end() && goes_on && under_way_.size() < most_under_way)
        under_way_.push_back(delivery);
    return {};
}

}  // namespace mitral::cloud::amqp
