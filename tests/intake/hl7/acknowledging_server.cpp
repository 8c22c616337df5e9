// Takes HL7 v2 messages as a gateway would and answers each with the same verdict, for clients that
// we did not write: one connection after the other, all that comes is kept in a file. Prints its
// port once it listens.
#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "intake/hl7/acknowledgement.hpp"
#include "intake/hl7/message.hpp"
#include "intake/hl7/mllp_decoder.hpp"

namespace mitral::intake::hl7 {
namespace {

Verdict verdict_of(std::string_view name) {
    if (name == "later")
        return Verdict::later;
    return name == "never" ? Verdict::never : Verdict::accepted;
}

bool answer(int peer, std::string_view frame, Verdict verdict) {
    for (const auto text : split_batch(frame)) {
        const auto message = Message::parse(text);
        if (!message)
            return false;
        const auto reply =
            acknowledge(message->header(), verdict, verdict == Verdict::accepted ? "" : "said so",
                        {1'767'225'600'000}, "1");
        if (reply && ::send(peer, reply->data(), reply->size(), MSG_NOSIGNAL) !=
                         static_cast<ssize_t>(reply->size()))
            return false;
    }
    return true;
}

bool serve(int peer, std::FILE* record, Verdict verdict) {
    MllpDecoder decoder;
    for (;;) {
        const auto space = decoder.space(8192).first(8192);
        const auto count = ::read(peer, space.data(), space.size());
        if (count <= 0)
            return true;  // how a client leaves is its own affair
        (void)std::fwrite(space.data(), 1, static_cast<std::size_t>(count), record);
        (void)std::fflush(record);
        decoder.filled(static_cast<std::size_t>(count));
        for (auto event = decoder.next(); event.kind != MllpDecoder::Kind::none;
             event = decoder.next())
            if (event.kind != MllpDecoder::Kind::frame || !answer(peer, event.text, verdict))
                return false;
    }
}

int run(const char* record_path, Verdict verdict) {
    const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* where = reinterpret_cast<sockaddr*>(&address);
    if (::bind(listener, where, size) != 0 || ::listen(listener, 8) != 0 ||
        ::getsockname(listener, where, &size) != 0)
        return EXIT_FAILURE;
    std::FILE* record = std::fopen(record_path, "wb");
    if (record == nullptr)
        return EXIT_FAILURE;
    fmt::print("{}\n", ntohs(address.sin_port));
    (void)std::fflush(stdout);
    for (;;) {
        const int peer = ::accept(listener, nullptr, nullptr);
        if (peer < 0 || !serve(peer, record, verdict))
            return EXIT_FAILURE;
        (void)::close(peer);
    }
}

}  // namespace
}  // namespace mitral::intake::hl7

// acknowledging_server FILE [accepted|later|never]
int main(int argc, char** argv) {
    if (argc < 2)
        return EXIT_FAILURE;
    return mitral::intake::hl7::run(
        argv[1], mitral::intake::hl7::verdict_of(argc > 2 ? argv[2] : "accepted"));
}
