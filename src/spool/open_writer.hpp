#pragma once

#include <memory>

#include "spool/storage.hpp"
#include "spool/writer.hpp"

namespace mitral::spool {

// Writer::open over a storage of the caller's: tests hand in one that fails.
[[nodiscard]] base::Result<std::unique_ptr<Writer>> open_writer(WriterOptions options,
                                                                KeyIssuer& keys,
                                                                const base::Clock& clock,
                                                                Storage& storage);

}  // namespace mitral::spool
