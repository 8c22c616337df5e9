#include "vault/order.hpp"

#include <gtest/gtest.h>

#include <array>
#include <functional>

#include "support/proves.hpp"
#include "vault/bench.hpp"
#include "vault/errors.hpp"

namespace mitral::test {
namespace {

using vault::Order;
using vault::OrderKind;
using vault::VaultError;

Order provision() {
    Order order;
    order.kind = OrderKind::provision;
    order.registration_id = registration_id;
    order.counter = 7;
    order.nonce.emplace();
    order.time_s = start_s;
    order.policy = standard_policy();
    order.keys = {{{}, {1, 2, 3}}, {std::string(module), {4}}};
    return order;
}

class OrderFormat : public ::testing::Test {
  protected:
    void refuses(const char* why, const std::function<void(Order&)>& change) {
        Order order = provision();
        change(order);
        EXPECT_EQ(code_of(vault::sign_order(order, key)), VaultError::order_malformed) << why;
    }
    base::Secret key = base::ed25519_new_key();
};

TEST_F(OrderFormat, SurvivesTheWire) {
    const auto bytes = vault::sign_order(provision(), key);
    ASSERT_TRUE(bytes);
    const auto parsed = vault::parse_order(*bytes);
    ASSERT_TRUE(parsed);
    EXPECT_EQ(parsed->order.policy, standard_policy());
    EXPECT_EQ(parsed->order.counter, 7U);
    EXPECT_EQ(parsed->order.keys[1].module, module);
    EXPECT_TRUE(vault::verify_order(*parsed, *base::ed25519_public_key(key)));
}

TEST_F(OrderFormat, ASubjectKeyStandsWhereAPolicyDoes) {
    auto with_key = provision();
    with_key.subject_key = {9, 8, 7};
    auto policy = with_key;
    policy.kind = OrderKind::policy;
    policy.nonce.reset();
    policy.keys.clear();
    for (const auto& order : {with_key, policy}) {
        const auto bytes = vault::sign_order(order, key);
        ASSERT_TRUE(bytes) << bytes.error().message();
        const auto parsed = vault::parse_order(*bytes);
        ASSERT_TRUE(parsed) << parsed.error().message();
        EXPECT_EQ(parsed->order.subject_key, order.subject_key);
        // There and empty would be a second encoding of "none".
        auto none = order;
        none.subject_key.clear();
        auto second = *vault::sign_order(none, key);
        constexpr std::array<std::uint8_t, 3> empty{8, 0, 0};
        second.insert(second.end() - 64, empty.begin(), empty.end());
        EXPECT_EQ(code_of(vault::parse_order(second)), VaultError::order_malformed);
    }
}

TEST_F(OrderFormat, HasOneEncodingOnly) {
    MITRAL_PROVES("T-SW-05", "T-ID-01");
    Order order;
    order.kind = OrderKind::quarantine;
    order.registration_id = registration_id;
    order.counter = 7;
    auto bytes = *vault::sign_order(order, key);
    ASSERT_TRUE(vault::parse_order(bytes));
    constexpr std::array<std::uint8_t, 3> empty_reason{7, 0, 0};
    bytes.insert(bytes.end() - 64, empty_reason.begin(), empty_reason.end());
    EXPECT_EQ(code_of(vault::parse_order(bytes)), VaultError::order_malformed);
}

TEST_F(OrderFormat, BreaksOfItsRulesCannotEvenBeSigned) {
    MITRAL_PROVES("T-ID-01", "T-TOK-01", "T-SW-05");
    refuses("no unit", [](Order& o) { o.registration_id.clear(); });
    refuses("a path as unit", [](Order& o) { o.registration_id = "a/../b"; });
    refuses("no counter", [](Order& o) { o.counter = 0; });
    refuses("no nonce", [](Order& o) { o.nonce.reset(); });
    refuses("no time", [](Order& o) { o.time_s.reset(); });
    refuses("time before 1970", [](Order& o) { o.time_s = -1; });
    refuses("no policy", [](Order& o) { o.policy.reset(); });
    refuses("no keys", [](Order& o) { o.keys.clear(); });
    refuses("no device key", [](Order& o) { o.keys.erase(o.keys.begin()); });
    refuses("a key twice", [](Order& o) { o.keys.push_back(o.keys.back()); });
    refuses("a subject key in a wipe", [](Order& o) {
        o = {};
        o.kind = OrderKind::wipe;
        o.registration_id = registration_id;
        o.counter = 7;
        o.subject_key = {1};
    });
    refuses("a subject key in a rotation", [](Order& o) {
        o.kind = OrderKind::rotate;
        o.nonce.reset();
        o.policy.reset();
        o.subject_key = {1};
    });
    refuses("reason in a provision", [](Order& o) { o.reason = "x"; });
    refuses("fleet provisions", [](Order& o) { o.signer = vault::Authority::fleet; });
    refuses("keys in a wipe", [](Order& o) { o.kind = OrderKind::wipe; });
    refuses("25 hours", [](Order& o) { o.policy->max_lifetime_s = 25 * 3600; });
    refuses("no lifetime", [](Order& o) { o.policy->max_lifetime_s = 0; });
    refuses("no allowance", [](Order& o) { o.policy->allowance_s = 0; });
    refuses("more than 7 days of allowance beside a time authority", [](Order& o) {
        o.policy->time_key.emplace();
        o.policy->allowance_s = 7 * 86'400 + 1;
    });
    refuses("no hub", [](Order& o) { o.policy->hubs.clear(); });
    refuses("nine hubs", [](Order& o) {
        for (int i = 0; i < 9; ++i)
            o.policy->hubs.push_back("hub" + std::to_string(i));
    });
    refuses("wildcard hub", [](Order& o) { o.policy->hubs = {"*.azure-devices.net"}; });
    refuses("suffix hub", [](Order& o) { o.policy->hubs = {".azure-devices.net"}; });
    refuses("upper-case hub", [](Order& o) { o.policy->hubs = {"Contoso.azure-devices.net"}; });
    refuses("a hub twice", [](Order& o) { o.policy->hubs = {"a.b", "a.b"}; });
    refuses("five modules", [](Order& o) { o.policy->modules = {"a", "b", "c", "d", "e"}; });
    refuses("quarantine module not listed",
            [](Order& o) { o.policy->quarantine_module = "other"; });
    refuses("no scope", [](Order& o) { o.policy->id_scope.clear(); });
    refuses("too large", [](Order& o) { o.keys[0].blob.assign(3600, 1); });
    EXPECT_TRUE(vault::sign_order(provision(), key));
}

// The same rules hold for bytes that no station of ours made: well signed, but against the form.
TEST_F(OrderFormat, FieldsOutOfOrderTwiceOrUnknownAreRefused) {
    MITRAL_PROVES("T-SW-05");
    const auto order_with = [](std::initializer_list<std::uint8_t> tags) {
        base::ByteWriter out;
        out.text("MVO1").u8(static_cast<std::uint8_t>(OrderKind::release)).u8(1);
        for (const auto tag : tags) {
            if (tag == 1)
                out.u8(1).text16(registration_id);
            else if (tag == 2)
                out.u8(2).u16(8).u64(9);
            else
                out.u8(tag).u16(0);
        }
        out.raw(base::Bytes(64));
        return std::move(out).bytes();
    };
    EXPECT_TRUE(vault::parse_order(order_with({1, 2})));
    EXPECT_FALSE(vault::parse_order(order_with({2, 1})));
    EXPECT_FALSE(vault::parse_order(order_with({1, 1, 2})));
    EXPECT_FALSE(vault::parse_order(order_with({1, 2, 2})));
    EXPECT_FALSE(vault::parse_order(order_with({1, 2, 8})));
    EXPECT_FALSE(vault::parse_order(order_with({0, 1, 2})));
    EXPECT_FALSE(vault::parse_order(order_with({1})));
    EXPECT_FALSE(vault::parse_order(order_with({})));
}

TEST_F(OrderFormat, ASignatureOverTheBareBytesIsNone) {
    MITRAL_PROVES("T-ID-01");
    auto bytes = *vault::sign_order(provision(), key);
    const auto body = base::ByteView(bytes).first(bytes.size() - 64);
    const auto bare = *base::ed25519_sign(key, body);  // no domain before it
    std::copy(bare.begin(), bare.end(), bytes.end() - 64);
    const auto parsed = vault::parse_order(bytes);
    ASSERT_TRUE(parsed);
    EXPECT_FALSE(vault::verify_order(*parsed, *base::ed25519_public_key(key)));
}

TEST_F(OrderFormat, AFullProvisionOrderForATpmFitsARequest) {
    Bench bench(BackendKind::tpm);
    auto order = bench.provision_order();
    order.policy->modules = {std::string(64, 'a'), std::string(64, 'b'), std::string(64, 'c'),
                             std::string(64, 'd')};
    order.policy->quarantine_module.clear();
    order.policy->hubs.clear();
    for (int i = 0; i < 8; ++i)
        order.policy->hubs.push_back(std::string(60, 'h') + std::to_string(i) +
                                     ".azure-devices.net");
    order.keys = *vault::wrap_keys(bench.statement(), registration_id, bench.device_key.view(),
                                   order.policy->modules);
    order.subject_key =
        *vault::wrap_subject_key(bench.statement(), registration_id, bench.device_key.view());
    const auto bytes = vault::sign_order(order, bench.station_key);
    ASSERT_TRUE(bytes) << bytes.error().message();
    EXPECT_LE(bytes->size(), vault::max_order_size);
}

}  // namespace
}  // namespace mitral::test
