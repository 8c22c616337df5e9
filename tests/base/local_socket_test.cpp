#include "base/local_socket.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/errors.hpp"
#include "base/file.hpp"
#include "support/proves.hpp"
#include "support/result_matchers.hpp"
#include "support/temporary_directory.hpp"

namespace mitral::base {
namespace {

using test::failed_with;
using test::ok;
using test::TemporaryDirectory;

class LocalSocket : public ::testing::Test {
  protected:
    void SetUp() override {
        listener = *listen_seqpacket(path, 0600);
        client = *connect_seqpacket(path, Milliseconds(2000));
        server = *accept_connection(listener.get());
    }
    TemporaryDirectory directory;
    std::string path = directory.path("room.sock");
    UniqueFd listener;
    UniqueFd client;
    UniqueFd server;
};

TEST_F(LocalSocket, CarriesDatagramsWhole) {
    ASSERT_TRUE(ok(send_datagram(client.get(), as_bytes("one"))));
    ASSERT_TRUE(ok(send_datagram(client.get(), as_bytes("two"))));
    EXPECT_EQ(as_text(*receive_datagram(server.get())), "one");
    EXPECT_EQ(as_text(*receive_datagram(server.get())), "two");
    client.reset();
    EXPECT_TRUE(receive_datagram(server.get())->empty());
}

TEST_F(LocalSocket, RefusesOversizedDatagramsBothWays) {
    MITRAL_PROVES("T-SW-05");
    EXPECT_TRUE(
        failed_with(send_datagram(client.get(), Bytes(max_datagram + 1)), BaseError::too_large));
    const Bytes large(max_datagram + 100);
    ASSERT_EQ(::send(client.get(), large.data(), large.size(), 0),
              static_cast<ssize_t>(large.size()));
    EXPECT_TRUE(failed_with(receive_datagram(server.get()), BaseError::too_large));
    ASSERT_TRUE(ok(send_datagram(client.get(), Bytes(max_datagram))));
    EXPECT_EQ(receive_datagram(server.get())->size(), max_datagram);
}

TEST_F(LocalSocket, KnowsThePeerFromTheKernel) {
    MITRAL_PROVES("T-ID-03", "CR 1.2");
    const auto peer = peer_credentials(server.get());
    ASSERT_TRUE(ok(peer));
    EXPECT_EQ(peer->uid, getuid());
    EXPECT_EQ(peer->pid, getpid());
}

TEST(ListenStream, LetsOthersInWhenAskedTo) {
    const TemporaryDirectory directory;
    const auto path = directory.path("open.sock");
    const auto listener = listen_stream(path, 0666);
    ASSERT_TRUE(ok(listener));
    struct stat status{};
    ASSERT_EQ(stat(path.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777U, 0666U);
}

TEST_F(LocalSocket, HasTheModeAskedFor) {
    struct stat status{};
    ASSERT_EQ(stat(path.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777U, 0600U);
}

TEST(ListenSeqpacket, ReplacesAStaleSocketButNoFile) {
    const TemporaryDirectory directory;
    const auto path = directory.path("room.sock");
    ASSERT_TRUE(ok(listen_seqpacket(path, 0600)));
    ASSERT_TRUE(ok(listen_seqpacket(path, 0600)));
    ASSERT_TRUE(ok(replace_file(directory.path("precious"), as_bytes("x"), 0600)));
    EXPECT_TRUE(
        failed_with(listen_seqpacket(directory.path("precious"), 0600), std::errc::address_in_use));
    EXPECT_EQ(*read_text_file(directory.path("precious"), 10), "x");
    EXPECT_TRUE(
        failed_with(listen_seqpacket(std::string(200, 'p'), 0600), BaseError::invalid_setting));
}

}  // namespace
}  // namespace mitral::base
