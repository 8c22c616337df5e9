#include "base/bytes.hpp"

#include <gtest/gtest.h>

namespace mitral::base {
namespace {

TEST(ByteReader, ReadsBigEndian) {
    const Bytes data{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    ByteReader reader(data);
    EXPECT_EQ(reader.u8(), 0x01);
    EXPECT_EQ(reader.u16(), 0x0203);
    EXPECT_EQ(reader.u32(), 0x04050607U);
    EXPECT_EQ(reader.u64(), 0x08090A0B0C0D0E0FULL);
    EXPECT_TRUE(reader.done());
}

TEST(ByteReader, LeavesTheCursorAtAFailedRead) {
    const Bytes data{0, 9, 'a', 'b'};
    ByteReader reader(data);
    EXPECT_EQ(reader.block16(), std::nullopt);
    EXPECT_EQ(reader.position(), 0U);
    EXPECT_EQ(reader.u64(), std::nullopt);
    EXPECT_EQ(reader.remaining(), 4U);
    EXPECT_EQ(reader.u16(), 9);
}

TEST(ByteReader, RefusesALengthBeyondAllMemory) {
    const Bytes data{0xFF, 0xFF, 0xFF, 0xFF, 1};
    ByteReader reader(data);
    EXPECT_EQ(reader.block32(), std::nullopt);
    EXPECT_EQ(reader.take(SIZE_MAX), std::nullopt);
}

TEST(ByteWriter, IsReadBack) {
    ByteWriter writer;
    writer.u8(7).u16(300).u32(70'000).u64(1ULL << 40).text16("lane").block32(Bytes{1, 2});
    ByteReader reader(writer.bytes());
    EXPECT_EQ(reader.u8(), 7);
    EXPECT_EQ(reader.u16(), 300);
    EXPECT_EQ(reader.u32(), 70'000U);
    EXPECT_EQ(reader.u64(), 1ULL << 40);
    EXPECT_EQ(reader.text16(), "lane");
    EXPECT_EQ(reader.block32()->size(), 2U);
    EXPECT_TRUE(reader.done());
}

TEST(EqualConstantTime, ComparesContentAndLength) {
    EXPECT_TRUE(equal_constant_time(as_bytes("abc"), as_bytes("abc")));
    EXPECT_FALSE(equal_constant_time(as_bytes("abc"), as_bytes("abd")));
    EXPECT_FALSE(equal_constant_time(as_bytes("abc"), as_bytes("ab")));
    EXPECT_TRUE(equal_constant_time({}, {}));
}

}  // namespace
}  // namespace mitral::base
