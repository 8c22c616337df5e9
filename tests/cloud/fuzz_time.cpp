// Roughtime requests: what is taken has all that an answer needs, and no bit of it can change
// unnoticed.
#include <algorithm>
#include <cstdlib>

#include "cloud/time/request.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace mitral::cloud::time;
    const mitral::base::ByteView input(data, size);
    const auto request = read_request(input, Digest{});
    if (!request)
        return 0;
    if (size > max_request || (request->version != version_1 && request->version != version_drafts))
        std::abort();
    const auto message = Message::parse(input.subspan(packet_header_size));
    const auto nonce = message->find(tags::nonc);
    if (!std::equal(nonce->begin(), nonce->end(), request->nonce.begin(), request->nonce.end()))
        std::abort();
    mitral::base::Bytes other(input.begin(), input.end());
    other[other.size() - 1] ^= 1;
    const auto changed = read_request(other, Digest{});
    if (changed && changed->leaf == request->leaf)
        std::abort();
    return 0;
}
