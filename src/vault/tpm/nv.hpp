// The few bytes Mitral keeps in the TPM's non-volatile memory: three counters that only rise (the
// mint counter, the number of checkpoints and the generation all keys are bound to) and one record
// that ties the files on disk to it. Freshness, no secrets. They stand in the owner's range of
// indices (TCG registry of reserved handles).
#pragma once

#include <array>
#include <cstdint>

#include "base/crypto.hpp"
#include "base/result.hpp"
#include "vault/keystore.hpp"
#include "vault/tpm/connection.hpp"
#include "vault/tpm/policy.hpp"

namespace mitral::vault::tpm {

constexpr TPM2_HANDLE generation_index = 0x01826D00;
constexpr TPM2_HANDLE mint_index = 0x01826D01;
constexpr TPM2_HANDLE record_index = 0x01826D02;
constexpr TPM2_HANDLE checkpoint_index = 0x01826D03;

struct Record {
    Ratchet ratchet;
    std::uint64_t mint_base = 0;        // where the mint counter stood at first
    base::Sha256Digest state_digest{};  // all zero: no state was saved yet
};

class NonVolatile {
  public:
    // Makes what is missing.
    [[nodiscard]] static base::Result<NonVolatile> open(const Connection& connection);
    // Makes nothing: on a TPM that served this process before, all must still be there.
    [[nodiscard]] static base::Result<NonVolatile> reopen(const Connection& connection);

    [[nodiscard]] ESYS_TR generation_handle() const noexcept { return generation_; }
    [[nodiscard]] base::Result<Generation> generation(const Connection& connection) const;
    [[nodiscard]] base::Status next_generation(const Connection& connection) const;
    [[nodiscard]] base::Result<std::uint64_t> mints(const Connection& connection) const;
    [[nodiscard]] base::Status count_mint(const Connection& connection) const;
    [[nodiscard]] base::Result<std::uint64_t> checkpoints(const Connection& connection) const;
    [[nodiscard]] base::Status count_checkpoint(const Connection& connection) const;
    [[nodiscard]] base::Result<Record> read_record(const Connection& connection) const;
    [[nodiscard]] base::Status write_record(const Connection& connection,
                                            const Record& record) const;

  private:
    ESYS_TR generation_ = ESYS_TR_NONE;
    ESYS_TR mint_ = ESYS_TR_NONE;
    ESYS_TR checkpoint_ = ESYS_TR_NONE;
    ESYS_TR record_ = ESYS_TR_NONE;
};

}  // namespace mitral::vault::tpm
