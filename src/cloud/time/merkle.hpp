#pragma once

#include <vector>

#include "cloud/time/digest.hpp"

namespace mitral::cloud::time {

// The tree over the requests that one signature answers (RFC 10049, "The Merkle Tree"). Leaves are
// numbered from the left; missing ones, up to a power of two, are zero.
class MerkleTree {
  public:
    // Precondition: at least one leaf.
    explicit MerkleTree(std::vector<Digest> leaves);
    [[nodiscard]] const Digest& root() const noexcept { return levels_.back().front(); }
    // The siblings from the leaf up to the root, one after the other.
    [[nodiscard]] base::Bytes path(std::size_t leaf) const;

  private:
    std::vector<std::vector<Digest>> levels_;  // leaves first
};

}  // namespace mitral::cloud::time
