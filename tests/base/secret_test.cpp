#include "base/secret.hpp"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <fstream>
#include <ostream>
#include <sstream>
#include <string>
#include <type_traits>

#include "base/sanitizer.hpp"
#include "support/proves.hpp"

namespace mitral::base {
namespace {

template <typename T>
concept Printable = requires(std::ostream& out, const T& value) { out << value; };

TEST(Secret, CannotBeCopiedOrPrinted) {
    MITRAL_PROVES("T-KEY-01", "T-TOK-03", "CR 1.5");
    static_assert(!std::is_copy_constructible_v<Secret> && !std::is_copy_assignable_v<Secret>);
    static_assert(!Printable<Secret>);
    static_assert(Printable<std::string>);  // the concept itself can say yes
    static_assert(!std::is_convertible_v<Secret, std::string>);
}

// The flags the kernel reports for the mapping that holds `address` (proc(5), VmFlags).
std::string mapping_flags(const void* address) {
    std::ifstream maps("/proc/self/smaps");
    const auto wanted = reinterpret_cast<std::uintptr_t>(address);
    bool inside = false;
    for (std::string line; std::getline(maps, line);) {
        std::uintptr_t first = 0;
        std::uintptr_t last = 0;
        char dash = 0;
        std::istringstream range(line);
        if (range >> std::hex >> first >> dash >> last && dash == '-')
            inside = first <= wanted && wanted < last;
        else if (inside && line.starts_with("VmFlags:"))
            return line;
    }
    return {};
}

TEST(Secret, LivesOnLockedPagesThatAreNeverDumped) {
    MITRAL_PROVES("T-KEY-01", "CR 4.1");
    const Secret secret(32);
    const auto flags = mapping_flags(secret.view().data());
    if (!under_sanitizer) {  // they turn mlock() into nothing
        EXPECT_NE(flags.find(" lo"), std::string::npos) << flags;
    }
    EXPECT_NE(flags.find(" dd"), std::string::npos) << flags;
    const std::string ordinary(1 << 20, 'x');  // the negative control
    EXPECT_EQ(mapping_flags(ordinary.data()).find(" dd"), std::string::npos);
}

TEST(Secret, IsWipedWhenShortened) {
    Secret secret(as_bytes("0123456789"));
    const std::uint8_t* tail = secret.view().data() + 4;
    secret.shrink(4);
    EXPECT_EQ(as_text(secret.view()), "0123");
    EXPECT_EQ(std::string(reinterpret_cast<const char*>(tail), 6), std::string(6, '\0'));
}

TEST(Secret, MovesWithoutLeavingACopy) {
    Secret first(as_bytes("key"));
    const Secret second = std::move(first);
    EXPECT_TRUE(first.empty());  // NOLINT(bugprone-use-after-move): that is what is tested
    EXPECT_EQ(as_text(second.view()), "key");
}

TEST(Wipe, ClearsEveryByte) {
    Bytes bytes(100, 0xAA);
    wipe(bytes);
    EXPECT_EQ(bytes, Bytes(100));
}

}  // namespace
}  // namespace mitral::base
