// Power goes at every single call the rules make of the platform, before and after its effect: what
// was sealed is the old state or the new one, nothing is lost, and the unit works on.
#include <filesystem>
#include <set>

#include "attest/read.hpp"
#include "roughtime/time_authority.hpp"
#include "support/proves.hpp"
#include "trusted/protocol.h"
#include "vault/bench.hpp"

namespace mitral::test {
namespace {

using vault::OrderKind;
using vault::VaultState;

// What matters to somebody outside.
struct Seen {
    VaultState state;
    bool pending;
    bool subject;
    std::uint32_t lifetime;
    std::string id;
    bool operator==(const Seen&) const = default;
};

class PowerCuts : public ::testing::Test {
  protected:
    using Action = std::function<bool()>;

    [[nodiscard]] Seen seen() {
        const auto status = bench.status();
        return {status.state, status.pending_key, status.subject_key, status.max_token_lifetime_s,
                status.registration_id};
    }
    void keep() {
        std::filesystem::remove_all(kept);
        std::filesystem::copy(bench.state_directory, kept);
    }
    void put_back() {
        bench.power.at = PowerCut::never;
        std::filesystem::remove_all(bench.state_directory);
        std::filesystem::copy(kept, bench.state_directory);
        bench.restart();
    }
    void cut_at(std::size_t call, bool after) {
        bench.power.calls = 0;
        bench.power.at = call;
        bench.power.after = after;
    }
    void reboot() {
        bench.power.at = PowerCut::never;
        bench.restart();
    }
    // Of `action` alone, from the state that is kept.
    std::size_t calls_of(const Action& action) {
        put_back();
        bench.power.calls = 0;
        EXPECT_TRUE(action());
        return bench.power.calls;
    }
    // `action` brings the unit from what it is to one other state, and may be asked for again.
    void survives(const Action& action) {
        keep();
        const auto before = seen();
        const auto count = calls_of(action);
        const auto beyond = seen();
        ASSERT_GT(count, 0U);
        for (std::size_t call = 0; call < count; ++call)
            for (const bool after : {false, true})
                cut_once(action, before, beyond, call, after);
        put_back();
        ASSERT_TRUE(action());
    }
    void cut_once(const Action& action, const Seen& before, const Seen& beyond, std::size_t call,
                  bool after) {
        SCOPED_TRACE(std::to_string(call) + (after ? " after" : " before"));
        put_back();
        const auto mints = bench.status().mint_count;
        const auto data_key = bench.backend().new_data_key();
        ASSERT_TRUE(data_key);
        cut_at(call, after);
        EXPECT_FALSE(action());
        reboot();
        const auto now = seen();
        EXPECT_TRUE(now == before || now == beyond);
        EXPECT_GE(bench.status().mint_count, mints);
        if (beyond.state != VaultState::wiped) {
            EXPECT_TRUE(bench.backend().open_data_key(data_key->wrapped));
        }
        EXPECT_TRUE(bench.backend().new_data_key());
        if (now == before) {
            EXPECT_TRUE(action());
        }
        EXPECT_EQ(seen(), beyond);
    }

    // The statement may be what fails.
    [[nodiscard]] std::optional<vault::Statement> statement() {
        const auto answer = bench.backend().begin_provisioning();
        return answer ? std::optional(*vault::decode_statement(*answer)) : std::nullopt;
    }
    [[nodiscard]] bool provisioned() {
        const auto said = statement();
        return said && bench.execute(bench.provision_order(*said));
    }
    [[nodiscard]] bool rotated_to(base::ByteView key) {
        const auto said = statement();
        if (!said)
            return false;
        auto rotate = bench.order(OrderKind::rotate);
        rotate.keys = *vault::wrap_keys(*said, registration_id, key, {});
        return bench.execute(rotate).has_value();
    }
    [[nodiscard]] bool ordered(OrderKind kind) {
        return bench.execute(bench.order(kind)).has_value();
    }

