#include "cloud/time/merkle.hpp"

#include <bit>
#include <utility>

namespace mitral::cloud::time {
namespace {

Digest parent(const Digest& left, const Digest& right) {
    constexpr std::array<std::uint8_t, 1> node{0x01};
    return digest({node, left, right});
}

}  // namespace

MerkleTree::MerkleTree(std::vector<Digest> leaves) {
    leaves.resize(std::bit_ceil(leaves.size()));
    levels_.push_back(std::move(leaves));
    while (levels_.back().size() > 1) {
        const auto& below = levels_.back();
        std::vector<Digest> level;
        for (std::size_t i = 0; i < below.size(); i += 2)
            level.push_back(parent(below[i], below[i + 1]));
        levels_.push_back(std::move(level));
    }
}

base::Bytes MerkleTree::path(std::size_t leaf) const {
    base::Bytes out;
    for (std::size_t level = 0; level + 1 < levels_.size(); ++level, leaf /= 2) {
        const auto& sibling = levels_[level][leaf ^ 1];
        out.insert(out.end(), sibling.begin(), sibling.end());
    }
    return out;
}

}  // namespace mitral::cloud::time
