#include "cloud/time/stream.hpp"

#include "cloud/error.hpp"
#include "cloud/time/responder.hpp"

namespace mitral::cloud::time {
namespace {

constexpr base::Milliseconds idle_timeout{30'000};

struct Packets {
    std::vector<base::ByteView> whole;
    std::size_t bytes = 0;
};

base::Result<Packets> split(base::ByteView input) {
    Packets packets;
    while (packets.whole.size() < Authority::max_batch &&
           input.size() - packets.bytes >= packet_header_size) {
        const auto rest = input.subspan(packets.bytes);
        MITRAL_TRY(const auto size, packet_size(rest));
        if (size > max_request)
            return base::fail(CloudError::too_large, "a request of more than 4096 bytes");
        if (size > rest.size())
            break;
        packets.whole.push_back(rest.first(static_cast<std::size_t>(size)));
        packets.bytes += static_cast<std::size_t>(size);
    }
    return packets;
}

}  // namespace

base::Result<std::size_t> Stream::on_bytes(base::ByteView input) {
    std::size_t used = 0;
    for (;;) {
        MITRAL_TRY(const auto packets, split(input.subspan(used)));
        if (packets.whole.empty())
            break;
        for (const auto& answer : responder_.answer(packets.whole)) {
            if (answer.empty())
                return base::fail(CloudError::malformed_packet, "no request to be answered");
            transport().send(answer);
        }
        used += packets.bytes;
    }
    if (used > 0)
        transport().set_deadline(transport().clock().monotonic() + idle_timeout);
    return used;
}

}  // namespace mitral::cloud::time
