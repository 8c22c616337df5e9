#include "mitral/secret_files.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "base/encoding.hpp"
#include "base/file.hpp"
#include "support/proves.hpp"
#include "support/result_matchers.hpp"
#include "support/temporary_directory.hpp"

namespace mitral::cli {
namespace {

using test::ok;

class KeyFiles : public ::testing::Test {
  protected:
    std::string write(const std::string& content, mode_t mode = 0600) {
        const auto path = directory.path("key" + std::to_string(++count));
        EXPECT_TRUE(ok(base::replace_file(path, base::as_bytes(content), mode)));
        return path;
    }
    static std::string pem(const base::Secret& key) {
        auto der = *base::from_hex("302e020100300506032b657004220420");
        der.insert(der.end(), key.view().begin(), key.view().end());
        return "-----BEGIN PRIVATE KEY-----\n" + base::to_base64(der) +
               "\n-----END PRIVATE KEY-----\n";
    }
    test::TemporaryDirectory directory;
    int count = 0;
    base::Secret key = base::ed25519_new_key();
};

TEST_F(KeyFiles, AStationKeyIsPemOrBase64) {
    const auto from_pem = read_station_key(write(pem(key)));
    const auto from_base64 = read_station_key(write(base::to_base64(key.view()) + "\n"));
    ASSERT_TRUE(ok(from_pem));
    ASSERT_TRUE(ok(from_base64));
    EXPECT_TRUE(base::equal_constant_time(key.view(), from_pem->view()));
    EXPECT_TRUE(base::equal_constant_time(key.view(), from_base64->view()));
}

TEST_F(KeyFiles, ASubjectKeyHas32Bytes) {
    const auto read = read_subject_key(write(base::to_base64(key.view()) + "\n"));
    ASSERT_TRUE(ok(read));
    EXPECT_TRUE(base::equal_constant_time(key.view(), read->view()));
    for (const std::size_t size : {0U, 16U, 31U, 33U, 64U})
        EXPECT_FALSE(read_subject_key(write(base::to_base64(base::Bytes(size, 1))))) << size;
    EXPECT_FALSE(read_subject_key(write("not base64!")));
}

TEST_F(KeyFiles, AKeyThatOthersCanReadIsRefused) {
    MITRAL_PROVES("T-KEY-02");
    for (const mode_t mode : {0640U, 0604U, 0644U}) {
        EXPECT_FALSE(read_station_key(write(pem(key), mode)));
        EXPECT_FALSE(read_group_key(write(base::to_base64(key.view()), mode)));
        EXPECT_FALSE(read_subject_key(write(base::to_base64(key.view()), mode)));
    }
}

TEST_F(KeyFiles, GarbageIsRefused) {
    const auto good = pem(key);
    for (const auto& bad :
         {std::string(), std::string("-----BEGIN PRIVATE KEY-----"), good.substr(0, 60),
          std::string("-----END PRIVATE KEY-----\n-----BEGIN PRIVATE KEY-----"),
          base::to_base64(base::Bytes(31, 1)), std::string("not base64!"), std::string(5000, 'A')})
        EXPECT_FALSE(read_station_key(write(bad))) << bad;
    EXPECT_FALSE(read_station_key(directory.path("missing")));
    EXPECT_FALSE(read_group_key(write(base::to_base64(base::Bytes(15, 1)))));
    EXPECT_FALSE(read_group_key(write(base::to_base64(base::Bytes(65, 1)))));
    EXPECT_TRUE(ok(read_group_key(write(base::to_base64(base::Bytes(64, 1)) + "\n"))));
}

TEST_F(KeyFiles, NoErrorQuotesTheKey) {
    MITRAL_PROVES("T-KEY-01");
    const auto text = base::to_base64(base::Bytes(31, 0x5a));
    const auto refused = read_station_key(write(text));
    ASSERT_FALSE(refused);
    EXPECT_EQ(std::string::npos, refused.error().message().find(text.substr(0, 8)));
}

}  // namespace
}  // namespace mitral::cli
