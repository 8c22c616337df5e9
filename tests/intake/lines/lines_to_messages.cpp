// Standard input as one adapter's conversation, standard output as the messages of one batch: the
// whole way of a reading through intake, spool record and batch encoder, for decoders that share no
// code with it.
#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "base/encoding.hpp"
#include "clinical/batch.hpp"
#include "clinical/record.hpp"
#include "intake/lines/session.hpp"
#include "intake/store/fake_writer.hpp"

namespace mitral::intake {
namespace {

// The receive time of the first piece; each later one is a second on.
constexpr std::int64_t first_received_ms = 1'767'225'600'000;

int run(std::size_t batch_size) {
    test::FakeWriter writer;
    Counters counters;
    ReadingStore store(writer, counters);
    LineParser parser;
    SourceOwners owners;
    Session session(store, owners, parser, counters);
    for (std::int64_t now = first_received_ms;; now += 1000) {
        const auto space = session.space(8192).first(8192);
        const auto count = ::read(STDIN_FILENO, space.data(), space.size());
        if (count < 0)
            return EXIT_FAILURE;
        if (count == 0)
            break;
        session.received(static_cast<std::size_t>(count), {{now}, base::ClockState::synchronised});
    }
    session.end_of_input();
    session.settle(store.commit().has_value());
    (void)std::fwrite(session.output().data(), 1, session.output().size(), stderr);

    std::vector<clinical::BatchEntry> batch;
    const auto write_batch = [&] {
        const auto messages = clinical::encode_batch(batch);
        if (!messages)
            return false;
        for (const auto& message : *messages)
            fmt::print(
                R"({{"schema":"{}","content_type":"{}","content_encoding":"{}","source":"{}",)"
                R"("first_sequence":{},"body":"{}"}})"
                "\n",
                message.schema, message.content_type, message.content_encoding, message.source,
                message.first_sequence, base::to_base64(message.body));
        batch.clear();
        return true;
    };
    std::uint64_t sequence = 0;
    for (auto& reading : writer.readings()) {
        batch.push_back({++sequence, std::move(reading)});
        if (batch.size() == batch_size && !write_batch())
            return EXIT_FAILURE;
    }
    return batch.empty() || write_batch() ? EXIT_SUCCESS : EXIT_FAILURE;
}

}  // namespace
}  // namespace mitral::intake

int main(int argc, char** argv) {
    const auto batch_size = argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 60;
    return mitral::intake::run(batch_size);
}
