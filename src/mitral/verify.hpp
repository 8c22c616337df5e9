// `mitral verify`: what a unit's trust zone signed, against the marks kept of that unit. Runs where
// the fleet is looked after, never on the unit itself; `mitral attest` is the unit's part.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "verify/judge.hpp"

namespace mitral::cli {

struct VerifyArguments {
    std::string marks_file;
    std::vector<std::string> evidence_files;  // checkpoints, one a line in base64
    std::vector<std::string> log_files;       // or a consumer's messages, see verify_log.hpp
    std::string device;                       // whose messages; empty: the registration id
    std::string nonce;                        // hex; then the files hold attestations over it
    std::int64_t max_silence_s = 0;           // 0: not looked at
    verify::Demands demands;
};

using Tell = std::function<void(const verify::Finding&)>;

// Judges in the order given, tells each finding at once, and then keeps the marks that rose. How
// many findings there were.
[[nodiscard]] base::Result<std::size_t> verify_evidence(const VerifyArguments& arguments,
                                                        std::int64_t now_s, const Tell& tell);

// Takes up a unit: its key is believed, for the attestation over this nonce came from it directly.
// Never replaces a file of marks.
[[nodiscard]] base::Status record_unit(const VerifyArguments& arguments, std::int64_t now_s);

// The same at the station, right after it provisioned the unit on this connection: asks it over a
// nonce of its own. Fails also when the unit has not taken this registration id.
[[nodiscard]] base::Status record_provisioned(const std::string& vault_socket,
                                              const std::string& registration_id,
                                              const std::string& marks_file, std::int64_t now_s);
// Nobody has taken a unit up in this file.
[[nodiscard]] base::Status check_no_marks(const std::string& marks_file);

// On the unit: one line of base64. Without a nonce (hex) a fresh one, whose evidence proves less.
[[nodiscard]] base::Result<std::string> attest_unit(const std::string& vault_socket,
                                                    const std::string& nonce);

}  // namespace mitral::cli
