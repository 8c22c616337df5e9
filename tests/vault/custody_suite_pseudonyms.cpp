// Pseudonyms under the hospital's key: stable where they must be, void where they must be, and the
// key apart from the one that signs tokens.
#include <numeric>

#include "base/encoding.hpp"
#include "vault/custody_suite.hpp"

namespace mitral::test {
namespace {

using vault::OrderKind;
using vault::Patient;
using vault::VaultError;

// 00 01 … 1f: the key of the vectors below.
base::Secret site_key() {
    base::Secret key(vault::subject_key_size);
    std::iota(key.bytes().begin(), key.bytes().end(), std::uint8_t{0});
    return key;
}

class Pseudonyms : public CustodySuite {
  protected:
    [[nodiscard]] base::Status provision_with(base::ByteView site) {
        return provision_with(bench, site);
    }
    [[nodiscard]] static base::Status provision_with(Bench& unit, base::ByteView site) {
        const auto said = unit.statement();
        auto order = unit.provision_order(said);
        order.subject_key = *vault::wrap_subject_key(said, registration_id, site);
        return unit.execute(order);
    }
    [[nodiscard]] base::Bytes wrapped(base::ByteView site) {
        return *vault::wrap_subject_key(bench.statement(), registration_id, site);
    }
    [[nodiscard]] vault::Order policy_with(base::ByteView site) {
        auto order = bench.order(OrderKind::policy);
        order.policy = standard_policy();
        if (!site.empty())
            order.subject_key = wrapped(site);
        return order;
    }
    [[nodiscard]] std::string named(std::string_view id, std::string_view authority) {
        const auto got =
            bench.backend().pseudonym(Patient{std::string(id), std::string(authority)});
        return got ? base::to_hex(*got) : got.error().message();
    }
    [[nodiscard]] std::error_code refusal() {
        return code_of(bench.backend().pseudonym(Patient{"12345", "HOSP"}));
    }
    base::Secret key = site_key();
    const std::string expected = "f952618403befbbb4fc5698a80a90990";  // of 12345 in HOSP
};
MITRAL_FOR_EVERY_BACKEND(Pseudonyms);

// hmac.digest(bytes(range(32)), b"mitral subject 1\0" + struct.pack(">H", len(authority)) +
// authority + id, "sha256")[:16], in Python.
TEST_P(Pseudonyms, AreTheHmacOfIdAndAuthorityUnderTheSiteKey) {
    MITRAL_PROVES("T-DATA-06");
    ASSERT_TRUE(provision_with(key.view()));
    EXPECT_TRUE(bench.status().subject_key);
    EXPECT_EQ(named("12345", "HOSP"), expected);
    EXPECT_EQ(named("5", "HOSP1234"), "d9f23f8fc425f8f0359ee8aa616fbc0f");
    EXPECT_EQ(named("", "HOSP"), "94eb81fd702d83a9ca5b0eaa62748f07");
    EXPECT_EQ(named("12345", ""), "1c7592a529d16e8106fca6551f3dc287");
    EXPECT_EQ(named("\xc3\xa9"
                    "1",
                    "CHU"),
              "71fcc92aeaf3a83c44066aa88b45b6ff");
    EXPECT_EQ(named(std::string(256, 'P'), std::string(256, 'A')),
              "81ff6669f6534524ecd71fbde6ae774c");
}

TEST_P(Pseudonyms, AreTheSameOnEveryUnitOfAHospitalAndOnNoOther) {
    MITRAL_PROVES("T-DATA-06");
    ASSERT_TRUE(provision_with(key.view()));
    Bench other(GetParam());
    base::Secret elsewhere = site_key();
    elsewhere.bytes()[31] ^= 1;
    ASSERT_TRUE(provision_with(other, elsewhere.view()));
    EXPECT_NE(base::to_hex(*other.backend().pseudonym({"12345", "HOSP"})), expected);
    ASSERT_TRUE(other.execute(other.order(OrderKind::wipe)));
    ASSERT_TRUE(provision_with(other, key.view()));
    EXPECT_EQ(base::to_hex(*other.backend().pseudonym({"12345", "HOSP"})), expected);
    EXPECT_EQ(named("12345", "HOSP"), expected);
}

TEST_P(Pseudonyms, NeedAKeyWhichAPolicyCanBring) {
    MITRAL_PROVES("T-KEY-03", "T-DATA-06");
    EXPECT_EQ(refusal(), VaultError::not_provisioned);
    ASSERT_TRUE(bench.provision());
    EXPECT_EQ(refusal(), VaultError::not_provisioned);
    EXPECT_FALSE(bench.status().subject_key);
    ASSERT_TRUE(bench.execute(policy_with(key.view())));
    EXPECT_EQ(named("12345", "HOSP"), expected);
    EXPECT_TRUE(bench.status().subject_key);
    // A policy without one leaves it, a policy with another replaces it.
    ASSERT_TRUE(bench.execute(policy_with({})));
    EXPECT_EQ(named("12345", "HOSP"), expected);
    base::Secret next = site_key();
    next.bytes()[0] = 0xff;
    ASSERT_TRUE(bench.execute(policy_with(next.view())));
    EXPECT_NE(named("12345", "HOSP"), expected);
}

TEST_P(Pseudonyms, OutliveRestartsAndRotations) {
    MITRAL_PROVES("T-TOK-05");
    ASSERT_TRUE(provision_with(key.view()));
    bench.restart();
    EXPECT_EQ(named("12345", "HOSP"), expected);
    base::Secret next(32);
    base::fill_random(next.bytes());
    ASSERT_TRUE(bench.rotate_to(next.view()));
    EXPECT_EQ(named("12345", "HOSP"), expected);
    ASSERT_TRUE(bench.execute(bench.order(OrderKind::confirm_rotation)));
    bench.restart();
    EXPECT_EQ(named("12345", "HOSP"), expected);
    EXPECT_TRUE(is_signed_with(*bench.mint(), next.view()));
}

TEST_P(Pseudonyms, AreGivenInQuarantine) {
    MITRAL_PROVES("T-PHY-03");
    ASSERT_TRUE(provision_with(key.view()));
    ASSERT_TRUE(bench.execute(bench.order(OrderKind::quarantine)));
    EXPECT_EQ(code_of(bench.mint()), VaultError::quarantined);
    EXPECT_EQ(named("12345", "HOSP"), expected);
}

TEST_P(Pseudonyms, AreVoidAfterAWipe) {
    MITRAL_PROVES("T-PHY-03", "T-KEY-01");
    ASSERT_TRUE(provision_with(key.view()));
    const auto before = policy_with(key.view());  // wrapped for what is about to be wiped
    ASSERT_TRUE(bench.execute(bench.order(OrderKind::wipe)));
    for (int start = 0; start < 2; ++start) {
        EXPECT_EQ(refusal(), VaultError::not_provisioned);
        EXPECT_FALSE(bench.status().subject_key);
        bench.restart();
    }
    ASSERT_TRUE(bench.provision());  // without one: the old does not come back
    EXPECT_EQ(refusal(), VaultError::not_provisioned);
    auto old_blob = bench.order(OrderKind::policy);
    old_blob.policy = standard_policy();
    old_blob.subject_key = before.subject_key;
    EXPECT_EQ(code_of(bench.execute(old_blob)), VaultError::key_refused);
    EXPECT_EQ(refusal(), VaultError::not_provisioned);
}

TEST_P(Pseudonyms, OfNobodyOrAtTooMuchLengthAreRefused) {
    MITRAL_PROVES("T-SW-05");
    ASSERT_TRUE(provision_with(key.view()));
    const std::string longer(257, 'x');
    for (const auto& patient :
         {Patient{"", ""}, Patient{longer, ""}, Patient{"1", longer}, Patient{longer, longer}})
        EXPECT_EQ(code_of(bench.backend().pseudonym(patient)), VaultError::malformed);
}

TEST_P(Pseudonyms, ComeFromAKeyOfItsOwn) {
    MITRAL_PROVES("T-KEY-04");
    ASSERT_TRUE(provision_with(key.view()));
    const auto count = bench.status().mint_count;
    (void)named("12345", "HOSP");
    EXPECT_EQ(bench.status().mint_count, count);  // no token
    const auto token = bench.mint();
    ASSERT_TRUE(token);
    EXPECT_TRUE(is_signed_with(*token, bench.device_key.view()));
    EXPECT_FALSE(is_signed_with(*token, key.view()));
    // The device's key gives no pseudonym, and the site's key cannot be taken out as a data key.
    auto mac =
        base::hmac_sha256(bench.device_key.view(), vault::pseudonym_input({"12345", "HOSP"}));
    EXPECT_NE(named("12345", "HOSP"), base::to_hex(base::ByteView(mac).first(16)));
    EXPECT_EQ(code_of(bench.backend().open_data_key(wrapped(key.view()))), VaultError::key_refused);
}

TEST_P(Pseudonyms, AKeyThatDoesNotOpenHereChangesNothing) {
    MITRAL_PROVES("T-ID-01", "T-ID-02", "T-SW-05");
    ASSERT_TRUE(provision_with(key.view()));
    Bench other(GetParam());
    base::Secret next = site_key();
    next.bytes()[0] = 0xff;
    auto order = policy_with({});
    order.policy->hubs = {"other.azure-devices.net"};
    order.subject_key = *vault::wrap_subject_key(other.statement(), registration_id, next.view());
    EXPECT_EQ(code_of(bench.execute(order)), VaultError::key_refused);
    const auto good = wrapped(next.view());
    for (std::size_t at = 0; at < good.size(); at += 1 + good.size() / 20) {
        order = policy_with({});
        order.subject_key = good;
        order.subject_key[at] ^= 0x01;
        EXPECT_FALSE(bench.execute(order)) << at;
    }
    EXPECT_EQ(named("12345", "HOSP"), expected);
    EXPECT_TRUE(bench.mint(hub));
}

TEST_P(Pseudonyms, AStationWrapsKeysOfOneSizeOnly) {
    const auto statement = bench.statement();
    for (const std::size_t size : {0U, 16U, 31U, 33U, 64U})
        EXPECT_EQ(
            code_of(vault::wrap_subject_key(statement, registration_id, base::Bytes(size, 7))),
            VaultError::key_refused)
            << size;
}

}  // namespace
}  // namespace mitral::test
