// `mitral verify`: what a unit's trust zone signed, against the marks kept of that unit. Runs where
// the fleet is looked after, never on the unit itself; `mitral attest` is the unit's part.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "verify/judge.hpp"

namespace mitral::cli {

struct VerifyArguments {
    std::string marks_file;
    std::vector<std::string> evidence_files;  // checkpoints, one a line in base64
    std::string nonce;                        // hex; then the files hold attestations over it
    std::int64_t max_silence_s = 0;           // 0: not looked at
};

// Judges in the order given and keeps the marks that rose. Empty: all is well.
[[nodiscard]] base::Result<std::vector<verify::Finding>> verify_evidence(
    const VerifyArguments& arguments, std::int64_t now_s);

// Takes up a unit: its key is believed, for the attestation over this nonce came from it directly.
// Never replaces a file of marks.
[[nodiscard]] base::Status record_unit(const VerifyArguments& arguments, std::int64_t now_s);

// On the unit: one line of base64. Without a nonce (hex) a fresh one, whose evidence proves less.
[[nodiscard]] base::Result<std::string> attest_unit(const std::string& vault_socket,
                                                    const std::string& nonce);

}  // namespace mitral::cli
