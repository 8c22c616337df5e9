// Everything a hostile normal world can send to the Trusted Application's one door.
#include <random>

#include "attest/evidence.h"
#include "attest/report.hpp"
#include "support/proves.hpp"
#include "trusted/protocol.h"
#include "vault/bench.hpp"
#include "vault/errors.hpp"

namespace mitral::test {
namespace {

struct Request {
    trusted_command command;
    base::Bytes bytes;
};

class Commands : public ::testing::Test {
  protected:
    void SetUp() override {
        ASSERT_TRUE(bench.provision());
        auto opened = open_host_channel(bench.state_directory, bench.hardware_key.view());
        ASSERT_TRUE(opened);
        channel = std::move(*opened);
    }
    [[nodiscard]] base::Bytes ask(std::uint32_t command, base::ByteView request) {
        const auto reply = channel->invoke(command, request);
        return {reply->view().begin(), reply->view().end()};
    }
    // One good request for each command.
    [[nodiscard]] std::vector<Request> good() {
        const auto made = bench.backend().new_data_key();
        const auto order = bench.order(vault::OrderKind::release);
        const auto text = base::ByteWriter()
                              .raw(*base::ed25519_public_key(bench.station_key))
                              .block16(*vault::sign_order(order, bench.station_key))
                              .bytes();
        base::ByteWriter hub_token;
        hub_token.u64(start_s).u64(3600).text16(hub).text16(module);
        attest::Report report;
        report.lanes.push_back({"lines/vitals", 1, 1, 8, {}, 0});
        return {{TRUSTED_MINT_HUB, hub_token.bytes()},
                {TRUSTED_MINT_REGISTRATION, base::ByteWriter().u64(start_s).u64(60).bytes()},
                {TRUSTED_NEW_DATA_KEY, {}},
                {TRUSTED_OPEN_DATA_KEY, base::ByteWriter().block16(made->wrapped).bytes()},
                {TRUSTED_STATUS, {}},
                {TRUSTED_BEGIN_PROVISIONING, {}},
                {TRUSTED_EXECUTE_ORDER, text},
                {TRUSTED_PSEUDONYM, base::ByteWriter().text16("12345").text16("HOSP").bytes()},
                {TRUSTED_BEGIN_TIME, {}},
                {TRUSTED_TAKE_TIME, base::ByteWriter().block16(base::Bytes(300, 1)).bytes()},
                {TRUSTED_CHECKPOINT, base::ByteWriter().block16(encode(report)).bytes()},
                {TRUSTED_ATTEST, base::Bytes(32, 4)},
                {TRUSTED_VOLUME_KEY, base::ByteWriter().block16({}).bytes()}};
    }
    Bench bench{BackendKind::optee};
    std::unique_ptr<vault::optee::Channel> channel;
};

const base::Bytes malformed{TRUSTED_MALFORMED};

TEST_F(Commands, OfAnyOtherLengthAreRefused) {
    MITRAL_PROVES("T-SW-05");
    for (const auto& [command, bytes] : good()) {
        EXPECT_NE(ask(command, bytes), malformed) << command;  // negative control
        for (std::size_t size = 0; size < bytes.size(); ++size)
            EXPECT_EQ(ask(command, base::ByteView(bytes).first(size)), malformed) << command;
        for (const std::size_t more : {1U, 2U, 100U, 4096U, 70000U}) {
            auto longer = bytes;
            longer.resize(bytes.size() + more);
            EXPECT_EQ(ask(command, longer), malformed) << command << " and " << more;
        }
    }
}

TEST_F(Commands, ThatDoNotExistAreRefused) {
    MITRAL_PROVES("T-SW-05");
    for (const auto& request : good())
        for (const std::uint32_t command : {0U, 14U, 15U, 255U, 256U, 257U, 0x10001U, 0xffffffffU})
            EXPECT_EQ(ask(command, request.bytes), malformed) << command;
}

TEST_F(Commands, WithAnotherCommandsRequestGetNothing) {
    MITRAL_PROVES("T-SW-05");
    const auto all = good();
    for (const auto& to : all)
        for (const auto& from : all)
            if (to.bytes != from.bytes) {
                EXPECT_EQ(ask(to.command, from.bytes).size(), 1U) << to.command << from.command;
            }
}

TEST_F(Commands, OfNoiseChangeNothing) {
    MITRAL_PROVES("T-SW-05", "T-KEY-04");
    const auto before = bench.status();
    for (int i = 0; i < 4000; ++i) {
        base::Bytes noise(base::random_u64() % 200);
        base::fill_random(noise);
        const auto command = 1 + static_cast<std::uint32_t>(i % 13);
        const bool takes_nothing = command == TRUSTED_NEW_DATA_KEY || command == TRUSTED_STATUS ||
                                   command == TRUSTED_BEGIN_PROVISIONING ||
                                   command == TRUSTED_BEGIN_TIME;
        if (command == TRUSTED_ATTEST && noise.size() == EVIDENCE_NONCE_SIZE)
            noise.push_back(0);  // any nonce is one
        if (!(noise.empty() && takes_nothing)) {
            EXPECT_EQ(ask(command, noise).size(), 1U);
        }
    }
    bench.restart();
    EXPECT_EQ(bench.status().mint_count, before.mint_count);
    EXPECT_EQ(bench.status().state, before.state);
}

TEST_F(Commands, RefusedOnesAreCounted) {
    const auto refusals = [this] {
        const auto reply = ask(TRUSTED_STATUS, {});
        return base::ByteReader(base::ByteView(reply).subspan(10)).u64().value_or(0);
    };
    const auto before = refusals();
    (void)ask(99, {});
    (void)ask(TRUSTED_OPEN_DATA_KEY, base::ByteWriter().block16(base::Bytes(80, 1)).bytes());
    EXPECT_EQ(refusals(), before + 2);
}

// The station key in a request counts for a unit without identity alone.
TEST_F(Commands, AnotherStationsKeyBesidesAnOrderDoesNotHelp) {
    MITRAL_PROVES("T-ID-01");
    const auto thief = base::ed25519_new_key();
    const auto order = *vault::sign_order(bench.order(vault::OrderKind::wipe), thief);
    const auto request =
        base::ByteWriter().raw(*base::ed25519_public_key(thief)).block16(order).bytes();
    EXPECT_EQ(ask(TRUSTED_EXECUTE_ORDER, request), base::Bytes{TRUSTED_ORDER_NOT_AUTHENTIC});
}

}  // namespace
}  // namespace mitral::test
