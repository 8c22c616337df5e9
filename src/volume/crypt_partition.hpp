// A partition under dm-crypt: AES-256-XTS in blocks of 4 KiB, the volume 1 MiB behind its start.
// The key goes to the kernel as a `logon` key, which nobody can read back.
#pragma once

#include <memory>
#include <string>

#include "volume/opening.hpp"

namespace mitral::volume {

// Two copies of the header: at the start and half a MiB behind it. The volume appears as
// /dev/mapper/NAME. Needs root for it; the header alone can be read from a file as well.
[[nodiscard]] std::unique_ptr<Partition> open_crypt_partition(std::string device, std::string name);

}  // namespace mitral::volume
