// The key of the unit's volume: given once in a start, to this unit alone, gone with a wipe.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "support/proves.hpp"
#include "trusted/protocol.h"
#include "vault/bench.hpp"

namespace mitral::test {
namespace {

struct Answer {
    int status = 0;
    base::Bytes key;
    base::Bytes wrapped;
};

class VolumeKey : public ::testing::Test {
  protected:
    // A new start of the Trusted Application on these files.
    void start() {
        channel.reset();
        auto opened = open_host_channel(bench.state_directory, bench.hardware_key.view(),
                                        &bench.power, nullptr, bench.host);
        ASSERT_TRUE(opened);
        channel = std::move(*opened);
    }
    [[nodiscard]] base::Bytes ask(trusted_command command, base::ByteView request) {
        const auto reply = channel->invoke(command, request);
        return {reply->view().begin(), reply->view().end()};
    }
    [[nodiscard]] Answer open(base::ByteView wrapped = {}) {
        const auto reply = ask(TRUSTED_VOLUME_KEY, base::ByteWriter().block16(wrapped).bytes());
        base::ByteReader in(reply);
        Answer answer{*in.u8(), {}, {}};
        if (answer.status == TRUSTED_OK) {
            const auto key = *in.block16();
            const auto sealed = *in.block16();
            answer.key.assign(key.begin(), key.end());
            answer.wrapped.assign(sealed.begin(), sealed.end());
        }
        EXPECT_TRUE(in.done());
        return answer;
    }
    [[nodiscard]] Answer open_at_start(base::ByteView wrapped = {}) {
        start();
        return open(wrapped);
    }
    // As an order of the station, which the back end carries: a start of its own.
    void wipe() {
        channel.reset();
        bench.restart();
        ASSERT_TRUE(bench.execute(bench.order(vault::OrderKind::wipe)));
    }
    [[nodiscard]] std::uint64_t refusals() {
        const auto reply = ask(TRUSTED_STATUS, {});
        return *base::ByteReader(base::ByteView(reply).subspan(10)).u64();
    }
    [[nodiscard]] std::string object(int number) const {
        return bench.state_directory + "/object-" + std::to_string(number);
    }

