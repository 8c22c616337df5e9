#include "hub_device.hpp"

#include <sys/socket.h>

#include <array>
#include <utility>

#include "net/connect.hpp"
#include "net/error.hpp"

namespace mitral::bench {
namespace {

using base::ByteView;
using base::EventLoop;
using Kind = net::IoOutcome::Kind;

constexpr std::uint16_t keep_alive_s = 1000;
constexpr std::uint8_t connack = 0x20;
constexpr std::uint8_t puback = 0x40;
constexpr std::size_t most_unsent = 32 * 1024;

// Fixed header (MQTT 3.1.1 §2.2) and what follows it.
base::Bytes packet(std::uint8_t type, const base::Bytes& rest) {
    base::Bytes out{type};
    for (auto length = rest.size();;) {
        const auto digit = static_cast<std::uint8_t>(length & 0x7f);
        length >>= 7;
        out.push_back(length > 0 ? static_cast<std::uint8_t>(digit | 0x80) : digit);
        if (length == 0)
            break;
    }
    out.insert(out.end(), rest.begin(), rest.end());
    return out;
}

std::unexpected<base::Error> refuse(const char* what) {
    return base::fail(net::NetError::connection_lost, what);
}

}  // namespace

Device::Device(const HubSide& hub, Credentials credentials, Listener listener)
    : hub_(hub), credentials_(std::move(credentials)), listener_(std::move(listener)) {
    base::ByteWriter rest;
    rest.text16("devices/" + credentials_.device +
                "/messages/events/%24.mid=m-0001&%24.ct=application%2Fjson&%24.ce=utf-8"
                "&schema=mitral.vitals%2F1");
    rest.u16(0);
    rest.text(hub_.payload);
    publish_ = packet(0x32, rest.bytes());
    packet_id_at_ = publish_.size() - hub_.payload.size() - 2;
}

void Device::connect() {
    auto socket = net::start_connect({"127.0.0.1", hub_.port});
    if (!socket)
        return listener_(Event::lost, 0);
    connecting_ = *std::move(socket);
    interest_ = EventLoop::writable;
    const auto watched = hub_.loop.watch(connecting_.get(), interest_,
                                         [this](std::uint32_t ready) { on_ready(ready); });
    if (!watched)
        lose();
}

void Device::vanish() {
    const int fd = stream_ ? stream_->fd() : connecting_.get();
    if (fd < 0)
        return;
    hub_.loop.unwatch(fd);
    const linger at_once{1, 0};
    (void)::setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    stream_.reset();
    connecting_.reset();
    handshaken_ = ready_ = false;
    output_.clear();
    sent_ = answer_size_ = 0;
    to_send_ = in_flight_ = 0;
}

void Device::publish(std::uint32_t count) {
    to_send_ += count;
    if (!write_some())
        lose();
}

void Device::on_ready(std::uint32_t) {
    const auto status = advance();
    if (acknowledged_ > 0)
        listener_(Event::acknowledged, std::exchange(acknowledged_, 0));
    if (!status)
        lose();
}

base::Status Device::advance() {
    if (!stream_)
        MITRAL_CHECK(begin_tls());
    if (!handshaken_) {
        MITRAL_TRY(const auto outcome, stream_->handshake());
        handshaken_ = outcome.kind == Kind::done;
        const auto wanted =
            outcome.kind == Kind::want_write ? EventLoop::writable : EventLoop::readable;
        if (wanted != std::exchange(interest_, wanted))
            MITRAL_CHECK(hub_.loop.modify(stream_->fd(), wanted));
        if (!handshaken_)
            return {};
        queue_connect();
    }
    MITRAL_CHECK(read_answers());
    return write_some();
}

base::Status Device::begin_tls() {
    MITRAL_CHECK(net::connection_result(connecting_.get(), {"127.0.0.1", hub_.port}));
    MITRAL_TRY(auto stream, hub_.tls.connect(std::move(connecting_), hub_.name));
    stream_ = std::move(stream);
    return {};
}

base::Status Device::read_answers() {
    std::array<std::uint8_t, 16 * 1024> bytes;
    while (true) {
        MITRAL_TRY(const auto outcome, stream_->read(bytes));
        if (outcome.kind == Kind::closed)
            return refuse("closed");
        if (outcome.kind != Kind::done)
            return {};
        for (const auto byte : ByteView(bytes).first(outcome.bytes)) {
            answer_[answer_size_++] = byte;
            if (answer_size_ == answer_.size()) {
                answer_size_ = 0;
                MITRAL_CHECK(take_answer());
            }
        }
    }
}

base::Status Device::take_answer() {
    if (answer_[1] != 2)
        return refuse("an answer that was not expected");
    if (!ready_ && answer_[0] == connack) {
        ready_ = answer_[3] == 0;
        listener_(ready_ ? Event::connected : Event::refused, answer_[3]);
        return {};
    }
    if (answer_[0] != puback || in_flight_ == 0)
        return refuse("an answer that was not expected");
    --in_flight_;
    ++acknowledged_;
    return {};
}

base::Status Device::write_some() {
    while (true) {
        if (sent_ == output_.size())
            fill_output();
        if (sent_ == output_.size())
            break;
        MITRAL_TRY(const auto outcome, stream_->write(ByteView(output_).subspan(sent_)));
        if (outcome.kind == Kind::closed)
            return refuse("closed");
        if (outcome.kind != Kind::done)
            break;
        sent_ += outcome.bytes;
    }
    const auto wanted =
        EventLoop::readable | (sent_ < output_.size() ? EventLoop::writable : std::uint32_t{0});
    if (wanted != std::exchange(interest_, wanted))
        return hub_.loop.modify(stream_->fd(), wanted);
    return {};
}

void Device::fill_output() {
    output_.clear();
    sent_ = 0;
    while (ready_ && to_send_ > 0 && in_flight_ < hub_.window && output_.size() < most_unsent) {
        packet_id_ = packet_id_ == 0xffff ? 1 : static_cast<std::uint16_t>(packet_id_ + 1);
        publish_[packet_id_at_] = static_cast<std::uint8_t>(packet_id_ >> 8);
        publish_[packet_id_at_ + 1] = static_cast<std::uint8_t>(packet_id_ & 0xff);
        output_.insert(output_.end(), publish_.begin(), publish_.end());
        --to_send_;
        ++in_flight_;
    }
}

void Device::queue_connect() {
    base::ByteWriter rest;
    rest.text16("MQTT").u8(4).u8(0xc2).u16(keep_alive_s);  // user name, password, clean session
    rest.text16(credentials_.device).text16(credentials_.username).text16(credentials_.password);
    output_ = packet(0x10, rest.bytes());
}

void Device::lose() {
    vanish();
    listener_(Event::lost, 0);
}

}  // namespace mitral::bench
