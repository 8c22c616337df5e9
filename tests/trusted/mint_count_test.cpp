// The count of tokens is stored ahead: flash, and the counter of a platform, are written seldom.
#include "base/file.hpp"
#include "support/proves.hpp"
#include "trusted/protocol.h"
#include "vault/bench.hpp"

namespace mitral::test {
namespace {

class MintCount : public ::testing::Test {
  protected:
    void SetUp() override { ASSERT_TRUE(bench.provision()); }
    [[nodiscard]] base::Bytes stored() const {
        return *base::read_file(bench.state_directory + "/object-3", 4096);
    }
    // Each is sealed anew, so that another content is another write.
    [[nodiscard]] int writes_of(int tokens) {
        int writes = 0;
        for (int i = 0; i < tokens; ++i) {
            const auto before = stored();
            EXPECT_TRUE(bench.mint());
            writes += stored() != before ? 1 : 0;
        }
        return writes;
    }
    Bench bench{BackendKind::optee};
};

TEST_F(MintCount, WritesOnceForManyTokens) {
    MITRAL_PROVES("T-TOK-04");
    EXPECT_EQ(writes_of(TRUSTED_MINTS_AHEAD), 1);
    EXPECT_EQ(writes_of(TRUSTED_MINTS_AHEAD), 1);
    EXPECT_EQ(bench.status().mint_count, 2U * TRUSTED_MINTS_AHEAD);
    bench.restart();
    EXPECT_EQ(bench.status().mint_count, 2U * TRUSTED_MINTS_AHEAD);
}

// Starts that mint nothing write nothing and skip nothing.
TEST_F(MintCount, JumpsAtAStartAndNeverRepeats) {
    MITRAL_PROVES("T-TOK-04", "T-ID-02");
    std::uint64_t last = 0;
    for (int start = 0; start < 20; ++start) {
        EXPECT_EQ(writes_of(start % 3 == 0 ? 0 : 1), start % 3 == 0 ? 0 : 1);
        const auto now = bench.status().mint_count;
        EXPECT_GE(now, last + (start % 3 == 0 ? 0 : 1));
        bench.restart();
        EXPECT_GE(bench.status().mint_count, now);
        EXPECT_LT(bench.status().mint_count, now + TRUSTED_MINTS_AHEAD);
        last = bench.status().mint_count;
    }
}

// Other writes of the same object leave the ceiling.
TEST_F(MintCount, OutlivesOrders) {
    MITRAL_PROVES("T-TOK-04");
    ASSERT_EQ(writes_of(3), 1);
    ASSERT_TRUE(bench.execute(bench.order(vault::OrderKind::quarantine)));
    ASSERT_TRUE(bench.execute(bench.order(vault::OrderKind::release)));
    EXPECT_EQ(writes_of(3), 0);
    bench.restart();
    EXPECT_EQ(bench.status().mint_count, std::uint64_t{TRUSTED_MINTS_AHEAD});
}

}  // namespace
}  // namespace mitral::test
