// Looks for the TPM without the vault: a vault that finds none does not start, and then cannot say
// so itself.
#pragma once

#include <string>

#include "base/clock.hpp"
#include "base/result.hpp"

namespace mitral::cli {

// `tcti` as [vault] has it: device:PATH is looked at, swtpm:host=H,port=N is connected to. A value
// of another kind succeeds: the vault judges it. The error names cause and remedy.
[[nodiscard]] base::Status probe_tpm(const std::string& tcti, base::Milliseconds timeout);

}  // namespace mitral::cli
