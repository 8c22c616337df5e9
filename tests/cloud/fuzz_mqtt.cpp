// MQTT as a hostile client sends it: framing, every parser, and that what is taken is within the
// input.
#include <cstdlib>

#include "cloud/mqtt/packet.hpp"

namespace {

using namespace mitral::cloud::mqtt;

void parse_body(const Frame& frame) {
    (void)parse_connect(frame.body);
    (void)parse_publish(frame);
    (void)parse_subscribe(frame.body);
    (void)parse_unsubscribe(frame.body);
    (void)parse_packet_id(frame.body);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    mitral::base::ByteView input(data, size);
    while (!input.empty()) {
        const auto frame = next_frame(input, 64 * 1024);
        if (!frame || !*frame)
            return 0;
        if ((*frame)->size == 0 || (*frame)->size > input.size())
            std::abort();
        parse_body(**frame);
        input = input.subspan((*frame)->size);
    }
    return 0;
}
