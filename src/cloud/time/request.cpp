#include "cloud/time/request.hpp"

#include <algorithm>

#include "cloud/error.hpp"

namespace mitral::cloud::time {
namespace {

constexpr std::size_t max_versions = 32;

std::unexpected<base::Error> ignored(const char* what) {
    return base::fail(CloudError::malformed_packet, what);
}

// The newest version that both sides know.
base::Result<std::uint32_t> choose_version(base::ByteView list) {
    if (list.empty() || list.size() % 4 != 0 || list.size() / 4 > max_versions)
        return ignored("VER");
    bool knows_1 = false;
    bool knows_drafts = false;
    for (std::size_t at = 0; at < list.size(); at += 4) {
        const auto version = load_u32(list.subspan(at));
        if (at > 0 && version <= load_u32(list.subspan(at - 4)))
            return ignored("VER is not in ascending order");
        knows_1 = knows_1 || version == version_1;
        knows_drafts = knows_drafts || version == version_drafts;
    }
    if (knows_1)
        return version_1;
    if (knows_drafts)
        return version_drafts;
    return base::fail(CloudError::not_found, "no version in common");
}

bool is_zero(base::ByteView bytes) {
    return std::all_of(bytes.begin(), bytes.end(), [](std::uint8_t byte) { return byte == 0; });
}

}  // namespace

base::Result<Request> read_request(base::ByteView packet, const Digest& srv) {
    if (packet.size() < packet_header_size || packet.size() > max_request)
        return ignored("size");
    MITRAL_TRY(const auto size, packet_size(packet));
    if (size != packet.size())
        return ignored("length");
    MITRAL_TRY(const auto message, Message::parse(packet.subspan(packet_header_size)));
    const auto versions = message.find(tags::ver);
    const auto nonce = message.find(tags::nonc);
    const auto type = message.find(tags::type);
    if (!versions || !nonce || !type)
        return ignored("a tag is missing");
    Request request;
    if (nonce->size() != request.nonce.size())
        return ignored("NONC");
    if (type->size() != 4 || load_u32(*type) != 0)
        return ignored("TYPE");
    if (const auto padding = message.find(tags::zzzz); padding && !is_zero(*padding))
        return ignored("ZZZZ");
    if (const auto server = message.find(tags::srv);
        server && !std::equal(server->begin(), server->end(), srv.begin(), srv.end()))
        return base::fail(CloudError::not_found, "another server's key");
    MITRAL_TRY(request.version, choose_version(*versions));
    std::copy(nonce->begin(), nonce->end(), request.nonce.begin());
    constexpr std::array<std::uint8_t, 1> leaf{0x00};
    request.leaf = digest({leaf, packet});
    return request;
}

}  // namespace mitral::cloud::time
