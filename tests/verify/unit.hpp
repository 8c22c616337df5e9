// A unit whose trust zone does what a test says, sound or not.
#pragma once

#include <memory>

#include "attest/read.hpp"

namespace mitral::test {

class Unit {
  public:
    Unit() {
        start();
        state.mints = 50;
        state.time_floor_s = 1'780'000'000;
        state.order_counter = 1000;
        state.epoch = 3;
        state.custody = 1;
        report.log_entries = 10;
        report.log_head.fill(1);
        for (const auto* name : {"lines/alerts", "lines/vitals"})
            report.lanes.push_back({name, 7, 1, 100, {}, 0});
    }
    // A start of its trust zone.
    void start() { base::fill_random(state.boot_id); }
    [[nodiscard]] base::Bytes checkpoint() {
        ++state.checkpoint;
        return again();
    }
    // Under the number of the last one.
    [[nodiscard]] base::Bytes again() const {
        const auto said = encode(report);
        base::Bytes out(EVIDENCE_MAX_SIZE);
        const auto all = whole();
        out.resize(evidence_write_checkpoint(&all, said.data(), said.size(), out.data()));
        return sign(std::move(out));
    }
    [[nodiscard]] base::Bytes attestation(const attest::Nonce& nonce) const {
        base::Bytes out(EVIDENCE_MAX_SIZE);
        const auto all = whole();
        out.resize(evidence_write_attestation(&all, nonce.data(), out.data()));
        return sign(std::move(out));
    }
    // Read back, as a verifier has it.
    [[nodiscard]] attest::State said() const {
        return attest::read_first_attestation(attestation({}), {})->state;
    }

    // A copy of a unit has its key.
    std::shared_ptr<const base::P256KeyPair> key =
        std::make_shared<const base::P256KeyPair>(*base::p256_new_key());
    evidence_state state{};
    std::string registration_id = "unit-0042";
    attest::Report report;

  private:
    [[nodiscard]] evidence_state whole() const {
        auto all = state;
        std::copy(key->key.begin(), key->key.end(), all.attestation_key);
        const auto id = base::as_bytes(registration_id);
        all.registration_id = id.data();
        all.registration_id_size = id.size();
        return all;
    }
    [[nodiscard]] base::Bytes sign(base::Bytes bytes) const {
        const auto signature = *base::p256_sign(*key, base::sha256(bytes));
        bytes.insert(bytes.end(), signature.begin(), signature.end());
        return bytes;
    }
};

}  // namespace mitral::test
