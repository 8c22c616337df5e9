// The spool on a real disk: records a second by size of group, and reading. Set TMPDIR to choose
// the disk.
#include <benchmark/benchmark.h>

#include <string>

#include "base/clock.hpp"
#include "base/crypto.hpp"
#include "spool/acknowledgement.hpp"
#include "spool/reader.hpp"
#include "spool/writer.hpp"
#include "support/temporary_directory.hpp"

namespace {

using namespace mitral;

struct OneKey final : spool::KeyIssuer, spool::KeyOpener {
    base::Result<spool::SegmentKey> new_segment_key() override {
        return spool::SegmentKey{base::Secret(base::Aes256Gcm::key_size), base::Bytes(64)};
    }
    base::Result<base::Secret> open_segment_key(base::ByteView) override {
        return base::Secret(base::Aes256Gcm::key_size);
    }
};

struct Spool {
    test::TemporaryDirectory scratch;
    OneKey keys;
    base::SystemClock clock;
    std::string directory = scratch.path() + "/lines";

    std::unique_ptr<spool::Writer> writer() {
        spool::WriterOptions options;
        options.directory = directory;
        options.max_bytes = 4ULL << 30;
        return spool::Writer::open(std::move(options), keys, clock).value();
    }
    std::unique_ptr<spool::LaneReader> reader() {
        return spool::LaneReader::open(
                   directory, spool::Lane::vitals,
                   spool::acknowledgement_path(scratch.path(), directory, spool::Lane::vitals),
                   keys)
            .value();
    }
};

void append_and_commit(spool::Writer& writer, std::int64_t records, const base::Bytes& payload) {
    for (std::int64_t i = 0; i < records; ++i)
        if (!writer.append(spool::Lane::vitals, payload))
            std::abort();
    if (!writer.commit())
        std::abort();
}

void commit_groups(benchmark::State& state) {
    Spool spool;
    const auto writer = spool.writer();
    const base::Bytes payload(static_cast<std::size_t>(state.range(1)));
    for (auto _ : state)
        append_and_commit(*writer, state.range(0), payload);
    state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(commit_groups)
    ->ArgNames({"group", "bytes"})
    ->ArgsProduct({{1, 10, 100, 1000}, {256}})
    ->Args({100, 4096})
    ->UseRealTime();

void read_backlog(benchmark::State& state) {
    Spool spool;
    const std::int64_t records = state.range(0);
    append_and_commit(*spool.writer(), records, base::Bytes(256));
    for (auto _ : state) {
        const auto reader = spool.reader();
        std::int64_t count = 0;
        for (auto record = reader->next(); record && *record; record = reader->next())
            ++count;
        if (count < records)
            std::abort();
    }
    state.SetItemsProcessed(state.iterations() * records);
}
BENCHMARK(read_backlog)->Arg(200'000)->Unit(benchmark::kMillisecond)->UseRealTime();

// A restarted uplink in front of a long backlog, all but the last record acknowledged.
void start_behind_backlog(benchmark::State& state) {
    Spool spool;
    const auto writer = spool.writer();
    for (int i = 0; i < 1000; ++i)
        append_and_commit(*writer, 1000, base::Bytes(256));
    {
        const auto reader = spool.reader();
        while (reader->next().value())
            continue;
        reader->acknowledge(999'999);
        if (!reader->persist())
            std::abort();
    }
    for (auto _ : state)
        benchmark::DoNotOptimize(spool.reader()->next().value());
}
BENCHMARK(start_behind_backlog)->Unit(benchmark::kMillisecond)->UseRealTime();

}  // namespace
