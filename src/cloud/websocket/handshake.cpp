#include "cloud/websocket/handshake.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <array>

#include "azure/text.hpp"
#include "base/encoding.hpp"

namespace mitral::cloud::websocket {
namespace {

constexpr std::string_view key_suffix = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";  // §1.3
constexpr std::string_view version = "13";
constexpr std::size_t key_bytes = 16;

std::string_view trimmed(std::string_view text) {
    const auto first = text.find_first_not_of(" \t");
    if (first == std::string_view::npos)
        return {};
    return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

// The token of a comma-separated list that equals `wanted` without regard to case.
std::string_view find_token(std::string_view list, std::string_view wanted) {
    while (!list.empty()) {
        const auto token = list.substr(0, list.find(','));
        list.remove_prefix(std::min(list.size(), token.size() + 1));
        if (azure::equal_ignoring_case(trimmed(token), wanted))
            return trimmed(token);
    }
    return {};
}

http::Response refusal(unsigned status, std::string_view reason) {
    http::Response response;
    response.status = status;
    response.body = std::string(R"({"Message":")").append(reason).append("\"}");
    return response;
}

bool is_key(std::string_view text) {
    const auto bytes = base::from_base64(text);
    return bytes && bytes->size() == key_bytes;
}

std::string_view missing(const http::Request& request) {
    if (request.method != http::Method::get || request.version < 11)
        return "a WebSocket opens with GET of HTTP/1.1";
    if (request.header("host").empty())
        return "no Host";
    if (find_token(request.header("upgrade"), "websocket").empty())
        return "no Upgrade: websocket";
    if (find_token(request.header("connection"), "upgrade").empty())
        return "no Connection: Upgrade";
    if (!is_key(request.header("sec-websocket-key")))
        return "Sec-WebSocket-Key is not 16 bytes in base64";
    return {};
}

}  // namespace

std::string accept_key(std::string_view key) {
    const auto text = std::string(key).append(key_suffix);
    std::array<std::uint8_t, EVP_MAX_MD_SIZE> digest{};
    unsigned size = 0;
    if (EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_sha1(), nullptr) != 1)
        return {};
    return base::to_base64(base::ByteView(digest).first(size));
}

std::string_view offered_subprotocol(const http::Request& request, std::string_view wanted) {
    return find_token(request.header("sec-websocket-protocol"), wanted);
}

http::Response answer_handshake(const http::Request& request, std::string_view subprotocol) {
    if (const auto what = missing(request); !what.empty())
        return refusal(400, what);
    if (request.header("sec-websocket-version") != version) {
        auto response = refusal(426, "WebSocket version is not 13");
        response.headers.emplace_back("Sec-WebSocket-Version", version);
        return response;
    }
    const auto chosen = offered_subprotocol(request, subprotocol);
    if (chosen.empty())
        return refusal(400, "subprotocol " + std::string(subprotocol) + " is not offered");
    const auto accepted = accept_key(request.header("sec-websocket-key"));
    if (accepted.empty())
        return refusal(500, "no digest");
    http::Response response;
    response.status = 101;
    response.headers = {{"Upgrade", "websocket"},
                        {"Connection", "Upgrade"},
                        {"Sec-WebSocket-Accept", accepted},
                        {"Sec-WebSocket-Protocol", std::string(chosen)}};
    return response;
}

}  // namespace mitral::cloud::websocket
