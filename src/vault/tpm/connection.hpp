// One connection to a TPM 2.0 over tpm2-tss ESAPI, with its primary storage key. Every command that
// carries something secret runs in a session salted to that key, with AES-CFB parameter encryption
// both ways: who listens on the bus learns nothing. Not thread-safe.
#pragma once

#include <tss2/tss2_esys.h>

#include <memory>
#include <string>

#include "base/bytes.hpp"
#include "base/result.hpp"

namespace mitral::vault::tpm {

// Fails with backend_unavailable when the TPM cannot be reached or was reset, so that a new
// connection helps; with key_refused when the TPM judged an object; with backend_failure otherwise.
[[nodiscard]] base::Status check(TSS2_RC code, std::string_view doing);

struct EsysDeleter {
    void operator()(void* memory) const noexcept { Esys_Free(memory); }
};
template <typename T>
using EsysPointer = std::unique_ptr<T, EsysDeleter>;

// A transient object or session; flushed when it goes.
class Handle {
  public:
    Handle() noexcept = default;
    Handle(ESYS_CONTEXT* context, ESYS_TR handle) noexcept : context_(context), handle_(handle) {}
    Handle(Handle&& other) noexcept;
    Handle& operator=(Handle&& other) noexcept;
    ~Handle();
    [[nodiscard]] ESYS_TR get() const noexcept { return handle_; }

  private:
    ESYS_CONTEXT* context_ = nullptr;
    ESYS_TR handle_ = ESYS_TR_NONE;
};

class Connection {
  public:
    [[nodiscard]] static base::Result<std::unique_ptr<Connection>> open(const std::string& tcti);
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;
    ~Connection();

    [[nodiscard]] ESYS_CONTEXT* esys() const noexcept { return esys_; }
    [[nodiscard]] ESYS_TR primary() const noexcept { return primary_.get(); }
    [[nodiscard]] const base::Bytes& primary_public() const noexcept { return primary_public_; }
    [[nodiscard]] const base::Bytes& primary_name() const noexcept { return primary_name_; }

    // Salted; `encryption` is TPMA_SESSION_DECRYPT (what we send) and/or TPMA_SESSION_ENCRYPT (what
    // comes back).
    [[nodiscard]] base::Result<Handle> hmac_session(TPMA_SESSION encryption) const;
    [[nodiscard]] base::Result<Handle> policy_session(TPMA_SESSION encryption) const;

  private:
    Connection() = default;
    [[nodiscard]] base::Status start(const std::string& tcti);
    [[nodiscard]] base::Status flush_leftovers(TPM2_HANDLE first);
    [[nodiscard]] base::Status create_primary();
    [[nodiscard]] base::Result<Handle> session(TPM2_SE kind, TPMA_SESSION encryption) const;

    TSS2_TCTI_CONTEXT* tcti_ = nullptr;
    ESYS_CONTEXT* esys_ = nullptr;
    Handle primary_;
    base::Bytes primary_public_;  // TPMT_PUBLIC
    base::Bytes primary_name_;
};

}  // namespace mitral::vault::tpm
