// Requests and responses as values; no library types.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "net/tls.hpp"

namespace mitral::cloud::front {
class Link;
class Protocol;
}  // namespace mitral::cloud::front

namespace mitral::cloud::http {

enum class Method : std::uint8_t { get, put, post, patch, remove, other };

struct Request {
    Method method = Method::other;
    std::string path;                          // as sent, without the query
    std::map<std::string, std::string> query;  // decoded; the last of equal names
    std::string authorization;
    // What the client showed in its TLS handshake, unjudged; only without `authorization`.
    net::CertificateChain certificates;
    std::string if_match;
    // Lower-case names; the last of equal ones, but those of an upgrade are joined with commas.
    std::map<std::string, std::string> headers;
    std::string body;
    unsigned version = 11;  // of HTTP, 11 is 1.1
    bool keep_alive = true;

    [[nodiscard]] std::string_view parameter(const std::string& name) const {
        const auto found = query.find(name);
        return found == query.end() ? std::string_view() : std::string_view(found->second);
    }
    [[nodiscard]] std::string_view header(const std::string& lower_case_name) const {
        const auto found = headers.find(lower_case_name);
        return found == headers.end() ? std::string_view() : std::string_view(found->second);
    }
};

// A body that is made while it is sent, and may wait for more to happen.
class BodySource {
  public:
    enum class State : std::uint8_t { more, waiting, finished };
    struct Piece {
        State state = State::finished;
        std::string data;
    };
    virtual ~BodySource() = default;
    [[nodiscard]] virtual base::Result<Piece> next(std::size_t limit) = 0;
    // `wake` is to be called (from the loop's thread) once a `waiting` source has more.
    virtual void on_more(std::function<void()> wake) = 0;
};

struct Response;

// An answer that is made after its handler has returned, on the loop's thread. The connection that
// waits for it may be gone by then.
class LateAnswer {
  public:
    // The first one counts.
    void give(Response response);
    // `take` is called once: now, if the answer is there already.
    void on_given(std::function<void(Response)> take);

  private:
    std::unique_ptr<Response> given_;
    std::function<void(Response)> take_;
    bool done_ = false;
};

struct Response {
    unsigned status = 200;
    std::string content_type = "application/json; charset=utf-8";
    std::string body;
    std::vector<std::pair<std::string, std::string>> headers;
    std::unique_ptr<BodySource> source;     // instead of `body`, sent in chunks
    std::optional<std::uint64_t> length{};  // of what `source` gives; with it there are no chunks
    std::shared_ptr<LateAnswer> later;      // instead of all of the above
    // With 101: makes what takes the connection over once this answer is queued.
    std::function<std::unique_ptr<front::Protocol>(front::Link&)> upgrade{};
    bool cut_short = false;  // half of the body, then the connection ends (a fault)
};

using Handler = std::function<Response(const Request&)>;

}  // namespace mitral::cloud::http
