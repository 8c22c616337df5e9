// WebSocket frames as a hostile client sends them, in two cuts: both must be heard alike, and what
// is taken is within the input.
#include <cstdlib>
#include <string>
#include <vector>

#include "cloud/websocket/reader.hpp"

namespace {

using namespace mitral::cloud::websocket;
using mitral::base::ByteView;

constexpr std::uint64_t limit = 2048;

std::string hear(ByteView input, std::size_t step) {
    Reader reader(limit);
    mitral::base::Bytes kept;
    mitral::base::Bytes data;
    std::string events;
    while (!input.empty()) {
        const auto piece = input.first(std::min(step, input.size()));
        kept.insert(kept.end(), piece.begin(), piece.end());
        input = input.subspan(piece.size());
        ByteView rest(kept);
        for (bool more = true; more;) {
            const auto event = reader.next(rest, data);
            if (!event)
                return events + "!" + std::string(event.error().what) +
                       std::string(data.begin(), data.end());
            more = *event != Reader::Event::needs_more;
            if (*event > Reader::Event::data)
                events += static_cast<char>('0' + static_cast<int>(*event));
            if (*event == Reader::Event::close)
                (void)parse_close(reader.control());
            if (reader.control().size() > max_control_payload)
                std::abort();
        }
        if (rest.size() > kept.size())
            std::abort();
        kept.erase(kept.begin(), kept.end() - static_cast<std::ptrdiff_t>(rest.size()));
        if (kept.size() > max_control_payload + 14)
            std::abort();  // nothing but an incomplete control frame or header is held
    }
    return events + std::string(data.begin(), data.end());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const ByteView input(data, size);
    if (hear(input, size + 1) != hear(input, 1))
        std::abort();
    return 0;
}
