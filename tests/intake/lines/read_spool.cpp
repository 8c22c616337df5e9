// Prints what the uplink would read from a spool, one reading a line, for tests of whole programs.
// The segment keys come from the vault, as the uplink's do. A third argument: the records as they
// were encrypted, in base64.
#include <fmt/format.h>

#include <cstdlib>
#include <string>

#include "base/encoding.hpp"
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

void print(const clinical::Reading& reading) {
    fmt::print("{} {}", reading.source, reading.control_id);
    if (!reading.subject.empty())
        fmt::print(" subject={}", reading.subject);
    for (const auto& observation : reading.observations) {
        const auto* decimal = std::get_if<clinical::Decimal>(&observation.value);
        fmt::print(" {}={}", observation.code,
                   decimal != nullptr
                       ? clinical::to_string(*decimal)
                       : clinical::to_string(std::get<clinical::Absent>(observation.value)));
    }
    fmt::print("\n");
}

enum class Show : std::uint8_t { readings, payloads };

base::Status run(const std::string& spool_directory, const std::string& vault_socket, Show show) {
    MITRAL_TRY(const auto client, vault::Client::connect(vault_socket));
    VaultKeys keys(*client);
    MITRAL_TRY(const auto reader,
               spool::LaneReader::open(spool_directory, spool::Lane::vitals,
                                       spool_directory + "/no-such-acknowledgement", keys));
    bool ended = true;
    while (true) {
        MITRAL_TRY(const auto record, reader->next());
        if (!record)
            break;
        ended = record->ends_batch;
        if (show == Show::payloads)
            fmt::print("{}\n", base::to_base64(record->payload));
        if (show == Show::payloads || record->kind != spool::RecordKind::data)
            continue;
        MITRAL_TRY(const auto reading, clinical::decode_record(record->payload));
        print(reading);
    }
    fmt::print("{}\n", ended ? "complete" : "batch open");
    return {};
}

}  // namespace
}  // namespace mitral

int main(int argc, char** argv) {
    if (argc != 3 && argc != 4)
        return EXIT_FAILURE;
    const auto show = argc == 4 ? mitral::Show::payloads : mitral::Show::readings;
    if (const auto status = mitral::run(argv[1], argv[2], show); !status) {
        fmt::print(stderr, "{}\n", status.error().message());
        return EXIT_FAILURE;
    }
    return EXIT_SUCCESS;
}
