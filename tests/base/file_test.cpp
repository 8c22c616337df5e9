#include "base/file.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/errors.hpp"
#include "support/proves.hpp"
#include "support/result_matchers.hpp"
#include "support/temporary_directory.hpp"

namespace mitral::base {
namespace {

using test::failed_with;
using test::ok;
using test::TemporaryDirectory;

TEST(ReplaceFile, LeavesOldOrNewAndNothingElse) {
    const TemporaryDirectory directory;
    const auto path = directory.path("state");
    ASSERT_TRUE(ok(replace_file(path, as_bytes("one"), 0640)));
    ASSERT_TRUE(ok(replace_file(path, as_bytes("two"), 0600)));
    EXPECT_EQ(*read_text_file(path, 10), "two");
    struct stat status{};
    ASSERT_EQ(stat(path.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777U, 0600U);
    EXPECT_EQ(*list_directory(directory.path()), std::vector<std::string>{"state"});
}

TEST(ReplaceFile, IsNotLedAstrayByAPlantedLink) {
    const TemporaryDirectory directory;
    ASSERT_TRUE(ok(replace_file(directory.path("victim"), as_bytes("intact"), 0600)));
    ASSERT_EQ(symlink(directory.path("victim").c_str(), directory.path("state.new").c_str()), 0);
    ASSERT_TRUE(ok(replace_file(directory.path("state"), as_bytes("mine"), 0600)));
    EXPECT_EQ(*read_text_file(directory.path("victim"), 10), "intact");
}

TEST(ReplacePassingFile, LeavesTheNewAndNothingElseAndIsNotLedAstray) {
    const TemporaryDirectory directory;
    const auto path = directory.path("status");
    ASSERT_TRUE(ok(replace_file(directory.path("victim"), as_bytes("intact"), 0600)));
    ASSERT_EQ(symlink(directory.path("victim").c_str(), directory.path("status.new").c_str()), 0);
    ASSERT_TRUE(ok(replace_passing_file(path, as_bytes("one"), 0640)));
    ASSERT_TRUE(ok(replace_passing_file(path, as_bytes("two"), 0644)));
    EXPECT_EQ(*read_text_file(path, 10), "two");
    EXPECT_EQ(*read_text_file(directory.path("victim"), 10), "intact");
    struct stat status{};
    ASSERT_EQ(stat(path.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777U, 0644U);
    EXPECT_EQ(*list_directory(directory.path()), (std::vector<std::string>{"status", "victim"}));
    EXPECT_FALSE(replace_passing_file(directory.path("missing/status"), as_bytes("x"), 0644));
}

TEST(ReadFile, RefusesLinksDirectoriesAndExcess) {
    const TemporaryDirectory directory;
    ASSERT_TRUE(ok(replace_file(directory.path("file"), as_bytes("12345"), 0600)));
    EXPECT_TRUE(ok(read_file(directory.path("file"), 5)));
    EXPECT_TRUE(failed_with(read_file(directory.path("file"), 4), BaseError::too_large));
    ASSERT_EQ(symlink(directory.path("file").c_str(), directory.path("link").c_str()), 0);
    EXPECT_TRUE(failed_with(read_file(directory.path("link"), 5),
                            std::errc::too_many_symbolic_link_levels));
    EXPECT_TRUE(failed_with(read_file(directory.path(), 5), BaseError::malformed));
    EXPECT_TRUE(
        failed_with(read_file(directory.path("none"), 5), std::errc::no_such_file_or_directory));
}

TEST(ReadFile, DoesNotWaitOnAPlantedFifo) {
    MITRAL_PROVES("T-SW-06", "T-DOS-04");
    const TemporaryDirectory directory;
    ASSERT_EQ(mkfifo(directory.path("fifo").c_str(), 0600), 0);
    EXPECT_TRUE(failed_with(read_file(directory.path("fifo"), 5), BaseError::malformed));
    EXPECT_TRUE(failed_with(read_secret_file(directory.path("fifo"), 5), BaseError::malformed));
}

TEST(ReadSecretFile, HoldsTheContent) {
    const TemporaryDirectory directory;
    ASSERT_TRUE(ok(replace_file(directory.path("key"), as_bytes("secret"), 0600)));
    const auto secret = read_secret_file(directory.path("key"), 100);
    ASSERT_TRUE(ok(secret));
    EXPECT_EQ(as_text(secret->view()), "secret");
}

}  // namespace
}  // namespace mitral::base
