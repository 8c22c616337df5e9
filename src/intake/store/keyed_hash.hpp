// SipHash-2-4 (Aumasson, Bernstein 2012) over 64-bit words: short, fast, and nobody without the key
// can make two inputs meet. Not for what leaves the process.
#pragma once

#include <bit>
#include <cstdint>
#include <string_view>

namespace mitral::intake {

// The words absorbed must tell where each part ends (a length first), as absorb(text) does: the
// count of words is not part of the hash.
class KeyedHash {
  public:
    struct Key {
        std::uint64_t low = 0;
        std::uint64_t high = 0;
    };

    explicit KeyedHash(Key key) noexcept
        : v0_(key.low ^ 0x736f6d6570736575),
          v1_(key.high ^ 0x646f72616e646f6d),
          v2_(key.low ^ 0x6c7967656e657261),
          v3_(key.high ^ 0x7465646279746573) {}

    void absorb(std::uint64_t word) noexcept {
        v3_ ^= word;
        round();
        round();
        v0_ ^= word;
    }
    void absorb(std::string_view text) noexcept;

    // Ends the hash.
    [[nodiscard]] std::uint64_t finish() noexcept;

  private:
    void round() noexcept {
        v0_ += v1_;
        v2_ += v3_;
        v1_ = std::rotl(v1_, 13) ^ v0_;
        v3_ = std::rotl(v3_, 16) ^ v2_;
        v0_ = std::rotl(v0_, 32);
        v2_ += v1_;
        v0_ += v3_;
        v1_ = std::rotl(v1_, 17) ^ v2_;
        v3_ = std::rotl(v3_, 21) ^ v0_;
        v2_ = std::rotl(v2_, 32);
    }

    std::uint64_t v0_;
    std::uint64_t v1_;
    std::uint64_t v2_;
    std::uint64_t v3_;
};

}  // namespace mitral::intake
