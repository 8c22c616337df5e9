#pragma once

#include <memory>
#include <optional>
#include <string>

#include "cloud/http/message.hpp"

namespace mitral::cloud::http {

inline constexpr std::uint32_t max_header_bytes = 16 * 1024;
inline constexpr std::uint64_t max_body_bytes = 1024 * 1024;

// One request after the other from a stream of bytes (HTTP/1.1, RFC 9112). Not thread-safe.
class RequestParser {
  public:
    RequestParser();
    RequestParser(RequestParser&&) noexcept;
    RequestParser& operator=(RequestParser&&) noexcept;
    ~RequestParser();

    // Takes bytes from the front of `input`; how many is in `taken`. A request comes out when it is
    // complete, and the parser is ready for the next one. Errors: malformed_packet, too_large.
    [[nodiscard]] base::Result<std::optional<Request>> take(base::ByteView input,
                                                            std::size_t& taken);
    // True once after a request's header came with "Expect: 100-continue".
    [[nodiscard]] bool wants_continue();

  private:
    struct State;
    std::unique_ptr<State> state_;
};

// "a=b&c=d", percent-encoded, '+' is a space. Pairs with broken escapes are left out.
[[nodiscard]] std::map<std::string, std::string> parse_query(std::string_view text);

}  // namespace mitral::cloud::http
