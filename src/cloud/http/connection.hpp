#pragma once

#include <memory>

#include "cloud/front/link.hpp"
#include "cloud/http/message.hpp"
#include "cloud/http/parser.hpp"

namespace mitral::cloud::http {

// The server side of one HTTP/1.1 connection: one request at a time, answers in order, chunked
// streams.
class Connection : public front::Protocol {
  public:
    // Of a request that is too large so much is still taken, for so long: a client that is still
    // sending when the connection ends would not see its refusal.
    static constexpr std::size_t most_drained = 16 * 1024 * 1024;
    static constexpr base::Milliseconds drain_time{5'000};

    // `handler` outlives the connection. Who sends no whole request for `patience`, or reads
    // nothing of a stream, is cut off.
    Connection(front::Link& link, const Handler& handler,
               base::Milliseconds patience = std::chrono::minutes(2));
    ~Connection() override;

    [[nodiscard]] base::Result<std::size_t> on_bytes(base::ByteView input) override;
    void on_writable() override;

  private:
    void answer(const Request& request);
    void upgrade(Response response);
    void wait_for_answer(const std::shared_ptr<LateAnswer>& later, bool keep_alive);
    [[nodiscard]] bool busy() const noexcept { return source_ != nullptr || awaits_answer_; }
    void send_response(Response response, bool keep_alive);
    void send_text(std::string_view text);
    void send_error(unsigned status, std::string_view reason);
    void refuse_too_large(std::string_view reason);
    void pump();
    void wait_for_more();

    front::Link& link_;
    const Handler& handler_;
    base::Milliseconds patience_;
    RequestParser parser_;
    std::shared_ptr<BodySource> source_;                          // while a stream is being sent
    std::optional<std::size_t> drains_{};                         // bytes that may still come
    bool upgraded_ = false;                                       // another protocol takes over
    bool in_chunks_ = true;                                       // how it is sent
    bool awaits_answer_ = false;                                  // a late one
    bool left_unread_ = false;                                    // input behind a late answer
    bool waiting_ = false;                                        // the source will wake us
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  // expires with this object
};

// RFC 9110 §5.6.7: "Sun, 06 Nov 1994 08:49:37 GMT".
[[nodiscard]] std::string http_date(base::WallTime time);
[[nodiscard]] std::string_view reason_phrase(unsigned status) noexcept;

}  // namespace mitral::cloud::http
