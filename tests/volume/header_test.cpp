#include "volume/header.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>

#include "base/file.hpp"
#include "support/proves.hpp"
#include "vault/bench.hpp"
#include "volume/crypt_partition.hpp"

namespace mitral::volume {
namespace {

const base::Bytes wrapped(112, 7);

TEST(Header, SaysTheWrappedKey) {
    const auto read = read_header(write_header(wrapped));
    EXPECT_EQ(read.state, HeaderState::whole);
    EXPECT_EQ(read.wrapped, wrapped);
    EXPECT_EQ(read_header(base::Bytes(header_size)).state, HeaderState::empty);
}

TEST(Header, OneCopyThatIsWholeIsEnough) {
    MITRAL_PROVES("T-PHY-04");
    const auto good = write_header(wrapped);
    for (const std::size_t copy : {std::size_t{0}, header_copy_size}) {
        for (std::size_t at = 0; at < header_copy_size; ++at) {
            auto altered = good;
            altered[copy + at] ^= 1;
            EXPECT_EQ(read_header(altered).wrapped, wrapped);
        }
        auto lost = good;
        std::fill_n(lost.begin() + static_cast<std::ptrdiff_t>(copy), header_copy_size,
                    std::uint8_t{0});
        EXPECT_EQ(read_header(lost).wrapped, wrapped);
    }
}

// It must not be taken for a partition nobody used: that one is written over.
TEST(Header, TwoDamagedCopiesAreNotAnEmptyOne) {
    MITRAL_PROVES("T-PHY-04");
    const auto good = write_header(wrapped);
    constexpr std::size_t meant = 4 + 2 + 112 + 32;
    for (std::size_t at = 0; at < meant; ++at) {
        auto altered = good;
        altered[at] ^= 1;
        altered[header_copy_size + at] ^= 1;
        EXPECT_EQ(read_header(altered).state, HeaderState::damaged) << at;
        std::fill_n(altered.begin(), header_copy_size, std::uint8_t{0});
        EXPECT_EQ(read_header(altered).state, HeaderState::damaged) << at;
    }
    EXPECT_EQ(read_header(base::ByteView(good).first(100)).state, HeaderState::damaged);
}

TEST(Header, LiesInTwoPlacesOfThePartition) {
    test::ScratchDirectory scratch;
    const auto path = scratch.path() + "/partition";
    ASSERT_TRUE(base::replace_file(path, base::Bytes(1 << 20), 0600));
    const auto partition = open_crypt_partition(path, "unused");
    EXPECT_EQ(read_header(*partition->read_header()).state, HeaderState::empty);
    ASSERT_TRUE(partition->write_header(write_header(wrapped)));
    const auto content = *base::read_file(path, 2 << 20);
    EXPECT_EQ(content.size(), std::size_t{1 << 20});
    for (const int at : {0, 512 << 10}) {
        auto torn = content;
        std::fill_n(torn.begin() + at, 4096, std::uint8_t{0xa5});
        ASSERT_TRUE(base::replace_file(path, torn, 0600));
        EXPECT_EQ(read_header(*partition->read_header()).wrapped, wrapped);
    }
    ASSERT_TRUE(base::replace_file(path, base::Bytes(4096), 0600));
    EXPECT_FALSE(partition->read_header());
}

}  // namespace
}  // namespace mitral::volume
