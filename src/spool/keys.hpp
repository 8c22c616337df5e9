// Where segment keys come from. Writers may only obtain, the reader may only open: the programs
// bind these to the vault's client, tests to a fake.
#pragma once

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "base/secret.hpp"

namespace mitral::spool {

struct SegmentKey {
    base::Secret key;     // 32 bytes
    base::Bytes wrapped;  // ≤ 1024 bytes, stored in the segment's header
};

class KeyIssuer {
  public:
    virtual ~KeyIssuer() = default;
    [[nodiscard]] virtual base::Result<SegmentKey> new_segment_key() = 0;
};

class KeyOpener {
  public:
    virtual ~KeyOpener() = default;
    // SpoolError::key_void: this wrapping will never be opened again, and what lies under it may be
    // given up. Every other error is taken for a passing one.
    [[nodiscard]] virtual base::Result<base::Secret> open_segment_key(base::ByteView wrapped) = 0;
};

}  // namespace mitral::spool