    Bench bench{BackendKind::optee};
    std::string kept = bench.scratch.path() + "/kept";
};

TEST_F(PowerCuts, LeaveEveryOrderDoneOrNotDone) {
    MITRAL_PROVES("T-PHY-03", "T-ID-01");
    survives([this] { return provisioned(); });
    base::Secret next(32);
    base::fill_random(next.bytes());
    survives([&] { return rotated_to(next.view()); });
    survives([this] { return ordered(OrderKind::confirm_rotation); });
    EXPECT_TRUE(is_signed_with(*bench.mint(), next.view()));
    survives([this] {
        auto order = bench.order(OrderKind::policy);
        order.policy = standard_policy();
        order.policy->max_lifetime_s = 1800;
        return bench.execute(order).has_value();
    });
    survives([this] { return ordered(OrderKind::quarantine); });
    survives([this] { return ordered(OrderKind::release); });
    survives([this] { return ordered(OrderKind::wipe); });
}

TEST_F(PowerCuts, LeaveNoTokenUncounted) {
    MITRAL_PROVES("T-TOK-04");
    ASSERT_TRUE(bench.provision());
    keep();
    const auto count = calls_of([this] { return bench.mint().has_value(); });
    for (std::size_t call = 0; call <= count; ++call)
        for (const bool after : {false, true}) {
            SCOPED_TRACE(std::to_string(call) + (after ? " after" : " before"));
            put_back();
            const auto before = bench.status().mint_count;
            cut_at(call, after);
            const bool given = bench.mint().has_value();
            EXPECT_EQ(given, call == count);
            reboot();
            EXPECT_GE(bench.status().mint_count, before + (given ? 1 : 0));
            EXPECT_LE(bench.status().mint_count, before + TRUSTED_MINTS_AHEAD);
            EXPECT_TRUE(bench.mint());
        }
}

TEST_F(PowerCuts, LeaveNoNumberOfACheckpointTwice) {
    MITRAL_PROVES("T-ROLL-01", "T-PHY-03");
    ASSERT_TRUE(bench.provision());
    const auto unit =
        attest::read_first_attestation(*bench.backend().attest({}), {})->state.attestation_key;
    std::set<std::uint64_t> numbers;
    const auto ask = [&] {
        const auto bytes = bench.backend().checkpoint(encode(attest::Report{}));
        if (!bytes)
            return false;
        return numbers.insert(attest::read_checkpoint(*bytes, unit)->state.checkpoint).second;
    };
    bool given = false;
    for (std::size_t call = 0; !given; ++call)
        for (const bool after : {false, true}) {
            SCOPED_TRACE(std::to_string(call) + (after ? " after" : " before"));
            ASSERT_LT(call, 50U);
            reboot();
            cut_at(call, after);
            given = ask();
            reboot();
            EXPECT_TRUE(ask());
        }
    EXPECT_GT(numbers.size(), 8U);
}

TEST_F(PowerCuts, LeaveTheFloorRaisedOrNot) {
    MITRAL_PROVES("T-TIME-01", "T-PHY-03");
    const TimeAuthority authority;
    auto order = bench.provision_order();
    order.policy->time_key = authority.key();
    order.policy->allowance_s = vault::max_allowance_with_time_s;
    ASSERT_TRUE(bench.execute(order));
    constexpr std::int64_t later_s = start_s + 86'400;
    const auto take = [&] {
        const auto question = bench.backend().begin_time();
        return question && bench.backend().take_time(
                               authority.answer(*question, TimeAnswer{.midpoint_s = later_s}));
    };
    keep();
    const auto count = calls_of(take);
    ASSERT_GT(count, 5U);
    for (std::size_t call = 0; call < count; ++call)
        for (const bool after : {false, true}) {
            SCOPED_TRACE(std::to_string(call) + (after ? " after" : " before"));
            put_back();
            cut_at(call, after);
            EXPECT_FALSE(take());
            reboot();
            const auto floor = bench.status().time_floor_s;
            EXPECT_TRUE(floor == start_s || floor == later_s - 3) << floor;
            EXPECT_TRUE(bench.mint() || floor == later_s - 3);  // the clock stands before it
            EXPECT_TRUE(take());
            EXPECT_EQ(bench.status().time_floor_s, later_s - 3);
            EXPECT_TRUE(bench.mint());
        }
}

TEST_F(PowerCuts, AtTheFirstStartLeaveANewUnit) {
    MITRAL_PROVES("T-ID-01");
    std::size_t call = 0;
    for (bool started = false; !started; ++call) {
        ASSERT_LT(call, 50U);
        std::filesystem::remove_all(bench.state_directory);
        cut_at(call, true);
        started = bench.try_open().has_value();
        bench.power.at = PowerCut::never;
        const auto again = bench.try_open();
        ASSERT_TRUE(again);
        EXPECT_EQ((*again)->status()->state, VaultState::unprovisioned);
    }
    EXPECT_GT(call, 3U);
}

// What the platform would have to notice (RPMB): the rules alone do not. This pins the limit that
// docs/trust-zone.md states.
TEST_F(PowerCuts, AnOlderCopyOfAllOfThemIsTaken) {
    ASSERT_TRUE(bench.provision());
    keep();
    ASSERT_TRUE(bench.mint());
    ASSERT_EQ(bench.status().mint_count, 1U);
    put_back();
    EXPECT_EQ(bench.status().mint_count, 0U);
    EXPECT_EQ(bench.status().state, VaultState::ready);
}

}  // namespace
}  // namespace mitral::test
