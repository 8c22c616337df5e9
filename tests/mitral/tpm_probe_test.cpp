#include "mitral/tpm_probe.hpp"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "base/fd.hpp"
#include "support/result_matchers.hpp"
#include "support/temporary_directory.hpp"
#include "vault/errors.hpp"

namespace mitral::cli {
namespace {

using test::failed_with;
using test::ok;

constexpr base::Milliseconds timeout{2000};

TEST(TpmProbe, ADeviceMustBeThereAndBeADevice) {
    const test::TemporaryDirectory directory;
    const auto missing = probe_tpm("device:" + directory.path("tpmrm0"), timeout);
    EXPECT_TRUE(failed_with(missing, vault::VaultError::backend_unavailable));
    EXPECT_THAT(missing.error().message(), testing::HasSubstr(directory.path("tpmrm0")));
    EXPECT_FALSE(probe_tpm("device:" + directory.path(), timeout));
    EXPECT_TRUE(ok(probe_tpm("device:/dev/null", timeout)));
}

TEST(TpmProbe, ASimulatorMustAnswerOnItsPort) {
    base::UniqueFd listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* raw = reinterpret_cast<sockaddr*>(&address);
    ASSERT_EQ(0, ::bind(listener.get(), raw, size));
    ASSERT_EQ(0, ::listen(listener.get(), 1));
    ASSERT_EQ(0, ::getsockname(listener.get(), raw, &size));
    const auto tcti = "swtpm:host=127.0.0.1,port=" + std::to_string(ntohs(address.sin_port));
    EXPECT_TRUE(ok(probe_tpm(tcti, timeout)));
    listener.reset();
    EXPECT_TRUE(failed_with(probe_tpm(tcti, timeout), vault::VaultError::backend_unavailable));
    EXPECT_FALSE(probe_tpm("swtpm:port=none", timeout));
}

TEST(TpmProbe, WhatItDoesNotKnowIsLeftToTheVault) {
    EXPECT_TRUE(ok(probe_tpm("", timeout)));
}

}  // namespace
}  // namespace mitral::cli
