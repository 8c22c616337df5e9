// The rules are written twice, in C++ and in C: here both read the same bytes.
#include <gtest/gtest.h>

#include "support/proves.hpp"
#include "trusted/core/commands.h"
#include "trusted/core/order.h"
#include "trusted/host/zone.h"
#include "vault/bench.hpp"
#include "vault/module_key.hpp"

namespace mitral::test {
namespace {

using vault::OrderKind;

class Twins : public ::testing::Test {
  protected:
    [[nodiscard]] static bool both(base::ByteView bytes) {
        order parsed{};
        const bool in_c = trusted_order_parse({bytes.data(), bytes.size()}, &parsed);
        const bool in_cpp = vault::parse_order(bytes).has_value();
        EXPECT_EQ(in_c, in_cpp);
        return in_c && in_cpp;
    }
    [[nodiscard]] std::vector<base::Bytes> orders() {
        std::vector<vault::Order> all{bench.provision_order()};
        all[0].subject_key = base::Bytes(80, 9);
        for (const auto kind : {OrderKind::rotate, OrderKind::confirm_rotation, OrderKind::policy,
                                OrderKind::quarantine, OrderKind::release, OrderKind::wipe})
            all.push_back(bench.order(kind));
        all[1].keys = {{"", base::Bytes(80, 1)}, {"a", {2}}, {"b", {3}}};
        all[3].policy = standard_policy();
        all[3].policy->modules.clear();
        all[3].policy->quarantine_module.clear();
        all[4].reason = "case opened";
        all[5].time_s = start_s;
        std::vector<base::Bytes> result;
        for (const auto& order : all)
            result.push_back(*vault::sign_order(order, bench.station_key));
        return result;
    }
    Bench bench{BackendKind::optee};
};

TEST_F(Twins, TakeTheSameOrders) {
    MITRAL_PROVES("T-ID-01", "T-SW-05");
    for (const auto& good : orders()) {
        EXPECT_TRUE(both(good));
        for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
            auto altered = good;
            altered[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
            (void)both(altered);
        }
        for (std::size_t size = 0; size < good.size(); ++size)
            (void)both(base::ByteView(good).first(size));
    }
}

// Fields taken out, put in twice, emptied, swapped with those of other orders.
TEST_F(Twins, TakeTheSameMixtures) {
    MITRAL_PROVES("T-SW-05");
    struct Part {
        std::uint8_t tag;
        base::Bytes value;
    };
    std::vector<Part> parts;
    for (const auto& bytes : orders()) {
        base::ByteReader in(base::ByteView(bytes).subspan(6, bytes.size() - 6 - 64));
        while (!in.done()) {
            const auto tag = *in.u8();
            const auto value = *in.block16();
            parts.push_back({tag, {value.begin(), value.end()}});
            parts.push_back({tag, {}});
        }
    }
    std::size_t taken = 0;
    for (int round = 0; round < 60'000; ++round) {
        base::ByteWriter out;
        out.text("MVO1").u8(static_cast<std::uint8_t>(base::random_u64() % 9));
        out.u8(static_cast<std::uint8_t>(1 + base::random_u64() % 2));
        for (unsigned tag = 1; tag <= 8; ++tag) {
            const auto& part = parts[base::random_u64() % parts.size()];
            if (part.tag == tag || (part.value.size() > 0 && base::random_u64() % 16 == 0))
                out.u8(static_cast<std::uint8_t>(part.tag)).block16(part.value);
            else if (tag <= 2)
                out.u8(static_cast<std::uint8_t>(tag)).block16(parts[tag == 1 ? 0 : 2].value);
        }
        out.raw(base::Bytes(64, 0));
        taken += both(out.bytes()) ? 1U : 0U;
    }
    EXPECT_GT(taken, 100U);  // negative control: the mixtures are not all nonsense
}

TEST_F(Twins, BoundTheAllowanceBesideATimeAuthority) {
    MITRAL_PROVES("T-TIME-01");
    const auto taken = [](bool authority, std::uint32_t allowance) {
        auto chosen = standard_policy();
        chosen.allowance_s = allowance;
        if (authority)
            chosen.time_key.emplace();
        const auto bytes = vault::encode(chosen);
        const auto in_cpp = vault::decode_policy(bytes);
        policy parsed{};
        EXPECT_EQ(trusted_policy_parse({bytes.data(), bytes.size()}, &parsed), in_cpp.has_value());
        if (!in_cpp) {
            EXPECT_NE(in_cpp.error().message().find("at most 7 days"), std::string::npos);
        }
        return in_cpp.has_value();
    };
    constexpr std::uint32_t week = 7 * 24 * 3600;
    EXPECT_TRUE(taken(true, week));
    EXPECT_FALSE(taken(true, week + 1));
    EXPECT_FALSE(taken(true, 0xffffffff));
    EXPECT_TRUE(taken(false, week + 1));
}

TEST_F(Twins, DeriveTheSameKeys) {
    trusted_host host{};
    trusted_zone zone{};
    const base::Bytes fuse(32, 7);
    ASSERT_NE(trusted_host_zone(&host, bench.state_directory.c_str(), fuse.data(), &zone), 0);
    key device{};
    base::fill_random({device.bytes, 32});
    device.size = 32;
    const std::string name = "DeviceUpdate";
    const base::Bytes data = base::to_bytes("what is signed");
    base::Sha256Digest mac{};
    ASSERT_EQ(trusted_key_mac(&zone, &device,
                              {reinterpret_cast<const std::uint8_t*>(name.data()), name.size()},
                              {data.data(), data.size()}, mac.data()),
              ZONE_OK);
    const auto derived = vault::derive_module_key({device.bytes, 32}, name);
    EXPECT_EQ(mac, base::hmac_sha256(derived.view(), data));

    for (const std::size_t size : {1U, 32U, 64U, 200U}) {
        base::Bytes salt(size);
        base::Bytes info(size, 3);
        base::fill_random(salt);
        std::array<std::uint8_t, 32> out{};
        ASSERT_EQ(trusted_hkdf(&zone, {device.bytes, 32}, {salt.data(), salt.size()},
                               {info.data(), info.size()}, out.data()),
                  ZONE_OK);
        const auto expected = base::hkdf_sha256({device.bytes, 32}, salt, info, 32);
        EXPECT_TRUE(std::ranges::equal(out, expected->view())) << size;
    }
}

}  // namespace
}  // namespace mitral::test
