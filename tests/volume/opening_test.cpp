// The volume over the Trusted Application's rules, on a partition in memory.
#include "volume/opening.hpp"

#include <gtest/gtest.h>

#include <filesystem>

#include "base/errors.hpp"
#include "support/proves.hpp"
#include "vault/bench.hpp"
#include "volume/header.hpp"

namespace mitral::volume {
namespace {

// Remembers under which key it was mapped; power may go before one of its writes.
class MemoryPartition final : public Partition {
  public:
    [[nodiscard]] base::Result<base::Bytes> read_header() override { return header; }
    [[nodiscard]] base::Status write_header(base::ByteView bytes) override {
        MITRAL_CHECK(power());
        header.assign(bytes.begin(), bytes.end());
        return {};
    }
    [[nodiscard]] base::Status map(base::ByteView key) override {
        MITRAL_CHECK(power());
        mapped.assign(key.begin(), key.end());
        return {};
    }
    [[nodiscard]] base::Status make_file_system() override {
        MITRAL_CHECK(power());
        made_under = mapped;
        return {};
    }
    // What was written is readable under the present key.
    [[nodiscard]] bool is_mounted() const { return !mapped.empty() && mapped == made_under; }

    base::Bytes header = base::Bytes(header_size);
    base::Bytes mapped;
    base::Bytes made_under;
    int steps_left = 1000;

  private:
    [[nodiscard]] base::Status power() {
        if (steps_left-- > 0)
            return {};
        return base::fail(base::BaseError::peer_closed, "power is gone");
    }
};

class Opening : public ::testing::Test {
  protected:
    // A start of the unit.
    [[nodiscard]] base::Result<Opened> start() {
        partition.mapped.clear();
        channel.reset();
        auto opened = test::open_host_channel(bench.state_directory, bench.hardware_key.view(),
                                              &bench.power, nullptr, bench.host);
        if (!opened)
            return std::unexpected(opened.error());
        channel = std::move(*opened);
        return open(*channel, partition);
    }
    void order(vault::OrderKind kind) {
        channel.reset();
        bench.restart();
        ASSERT_TRUE(bench.execute(bench.order(kind)));
    }
    void expect(Opened what) {
        const auto opened = start();
        ASSERT_TRUE(opened) << opened.error().message();
        EXPECT_EQ(describe(*opened), describe(what));
    }

    test::Bench bench{test::BackendKind::optee};
    MemoryPartition partition;
    std::unique_ptr<vault::optee::Channel> channel;
};

TEST_F(Opening, MakesTheVolumeOnceAndFindsItAgain) {
    MITRAL_PROVES("T-PHY-04");
    expect(Opened::made);
    EXPECT_EQ(partition.mapped.size(), 64U);
    const auto header = partition.header;
    for (int again = 0; again < 3; ++again) {
        expect(Opened::as_it_was);
        EXPECT_TRUE(partition.is_mounted());
    }
    EXPECT_EQ(partition.header, header);
    EXPECT_FALSE(open(*channel, partition));  // once in a start
}

TEST_F(Opening, WritesOverWhatAWipeClosed) {
    MITRAL_PROVES("T-PHY-03", "T-PHY-04");
    ASSERT_TRUE(bench.provision());
    expect(Opened::made);
    const auto before = partition;
    order(vault::OrderKind::quarantine);
    expect(Opened::as_it_was);  // negative control: another order closes nothing
    order(vault::OrderKind::wipe);
    expect(Opened::replaced);
    EXPECT_TRUE(partition.is_mounted());
    EXPECT_NE(partition.mapped, before.made_under);
    expect(Opened::as_it_was);
    partition = before;  // a copy from before the wipe
    expect(Opened::replaced);
    EXPECT_NE(partition.mapped, before.made_under);
}

TEST_F(Opening, LeavesAnUnitInDoubtWhatItHas) {
    MITRAL_PROVES("T-PHY-04");
    expect(Opened::made);
    const auto before = partition.header;
    bench.host.refuses_storage = true;
    expect(Opened::in_doubt);
    EXPECT_EQ(partition.header, before);
    EXPECT_FALSE(partition.is_mounted());
    bench.host.refuses_storage = false;
    expect(Opened::as_it_was);
    EXPECT_TRUE(partition.is_mounted());
    // On an empty partition it makes none either: it would be lost at the next start.
    bench.host.refuses_storage = true;
    partition.header.assign(header_size, 0);
    expect(Opened::in_doubt);
    EXPECT_EQ(partition.header, base::Bytes(header_size));
}

TEST_F(Opening, LeavesADamagedHeaderAlone) {
    MITRAL_PROVES("T-PHY-04");
    expect(Opened::made);
    partition.header[10] ^= 1;
    expect(Opened::as_it_was);  // negative control: of one copy
    partition.header[header_copy_size + 10] ^= 1;
    const auto before = partition.header;
    expect(Opened::damaged);
    EXPECT_EQ(partition.header, before);
    EXPECT_TRUE(partition.mapped.empty());
}

TEST_F(Opening, AfterAPowerCutAnywhereThereIsAVolumeAtTheNextStart) {
    MITRAL_PROVES("T-PHY-04");
    ASSERT_TRUE(bench.provision());
    for (const bool wiped : {false, true}) {
        for (int step = 0; step < 5; ++step) {
            partition = {};
            if (wiped) {
                expect(Opened::made);
                order(vault::OrderKind::wipe);
                ASSERT_TRUE(bench.provision());
            }
            partition.steps_left = step;
            const auto cut = start();
            partition.steps_left = 1000;
            EXPECT_EQ(cut.has_value(), step >= (wiped ? 4 : 3)) << step;
            ASSERT_TRUE(start());
            EXPECT_TRUE(partition.is_mounted()) << step;
        }
    }
}

TEST_F(Opening, SaysWhenTheTrustZoneDoesNotWork) {
    expect(Opened::made);
    const auto before = partition.header;
    ASSERT_TRUE(start());
    for (const int at : {0, 1, 2}) {
        channel.reset();
        channel = *test::open_host_channel(bench.state_directory, bench.hardware_key.view(),
                                           &bench.power, nullptr, bench.host);
        bench.power.calls = 0;
        bench.power.at = static_cast<std::size_t>(at);
        const auto opened = open(*channel, partition);
        EXPECT_FALSE(opened);
        bench.power.at = test::PowerCut::never;
        EXPECT_EQ(partition.header, before);
    }
    EXPECT_TRUE(open(*channel, partition));
}

}  // namespace
}  // namespace mitral::volume
