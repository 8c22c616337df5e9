#include "cloud/http/connection.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <utility>

#include "base/log.hpp"
#include "cloud/error.hpp"

namespace mitral::cloud::http {
namespace {

constexpr std::size_t chunk_size = 64 * 1024;

}  // namespace

Connection::Connection(front::Link& link, const Handler& handler, base::Milliseconds patience)
    : Protocol(link), link_(link), handler_(handler), patience_(patience) {}

Connection::~Connection() = default;

base::Result<std::size_t> Connection::on_bytes(base::ByteView input) {
    if (drains_) {
        *drains_ -= std::min(*drains_, input.size());
        if (*drains_ == 0)
            transport().close_when_sent("too large");
        return input.size();
    }
    std::size_t used = 0;
    // While an answer is not complete, later requests wait unread (RFC 9112 §9.3.2 keeps answers in
    // order).
    if (busy() && input.size() > max_header_bytes)
        return base::fail(CloudError::too_large, "requests pile up behind an answer");
    while (used < input.size() && !busy() && !upgraded_ && !transport().closing()) {
        std::size_t taken = 0;
        auto request = parser_.take(input.subspan(used), taken);
        if (!request) {
            if (request.error().code == CloudError::too_large)
                refuse_too_large(request.error().context);
            else
                send_error(400, request.error().context);
            return input.size();
        }
        used += taken;
        if (parser_.wants_continue())
            send_text("HTTP/1.1 100 Continue\r\n\r\n");
        if (*request) {
            if ((*request)->authorization.empty())
                (*request)->certificates = transport().certificates();
            answer(**request);
        }
        if (!*request && taken == 0)
            break;
    }
    left_unread_ = awaits_answer_ && used < input.size();
    return used;
}

void Connection::answer(const Request& request) {
    auto response = handler_(request);
    if (const auto later = std::move(response.later))
        return wait_for_answer(later, request.keep_alive);
    if (response.upgrade)
        return upgrade(std::move(response));
    send_response(std::move(response), request.keep_alive);
    if (!source_)
        transport().set_deadline(transport().clock().monotonic() + patience_);
}

void Connection::upgrade(Response response) {
    const auto make = std::move(response.upgrade);
    send_response(std::move(response), true);
    upgraded_ = true;
    link_.hand_over(make(link_));
}

void Connection::wait_for_answer(const std::shared_ptr<LateAnswer>& later, bool keep_alive) {
    awaits_answer_ = true;
    transport().clear_deadline();  // whoever promised the answer has one of its own
    transport().note_admitted();   // nobody promises strangers an answer
    later->on_given([this, keep_alive, alive = std::weak_ptr<bool>(alive_)](Response response) {
        if (alive.expired())
            return;
        awaits_answer_ = false;
        // A request that came meanwhile is not looked at again: its sender asks anew.
        send_response(std::move(response), keep_alive && !left_unread_);
        transport().set_deadline(transport().clock().monotonic() + patience_);
    });
}

void Connection::send_response(Response response, bool keep_alive) {
    std::string head = fmt::format("HTTP/1.1 {} {}\r\nServer: mitral-cloud\r\n", response.status,
                                   reason_phrase(response.status));
    if (response.status >= 200)  // RFC 9110 §6.6.1
        head.append("Date: ").append(http_date(transport().clock().wall())).append("\r\n");
    for (const auto& [name, value] : response.headers)
        head.append(name).append(": ").append(value).append("\r\n");
    if (!response.content_type.empty() && (response.source || !response.body.empty()))
        head.append("Content-Type: ").append(response.content_type).append("\r\n");
    const bool chunked = response.source && !response.length;
    if (response.length)
        head.append(fmt::format("Content-Length: {}\r\n", *response.length));
    else if (chunked)
        head.append("Transfer-Encoding: chunked\r\n");
    else if (response.status != 204 && response.status != 101 && response.status != 304)
        head.append(fmt::format("Content-Length: {}\r\n", response.body.size()));
    // A connection ends with its stream.
    head.append(keep_alive && !response.source ? "\r\n" : "Connection: close\r\n\r\n");
    send_text(head);
    if (response.cut_short) {
        send_text(std::string_view(response.body).substr(0, response.body.size() / 2));
        return transport().close_when_sent("fault: reply cut short");
    }
    send_text(response.body);
    if (response.source) {
        source_ = std::move(response.source);
        in_chunks_ = chunked;
        transport().clear_deadline();
        pump();
    } else if (!keep_alive) {
        transport().close_when_sent("answered");
    }
}

std::string http_date(base::WallTime time) {
    using namespace std::chrono;
    const sys_seconds instant{seconds(time.unix_seconds())};
    const auto day = floor<days>(instant);
    const year_month_day date(day);
    const hh_mm_ss<seconds> clock(instant - day);
    constexpr std::array<std::string_view, 7> weekdays{"Sun", "Mon", "Tue", "Wed",
                                                       "Thu", "Fri", "Sat"};
    constexpr std::array<std::string_view, 12> months{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    return fmt::format("{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT",
                       weekdays[weekday(day).c_encoding()], static_cast<unsigned>(date.day()),
                       months[static_cast<unsigned>(date.month()) - 1],
                       static_cast<int>(date.year()), clock.hours().count(),
                       clock.minutes().count(), clock.seconds().count());
}

void Connection::send_text(std::string_view text) {
    if (!text.empty())
        transport().send(base::as_bytes(text));
}

void Connection::send_error(unsigned status, std::string_view reason) {
    Response response;
    response.status = status;
    response.content_type = "text/plain; charset=utf-8";
    response.body = std::string(reason) + "\n";
    send_response(std::move(response), false);
}

void Connection::refuse_too_large(std::string_view reason) {
    send_text(fmt::format(
        "HTTP/1.1 413 {}\r\nServer: mitral-cloud\r\nDate: {}\r\nContent-Type: text/plain; "
        "charset=utf-8\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{}\n",
        reason_phrase(413), http_date(transport().clock().wall()), reason.size() + 1, reason));
    drains_ = most_drained;
    transport().set_deadline(transport().clock().monotonic() + drain_time);
}

void Connection::pump() {
    while (source_ && !transport().closing() && !transport().output_congested()) {
        auto piece = source_->next(chunk_size);
        if (!piece) {
            base::log(base::Severity::warning, "stream-failed",
                      {{"cause", piece.error().message()}});
            source_.reset();
            return transport().close("stream failed");
        }
        if (!in_chunks_)
            send_text(piece->data);
        else if (!piece->data.empty())
            send_text(fmt::format("{:x}\r\n{}\r\n", piece->data.size(), piece->data));
        if (piece->state == BodySource::State::finished) {
            if (in_chunks_)
                send_text("0\r\n\r\n");
            source_.reset();
            // A client that pipelined behind the stream would wait for bytes already received.
            return transport().close_when_sent("stream ended");
        }
        if (piece->state == BodySource::State::waiting) {
            transport().clear_deadline();
            return wait_for_more();
        }
    }
    // Who never reads must not keep its place for ever.
    if (source_ && !transport().closing())
        transport().set_deadline(transport().clock().monotonic() + patience_);
}

void Connection::wait_for_more() {
    if (std::exchange(waiting_, true))
        return;
    source_->on_more([this, alive = std::weak_ptr<bool>(alive_)] {
        if (alive.expired())
            return;
        waiting_ = false;
        pump();
    });
}

void Connection::on_writable() {
    pump();
}

std::string_view reason_phrase(unsigned status) noexcept {
    switch (status) {
        case 101:
            return "Switching Protocols";
        case 200:
            return "OK";
        case 202:
            return "Accepted";
        case 204:
            return "No Content";
        case 206:
            return "Partial Content";
        case 304:
            return "Not Modified";
        case 400:
            return "Bad Request";
        case 401:
            return "Unauthorized";
        case 403:
            return "Forbidden";
        case 404:
            return "Not Found";
        case 405:
            return "Method Not Allowed";
        case 409:
            return "Conflict";
        case 412:
            return "Precondition Failed";
        case 413:
            return "Content Too Large";
        case 416:
            return "Range Not Satisfiable";
        case 426:
            return "Upgrade Required";
        case 429:
            return "Too Many Requests";
        case 501:
            return "Not Implemented";
        case 503:
            return "Service Unavailable";
        case 504:
            return "Gateway Timeout";
        default:
            return "Internal Server Error";
    }
}

}  // namespace mitral::cloud::http
