#include "cloud/websocket/connection.hpp"

#include <utility>

namespace mitral::cloud::websocket {
namespace {

constexpr std::size_t kept_capacity = 4 * 1024;  // of an empty buffer; more goes back to the heap

base::Bytes frame_header(Opcode opcode, std::size_t length) {
    base::Bytes header;
    append_frame_header(header, opcode, length);
    return header;
}

}  // namespace

Connection::Connection(front::Link& link, const InnerFactory& make_inner)
    : Protocol(link), link_(link), inner_(make_inner(*this)) {
    link_.set_deadline(link_.clock().monotonic() + first_packet_timeout);
}

base::Result<std::size_t> Connection::on_bytes(base::ByteView input) {
    const auto received = input.size();
    while (state_ != State::deaf) {
        const auto event = reader_.next(input, data_);
        if (!event) {
            deliver();  // what came before is still good
            fail(event.error());
        } else if (*event == Reader::Event::needs_more) {
            deliver();
            return received - input.size();
        } else {
            handle(*event);
        }
    }
    return received;
}

void Connection::handle(Reader::Event event) {
    if (event == Reader::Event::close)
        return on_close_frame();
    if (event != Reader::Event::ping || state_ != State::open)
        return;
    link_.send(frame_header(Opcode::pong, reader_.control().size()));
    link_.send(reader_.control());
}

void Connection::on_close_frame() {
    deliver();
    const auto code = parse_close(reader_.control());
    if (!code)
        return fail(code.error());
    if (state_ == State::open) {
        send_close(*code);  // §5.5.1: usually the code that was received
        close_reason_ = "closed by the client";
    }
    state_ = State::deaf;
    link_.close_when_sent(close_reason_);
}

void Connection::deliver() {
    if (state_ == State::open && !data_.empty()) {
        delivering_ = true;
        const auto taken = inner_->on_bytes(data_);
        delivering_ = false;
        if (!taken)
            return fail({CloseCode::internal_error, "protocol inside failed"});
        data_.erase(data_.begin(), data_.begin() + static_cast<std::ptrdiff_t>(*taken));
        if (close_due_)
            begin_closing();
    }
    if (state_ != State::open)
        data_.clear();
    if (data_.empty() && data_.capacity() > kept_capacity)
        base::Bytes().swap(data_);
    link_.note_kept(data_.capacity());
}

void Connection::on_deadline() {
    if (state_ == State::open)
        inner_->on_deadline();
    else
        link_.close(close_reason_);
}

void Connection::on_closed(std::string_view reason) {
    state_ = State::deaf;
    end_inner(reason);
}

void Connection::send(base::ByteView bytes) {
    if (state_ != State::open || bytes.empty())
        return;
    link_.send(frame_header(Opcode::binary, bytes.size()));
    link_.send(bytes);
}

void Connection::send_after_commit(base::ByteView bytes) {
    if (state_ != State::open)
        return;
    link_.send_after_commit({});
    send(bytes);
}

void Connection::close_when_sent(std::string_view reason) {
    if (state_ != State::open || close_due_)
        return;
    close_reason_ = reason;
    // Its last answers follow once it has read what there is: the Close frame stands behind them.
    if (delivering_)
        close_due_ = true;
    else
        begin_closing();
}

bool Connection::closing() const noexcept {
    return state_ != State::open || link_.closing();
}

void Connection::set_deadline(base::MonotonicTime at) {
    if (state_ == State::open)
        link_.set_deadline(at);
}

void Connection::clear_deadline() noexcept {
    if (state_ == State::open)
        link_.clear_deadline();
}

bool Connection::output_congested() const noexcept {
    return link_.output_congested();
}

// The reason stays here: why a client was refused is for the server's log only.
void Connection::send_close(std::optional<CloseCode> code) {
    base::Bytes frame;
    append_close(frame, code);
    link_.send(frame);
}

void Connection::begin_closing() {
    send_close(CloseCode::normal);
    state_ = State::closing;
    link_.set_deadline(link_.clock().monotonic() + farewell_timeout);
}

// The connection stays for a moment: closing it over bytes that are still coming would reset it,
// and with it the Close frame.
void Connection::fail(const Violation& violation) {
    if (state_ == State::open) {
        send_close(violation.code);
        close_reason_ = violation.what;
        link_.set_deadline(link_.clock().monotonic() + farewell_timeout);
    }
    state_ = State::deaf;
    base::Bytes().swap(data_);
    link_.note_kept(0);
    end_inner(close_reason_);
}

void Connection::end_inner(std::string_view reason) {
    if (!std::exchange(inner_ended_, true))
        inner_->on_closed(reason);
}

}  // namespace mitral::cloud::websocket
