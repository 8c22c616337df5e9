#include "vault/tpm/nv.hpp"

#include <algorithm>

#include "vault/errors.hpp"

namespace mitral::vault::tpm {
namespace {

constexpr std::uint16_t counter_size = 8;
constexpr std::uint16_t record_size = 8 + 8 + 8 + 32;
// No authorisation of its own: freshness must not depend on a file. Whoever may open the TPM device
// can raise the counters, nobody can lower them.
constexpr TPMA_NV access = TPMA_NV_AUTHREAD | TPMA_NV_AUTHWRITE | TPMA_NV_NO_DA;
constexpr TPMA_NV counter = access | (TPM2_NT_COUNTER << TPMA_NV_TPM2_NT_SHIFT);
// Kept in the TPM's RAM and written to its flash once in 256 steps or so, for flash wears out.
// After a power cut the TPM goes on behind what it may have counted: it skips, and never falls
// (TPM 2.0 Part 1, 37.2.4 and 37.7).
constexpr TPMA_NV orderly_counter = counter | TPMA_NV_ORDERLY;
constexpr TPMA_NV record = access | (TPM2_NT_ORDINARY << TPMA_NV_TPM2_NT_SHIFT);

base::Status define(const Connection& tpm, TPM2_HANDLE index, TPMA_NV attributes,
                    std::uint16_t size) {
    const TPM2B_AUTH no_auth{};
    TPM2B_NV_PUBLIC area{};
    area.nvPublic.nvIndex = index;
    area.nvPublic.nameAlg = TPM2_ALG_SHA256;
    area.nvPublic.attributes = attributes;
    area.nvPublic.dataSize = size;
    ESYS_TR handle = ESYS_TR_NONE;
    MITRAL_CHECK(check(Esys_NV_DefineSpace(tpm.esys(), ESYS_TR_RH_OWNER, ESYS_TR_PASSWORD,
                                           ESYS_TR_NONE, ESYS_TR_NONE, &no_auth, &area, &handle),
                       "define a TPM NV index"));
    return check(Esys_TR_Close(tpm.esys(), &handle), "define a TPM NV index");
}

// Nothing when the index is not defined.
base::Result<ESYS_TR> find(const Connection& tpm, TPM2_HANDLE index) {
    ESYS_TR handle = ESYS_TR_NONE;
    const auto code =
        Esys_TR_FromTPMPublic(tpm.esys(), index, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &handle);
    if (code == (TPM2_RC_HANDLE | TPM2_RC_H | TPM2_RC_1) ||
        code == (TPM2_RC_HANDLE | TPM2_RC_P | TPM2_RC_1))
        return ESYS_TR{ESYS_TR_NONE};
    MITRAL_CHECK(check(code, "look up a TPM NV index"));
    return handle;
}

base::Result<bool> is_written(const Connection& tpm, ESYS_TR handle, TPMA_NV expected) {
    TPM2B_NV_PUBLIC* area = nullptr;
    TPM2B_NAME* name = nullptr;
    MITRAL_CHECK(check(Esys_NV_ReadPublic(tpm.esys(), handle, ESYS_TR_NONE, ESYS_TR_NONE,
                                          ESYS_TR_NONE, &area, &name),
                       "look at a TPM NV index"));
    const EsysPointer<TPM2B_NV_PUBLIC> owned_area(area);
    const EsysPointer<TPM2B_NAME> owned_name(name);
    if ((area->nvPublic.attributes & ~TPMA_NV_WRITTEN) != expected)
        return base::fail(VaultError::backend_failure,
                          "a TPM NV index of Mitral belongs to something else: see "
                          "tpm2_nvreadpublic, remove it with tpm2_nvundefine");
    return (area->nvPublic.attributes & TPMA_NV_WRITTEN) != 0;
}

base::Status increment(const Connection& tpm, ESYS_TR handle) {
    MITRAL_TRY(const auto session, tpm.hmac_session(0));
    return check(
        Esys_NV_Increment(tpm.esys(), handle, handle, session.get(), ESYS_TR_NONE, ESYS_TR_NONE),
        "raise a TPM counter");
}

base::Result<base::Bytes> read(const Connection& tpm, ESYS_TR handle, std::uint16_t size) {
    MITRAL_TRY(const auto session, tpm.hmac_session(TPMA_SESSION_ENCRYPT));
    TPM2B_MAX_NV_BUFFER* data = nullptr;
    MITRAL_CHECK(check(Esys_NV_Read(tpm.esys(), handle, handle, session.get(), ESYS_TR_NONE,
                                    ESYS_TR_NONE, size, 0, &data),
                       "read TPM NV memory"));
    const EsysPointer<TPM2B_MAX_NV_BUFFER> owned(data);
    return base::Bytes(data->buffer, data->buffer + data->size);
}

base::Result<std::uint64_t> read_counter(const Connection& tpm, ESYS_TR handle) {
    MITRAL_TRY(const auto bytes, read(tpm, handle, counter_size));
    const auto value = base::ByteReader(bytes).u64();
    if (!value)
        return base::fail(VaultError::backend_failure, "a TPM counter has no value");
    return *value;
}

struct Index {
    ESYS_TR handle = ESYS_TR_NONE;
    bool written = false;
};

base::Result<Index> find_or_define(const Connection& tpm, TPM2_HANDLE index, TPMA_NV attributes,
                                   std::uint16_t size) {
    MITRAL_TRY(ESYS_TR handle, find(tpm, index));
    if (handle == ESYS_TR_NONE) {
        MITRAL_CHECK(define(tpm, index, attributes, size));
        MITRAL_TRY(handle, find(tpm, index));
    }
    MITRAL_TRY(const bool written, is_written(tpm, handle, attributes));
    return Index{handle, written};
}

base::Result<ESYS_TR> find_written(const Connection& tpm, TPM2_HANDLE index, TPMA_NV attributes) {
    MITRAL_TRY(const ESYS_TR handle, find(tpm, index));
    if (handle == ESYS_TR_NONE)
        return base::fail(VaultError::backend_failure,
                          "the TPM no longer has Mitral's counters: they were removed while the "
                          "vault ran");
    MITRAL_TRY(const bool written, is_written(tpm, handle, attributes));
    if (!written)
        return base::fail(VaultError::backend_failure,
                          "the TPM's counters of Mitral were made anew while the vault ran");
    return handle;
}

// A counter has no value, and not yet its final name, before the first increment.
base::Result<ESYS_TR> open_counter(const Connection& tpm, TPM2_HANDLE index, TPMA_NV attributes) {
    MITRAL_TRY(Index found, find_or_define(tpm, index, attributes, counter_size));
    if (found.written)
        return found.handle;
    MITRAL_CHECK(increment(tpm, found.handle));
    MITRAL_CHECK(check(Esys_TR_Close(tpm.esys(), &found.handle), "reopen a TPM counter"));
    return find(tpm, index);
}

}  // namespace

base::Result<NonVolatile> NonVolatile::open(const Connection& connection) {
    NonVolatile nv;
    MITRAL_TRY(nv.generation_, open_counter(connection, generation_index, counter));
    MITRAL_TRY(nv.mint_, open_counter(connection, mint_index, orderly_counter));
    MITRAL_TRY(nv.checkpoint_, open_counter(connection, checkpoint_index, orderly_counter));
    MITRAL_TRY(const auto found, find_or_define(connection, record_index, record, record_size));
    nv.record_ = found.handle;
    if (!found.written) {
        Record fresh;
        MITRAL_TRY(fresh.mint_base, read_counter(connection, nv.mint_));
        MITRAL_CHECK(nv.write_record(connection, fresh));
    }
    return nv;
}

base::Result<NonVolatile> NonVolatile::reopen(const Connection& connection) {
    NonVolatile nv;
    MITRAL_TRY(nv.generation_, find_written(connection, generation_index, counter));
    MITRAL_TRY(nv.mint_, find_written(connection, mint_index, orderly_counter));
    MITRAL_TRY(nv.checkpoint_, find_written(connection, checkpoint_index, orderly_counter));
    MITRAL_TRY(nv.record_, find_written(connection, record_index, record));
    return nv;
}

base::Result<Generation> NonVolatile::generation(const Connection& connection) const {
    TPM2B_NAME* name = nullptr;
    MITRAL_CHECK(check(Esys_TR_GetName(connection.esys(), generation_, &name),
                       "name the generation counter"));
    const EsysPointer<TPM2B_NAME> owned(name);
    Generation generation{base::Bytes(name->name, name->name + name->size), 0};
    MITRAL_TRY(generation.value, read_counter(connection, generation_));
    return generation;
}

base::Status NonVolatile::next_generation(const Connection& connection) const {
    return increment(connection, generation_);
}

base::Result<std::uint64_t> NonVolatile::mints(const Connection& connection) const {
    return read_counter(connection, mint_);
}

base::Status NonVolatile::count_mint(const Connection& connection) const {
    return increment(connection, mint_);
}

base::Result<std::uint64_t> NonVolatile::checkpoints(const Connection& connection) const {
    return read_counter(connection, checkpoint_);
}

base::Status NonVolatile::count_checkpoint(const Connection& connection) const {
    return increment(connection, checkpoint_);
}

base::Result<Record> NonVolatile::read_record(const Connection& connection) const {
    MITRAL_TRY(const auto bytes, read(connection, record_, record_size));
    base::ByteReader in(bytes);
    const auto floor = in.u64();
    const auto order_counter = in.u64();
    const auto mint_base = in.u64();
    const auto digest = in.take(32);
    if (!floor || !order_counter || !mint_base || !digest)
        return base::fail(VaultError::backend_failure, "the TPM's record does not parse");
    Record result{{static_cast<std::int64_t>(*floor), *order_counter}, *mint_base, {}};
    std::copy(digest->begin(), digest->end(), result.state_digest.begin());
    return result;
}

base::Status NonVolatile::write_record(const Connection& connection, const Record& value) const {
    base::ByteWriter out;
    out.u64(static_cast<std::uint64_t>(value.ratchet.time_floor_s));
    out.u64(value.ratchet.order_counter).u64(value.mint_base).raw(value.state_digest);
    TPM2B_MAX_NV_BUFFER data{};
    data.size = record_size;
    std::copy(out.bytes().begin(), out.bytes().end(), data.buffer);
    MITRAL_TRY(const auto session, connection.hmac_session(TPMA_SESSION_DECRYPT));
    return check(Esys_NV_Write(connection.esys(), record_, record_, session.get(), ESYS_TR_NONE,
                               ESYS_TR_NONE, &data, 0),
                 "write TPM NV memory");
}

}  // namespace mitral::vault::tpm
