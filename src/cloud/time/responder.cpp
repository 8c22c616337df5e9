#include "cloud/time/responder.hpp"

#include <netinet/in.h>

#include <array>
#include <utility>

#include "base/log.hpp"
#include "cloud/error.hpp"
#include "cloud/time/stream.hpp"

namespace mitral::cloud::time {
namespace {

struct Datagram {
    base::Bytes bytes;
    sockaddr_storage from{};
    socklen_t from_size = sizeof(sockaddr_storage);
};

// What lies in the queue, up to a batch.
std::vector<Datagram> receive(int socket) {
    std::array<std::uint8_t, max_request>
        buffer{};  // one that is longer is cut, and refused for it
    std::vector<Datagram> batch;
    for (std::size_t tries = 0; tries < Authority::max_batch; ++tries) {
        Datagram datagram;
        const auto got =
            ::recvfrom(socket, buffer.data(), buffer.size(), MSG_DONTWAIT | MSG_TRUNC,
                       reinterpret_cast<sockaddr*>(&datagram.from), &datagram.from_size);
        if (got < 0)
            break;
        const auto size = static_cast<std::size_t>(got);
        if (size >= min_datagram && size <= buffer.size())
            datagram.bytes.assign(buffer.data(), buffer.data() + size);
        batch.push_back(std::move(datagram));
    }
    return batch;
}

}  // namespace

base::Result<base::UniqueFd> bind_beside(int tcp_socket) {
    sockaddr_storage address{};
    socklen_t size = sizeof(address);
    if (::getsockname(tcp_socket, reinterpret_cast<sockaddr*>(&address), &size) != 0)
        return base::fail_errno("ask for the port of the time service");
    base::UniqueFd fd(
        ::socket(address.ss_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_UDP));
    if (!fd.valid())
        return base::fail_errno("create a UDP socket");
    if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), size) != 0)
        return base::fail_errno("bind the UDP port of the time service");
    return fd;
}

Responder::Responder(base::EventLoop& loop, const base::Clock& clock, Authority authority,
                     base::UniqueFd socket)
    : loop_(loop),
      clock_(clock),
      authority_(std::move(authority)),
      socket_(std::move(socket)),
      rate_(answers_per_second, clock.monotonic()) {}

Responder::~Responder() {
    loop_.unwatch(socket_.get());
}

base::Result<std::unique_ptr<Responder>> Responder::open(base::EventLoop& loop,
                                                         const base::Clock& clock,
                                                         Authority authority,
                                                         base::UniqueFd udp_socket) {
    std::unique_ptr<Responder> responder(
        new Responder(loop, clock, std::move(authority), std::move(udp_socket)));
    auto& self = *responder;
    MITRAL_CHECK(loop.watch(self.socket_.get(), base::EventLoop::readable,
                            [&self](std::uint32_t) { self.serve_datagrams(); }));
    return responder;
}

std::unique_ptr<front::Protocol> Responder::connection(front::Transport& transport) {
    return std::make_unique<Stream>(transport, *this);
}

std::vector<base::Bytes> Responder::answer(const std::vector<base::ByteView>& packets) {
    std::vector<Request> requests;
    std::vector<std::size_t> whose;
    for (std::size_t i = 0; i < packets.size(); ++i) {
        const auto request = read_request(packets[i], authority_.srv());
        if (!request) {
            ++counters_.ignored;
        } else if (!rate_.take(clock_.monotonic())) {
            ++counters_.limited;
        } else {
            requests.push_back(*request);
            whose.push_back(i);
        }
    }
    std::vector<base::Bytes> answers(packets.size());
    auto made = authority_.answer(requests);
    if (!made) {
        base::log(base::Severity::warning, "time-failed", {{"cause", made.error().message()}});
        return answers;
    }
    for (std::size_t i = 0; i < whose.size(); ++i)
        answers[whose[i]] = std::move((*made)[i]);
    counters_.answers += whose.size();
    return answers;
}

void Responder::serve_datagrams() {
    const auto batch = receive(socket_.get());
    std::vector<base::ByteView> packets;
    for (const auto& datagram : batch)
        packets.emplace_back(datagram.bytes);
    const auto answers = answer(packets);
    for (std::size_t i = 0; i < batch.size(); ++i) {
        if (answers[i].empty() || answers[i].size() > batch[i].bytes.size())
            continue;
        // A full send queue loses the answer, as the network may.
        (void)::sendto(socket_.get(), answers[i].data(), answers[i].size(), MSG_DONTWAIT,
                       reinterpret_cast<const sockaddr*>(&batch[i].from), batch[i].from_size);
    }
}

}  // namespace mitral::cloud::time
