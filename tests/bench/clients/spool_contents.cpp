// What lies in a lane of a spool, for the ledger of the benchmarks: one line a reading, "source
// control-id observations samples". The keys come from the vault, as the uplink's do.
//   bench_spool_contents SPOOL VAULT_SOCKET vitals|waves
#include <fmt/format.h>

#include <cstdlib>
#include <string>

#include "clinical/record.hpp"
#include "spool/reader.hpp"
#include "vault/client.hpp"

namespace mitral {
namespace {

class VaultKeys final : public spool::KeyOpener {
  public:
    explicit VaultKeys(vault::Client& client) : client_(client) {}
    base::Result<base::Secret> open_segment_key(base::ByteView wrapped) override {
        return client_.open_data_key(wrapped);
    }

  private:
    vault::Client& client_;
};

base::Status run(const std::string& directory, const std::string& socket, spool::Lane lane) {
    MITRAL_TRY(const auto client, vault::Client::connect(socket));
    VaultKeys keys(*client);
    MITRAL_TRY(const auto reader,
               spool::LaneReader::open(directory, lane, directory + "/no-such-file", keys));
    while (true) {
        MITRAL_TRY(const auto record, reader->next());
        if (!record)
            return {};
        if (record->kind != spool::RecordKind::data)
            continue;
        MITRAL_TRY(const auto reading, clinical::decode_record(record->payload));
        std::size_t samples = 0;
        for (const auto& wave : reading.waveforms)
            samples += wave.samples.size();
        fmt::print("{} {} {} {}\n", reading.source, reading.control_id, reading.observations.size(),
                   samples);
    }
}

}  // namespace
}  // namespace mitral

int main(int argc, char** argv) {
    if (argc != 4)
        return EXIT_FAILURE;
    const bool waves = std::string(argv[3]) == "waves";
    const auto lane = waves ? mitral::spool::Lane::waves : mitral::spool::Lane::vitals;
    if (const auto status = mitral::run(argv[1], argv[2], lane); !status) {
        fmt::print(stderr, "{}\n", status.error().message());
        return EXIT_FAILURE;
    }
    return EXIT_SUCCESS;
}
