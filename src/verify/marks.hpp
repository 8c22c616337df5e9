// What a verifier remembers of one unit: its attestation key, and how far everything that may only
// rise had come.
#pragma once

#include <string>
#include <vector>

#include "attest/read.hpp"

namespace mitral::verify {

// A checkpoint that was taken: to tell a repetition from a second unit with the same key.
struct Taken {
    std::uint64_t number = 0;
    base::Sha256Digest digest{};  // of what is signed
    attest::BootId boot{};
    bool lists_held = false;  // to what arrived
};

// The highest attestation: what it says of the number is at least the last checkpoint's.
struct Attested {
    std::uint64_t number = 0;
    attest::BootId boot{};
};

struct Marks {
    static constexpr std::size_t max_taken = 256;
    static constexpr std::size_t max_lanes = 64;

    base::P256PublicKey key{};
    attest::UnitId unit_id{};
    std::string registration_id;
    std::uint64_t mints = 0;
    std::int64_t time_floor_s = 0;
    std::uint64_t order_counter = 0;
    std::uint32_t epoch = 0;
    std::uint64_t log_entries = 0;
    base::Sha256Digest log_head{};
    std::int64_t heard_s = 0;  // when the last good checkpoint came, by the verifier's clock
    std::vector<attest::LaneReport> lanes;  // at most max_lanes
    std::vector<Taken> taken;               // the newest last, at most max_taken
    Attested attested;

    [[nodiscard]] std::uint64_t last_taken() const noexcept {
        return taken.empty() ? 0 : taken.back().number;
    }
    // The higher of what was taken and what was attested, and who said it.
    [[nodiscard]] std::uint64_t checkpoint() const noexcept {
        return attested.number >= last_taken() ? attested.number : last_taken();
    }
    [[nodiscard]] const attest::BootId& boot() const noexcept {
        return attested.number >= last_taken() ? attested.boot : taken.back().boot;
    }
};

// Of a unit that was attested on a connection that is trusted.
[[nodiscard]] Marks first_marks(const attest::State& state, std::int64_t now_s);

[[nodiscard]] base::Bytes encode(const Marks& marks);
// malformed: not what encode() writes.
[[nodiscard]] base::Result<Marks> decode_marks(base::ByteView bytes);

// Replaced as a whole; on disk when it returns. Refuses what load() would refuse.
[[nodiscard]] base::Status save(const std::string& path, const Marks& marks);
[[nodiscard]] base::Result<Marks> load(const std::string& path);

}  // namespace mitral::verify
