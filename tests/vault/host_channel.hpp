// The Trusted Application's rules in this process, over a zone of files: what the suite tests
// through the `optee` back end where there is no secure world. Each channel is a new start of it.
#pragma once

#include <memory>
#include <string>

#include "vault/optee/channel.hpp"

namespace mitral::test {

[[nodiscard]] base::Result<std::unique_ptr<vault::optee::Channel>> open_host_channel(
    const std::string& directory, base::ByteView hardware_key);

}  // namespace mitral::test