    Bench bench{BackendKind::optee};
    std::unique_ptr<vault::optee::Channel> channel;
};

TEST_F(VolumeKey, IsTheSameAtEveryStart) {
    MITRAL_PROVES("T-PHY-04");
    const auto made = open_at_start();
    ASSERT_EQ(made.status, TRUSTED_OK);
    EXPECT_EQ(made.key.size(), std::size_t{TRUSTED_VOLUME_KEY_SIZE});
    EXPECT_EQ(made.wrapped.size(), std::size_t{TRUSTED_VOLUME_WRAPPED_SIZE});
    EXPECT_EQ(std::ranges::search(made.wrapped, base::ByteView(made.key).first(16)).size(), 0U);
    for (int again = 0; again < 3; ++again) {
        const auto opened = open_at_start(made.wrapped);
        EXPECT_EQ(opened.key, made.key);
        EXPECT_EQ(opened.wrapped, made.wrapped);
    }
    const auto other = open_at_start();  // negative control: another volume's is another one
    EXPECT_NE(other.key, made.key);
    EXPECT_EQ(open_at_start(made.wrapped).key, made.key);
}

TEST_F(VolumeKey, IsGivenOnceInAStart) {
    MITRAL_PROVES("T-KEY-04", "T-PHY-04");
    const auto made = open_at_start();
    ASSERT_EQ(made.status, TRUSTED_OK);
    const auto before = refusals();
    EXPECT_EQ(open(made.wrapped).status, TRUSTED_ALREADY_GIVEN);
    EXPECT_EQ(open().status, TRUSTED_ALREADY_GIVEN);
    EXPECT_EQ(refusals(), before + 2);
    ASSERT_EQ(open_at_start(made.wrapped).status, TRUSTED_OK);
    EXPECT_EQ(open(made.wrapped).status, TRUSTED_ALREADY_GIVEN);
    EXPECT_EQ(open(base::Bytes(TRUSTED_VOLUME_WRAPPED_SIZE, 1)).status, TRUSTED_ALREADY_GIVEN);
}

// Whoever did not get it may go on asking: a unit must come up.
TEST_F(VolumeKey, IsStillThereAfterARefusalOrAFailure) {
    const auto made = open_at_start();
    auto altered = made.wrapped;
    altered.back() ^= 1;
    EXPECT_EQ(open_at_start(altered).status, TRUSTED_KEY_REFUSED);
    bench.power.calls = 0;
    bench.power.at = 0;
    EXPECT_EQ(open(made.wrapped).status, TRUSTED_FAILURE);
    EXPECT_EQ(open().status, TRUSTED_FAILURE);
    bench.power.at = PowerCut::never;
    EXPECT_EQ(open(made.wrapped).key, made.key);
}

TEST_F(VolumeKey, OpensOnlyAsItWasWrapped) {
    MITRAL_PROVES("T-PHY-04", "T-SW-05");
    const auto made = open_at_start();
    start();
    for (std::size_t at = 0; at < made.wrapped.size(); ++at) {
        auto altered = made.wrapped;
        altered[at] ^= 1;
        EXPECT_EQ(open(altered).status, TRUSTED_KEY_REFUSED) << at;
    }
    for (std::size_t size = 1; size < made.wrapped.size(); ++size)
        EXPECT_EQ(open(base::ByteView(made.wrapped).first(size)).status, TRUSTED_KEY_REFUSED);
    EXPECT_EQ(open(made.wrapped).key, made.key);  // negative control
}

// OPEN_DATA_KEY has no latch: it must not be a way around this one.
TEST_F(VolumeKey, IsNoDataKeyAndNoDataKeyIsOne) {
    MITRAL_PROVES("T-KEY-04", "T-PHY-04");
    const auto made = open_at_start();
    for (const auto& wrapped :
         {made.wrapped, base::Bytes(made.wrapped.begin(), made.wrapped.begin() + 32 + 32 + 16)})
        EXPECT_EQ(ask(TRUSTED_OPEN_DATA_KEY, base::ByteWriter().block16(wrapped).bytes()),
                  base::Bytes{TRUSTED_KEY_REFUSED});
    start();
    const auto reply = ask(TRUSTED_NEW_DATA_KEY, {});
    base::ByteReader in(base::ByteView(reply).subspan(1));
    (void)in.block16();
    const auto data = *in.block16();
    EXPECT_EQ(open(data).status, TRUSTED_KEY_REFUSED);
    EXPECT_EQ(ask(TRUSTED_OPEN_DATA_KEY, base::ByteWriter().block16(data).bytes()).at(0),
              TRUSTED_OK);  // negative control
}

TEST_F(VolumeKey, OfOneUnitDoesNotOpenOnAnother) {
    MITRAL_PROVES("T-PHY-01", "T-PHY-04", "T-ID-02");
    const auto made = open_at_start();
    Bench other(BackendKind::optee);
    auto theirs = open_host_channel(other.state_directory, other.hardware_key.view());
    ASSERT_TRUE(theirs);
    const auto request = base::ByteWriter().block16(made.wrapped).bytes();
    EXPECT_EQ((*theirs)->invoke(TRUSTED_VOLUME_KEY, request)->view()[0], TRUSTED_KEY_REFUSED);
    // With the secure world's storage beside it: it is another piece of hardware.
    bench.hardware_key.bytes()[0] ^= 1;
    EXPECT_EQ(open_at_start(made.wrapped).status, TRUSTED_STATE_REFUSED);
    EXPECT_EQ(open().status, TRUSTED_STATE_REFUSED);
    bench.hardware_key.bytes()[0] ^= 1;
    EXPECT_EQ(open_at_start(made.wrapped).key, made.key);  // negative control
}

TEST_F(VolumeKey, IsGoneWithAWipe) {
    MITRAL_PROVES("T-PHY-03", "T-PHY-04");
    ASSERT_TRUE(bench.provision());
    const auto made = open_at_start();
    EXPECT_EQ(open_at_start(made.wrapped).status, TRUSTED_OK);  // negative control
    wipe();
    EXPECT_EQ(open_at_start(made.wrapped).status, TRUSTED_KEY_REFUSED);
    EXPECT_EQ(open().status, TRUSTED_OK);  // readings go on
    ASSERT_TRUE(bench.provision());
    EXPECT_EQ(open_at_start(made.wrapped).status, TRUSTED_KEY_REFUSED);
}

TEST_F(VolumeKey, IsThereInQuarantine) {
    ASSERT_TRUE(bench.provision());
    const auto made = open_at_start();
    channel.reset();
    bench.restart();
    ASSERT_TRUE(bench.execute(bench.order(vault::OrderKind::quarantine)));
    EXPECT_EQ(open_at_start(made.wrapped).key, made.key);
}

// What is refused in doubt may open again: nobody may write over it. None is made that is lost at
// the next start.
TEST_F(VolumeKey, OfAUnitInDoubtIsNeitherLostNorReplaced) {
    MITRAL_PROVES("T-PHY-04");
    ASSERT_TRUE(bench.provision());
    const auto made = open_at_start();
    const auto kept = bench.scratch.path() + "/kept";
    std::filesystem::copy(bench.state_directory, kept);
    for (const bool deletes : {false, true}) {
        bench.host.deletes_damaged = deletes;
        std::filesystem::resize_file(object(1), 20);
        for (int again = 0; again < 3; ++again) {
            EXPECT_EQ(open_at_start(made.wrapped).status, TRUSTED_STATE_REFUSED);
            EXPECT_EQ(open().status, TRUSTED_STATE_REFUSED);
        }
        channel.reset();
        std::filesystem::remove_all(bench.state_directory);
        std::filesystem::copy(kept, bench.state_directory);
        EXPECT_EQ(open_at_start(made.wrapped).key, made.key);
    }
    // Its own keys are whole, what a station gave is not: the volume opens, none is made.
    std::filesystem::resize_file(object(2), 20);
    EXPECT_EQ(open_at_start().status, TRUSTED_STATE_REFUSED);
    EXPECT_EQ(open(made.wrapped).key, made.key);
}

TEST_F(VolumeKey, StaysClosedWhileThePlatformRefusesItsStorage) {
    MITRAL_PROVES("T-PHY-04");
    const auto made = open_at_start();
    bench.host.refuses_storage = true;
    EXPECT_EQ(open_at_start(made.wrapped).status, TRUSTED_STATE_REFUSED);
    EXPECT_EQ(open().status, TRUSTED_STATE_REFUSED);
    bench.host.refuses_storage = false;
    EXPECT_EQ(open_at_start(made.wrapped).key, made.key);
}

// Every reply of a unit's life but the one that gives it.
TEST_F(VolumeKey, IsInNoOtherReply) {
    MITRAL_PROVES("T-KEY-04");
    std::vector<base::Bytes> replies;
    ASSERT_TRUE(bench.provision());
    const auto made = open_at_start();
    bench.power.on_reply = [&](std::uint32_t, base::ByteView reply) {
        replies.emplace_back(reply.begin(), reply.end());
    };
    for (std::uint32_t command = 0; command < 20; ++command)
        for (const auto& request : {base::Bytes{}, base::Bytes(32, 1), made.wrapped,
                                    base::ByteWriter().block16(made.wrapped).bytes()})
            (void)ask(static_cast<trusted_command>(command), request);
    const auto leaks = [&] {
        return std::ranges::any_of(replies, [&](const base::Bytes& reply) {
            return !std::ranges::search(reply, base::ByteView(made.key).first(16)).empty();
        });
    };
    EXPECT_GT(replies.size(), 20U);
    EXPECT_FALSE(leaks());
    (void)open_at_start(made.wrapped);
    EXPECT_TRUE(leaks());  // negative control
}

}  // namespace
}  // namespace mitral::test
