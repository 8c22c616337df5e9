// Which local user speaks for which source. A name belongs to the first user who used it, so that
// another cannot put readings under it or use up its ids.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace mitral::intake {

// While the process lives. Beyond the bound the user with most names loses the one used longest
// ago: nobody gets at another's names by inventing many.
class SourceOwners {
  public:
    explicit SourceOwners(std::size_t bound = 4096) : bound_(bound) {}

    // False: the source belongs to another user.
    [[nodiscard]] bool claim(std::string_view source, uid_t user);

  private:
    struct Owner {
        uid_t user;
        std::uint64_t last_use;
    };
    struct Hash {
        using is_transparent = void;
        std::size_t operator()(std::string_view text) const noexcept {
            return std::hash<std::string_view>()(text);
        }
    };

    void forget_one();

    std::size_t bound_;
    std::uint64_t uses_ = 0;
    std::unordered_map<std::string, Owner, Hash, std::equal_to<>> owners_;
};

}  // namespace mitral::intake
