// Keys do not come out: every reply of a unit's whole life is searched for them.
#include <gtest/gtest.h>

#include <algorithm>

#include "base/encoding.hpp"
#include "support/proves.hpp"
#include "vault/bench.hpp"
#include "vault/module_key.hpp"
#include "vault/optee/wrapping.hpp"

namespace mitral::test {
namespace {

// A key as it could lie in a buffer: raw, as text, and as the pads of an HMAC.
std::vector<base::Bytes> shapes_of(base::ByteView key) {
    std::vector<base::Bytes> shapes{{key.begin(), key.end()},
                                    base::to_bytes(base::to_hex(key)),
                                    base::to_bytes(base::to_base64(key))};
    for (const unsigned pad : {0x36U, 0x5cU}) {
        base::Bytes block(key.begin(), key.end());
        for (auto& byte : block)
            byte = static_cast<std::uint8_t>(byte ^ pad);
        shapes.push_back(std::move(block));
    }
    return shapes;
}

// Half of a key is a leak too.
bool holds(base::ByteView hay, base::ByteView key) {
    return std::ranges::any_of(shapes_of(key), [&](const base::Bytes& shape) {
        const base::ByteView all(shape);
        const auto found = [&](base::ByteView part) {
            return std::search(hay.begin(), hay.end(), part.begin(), part.end()) != hay.end();
        };
        return found(all.first(all.size() / 2)) || found(all.last(all.size() / 2));
    });
}

TEST(Canary, NoKeyIsInAnyReply) {
    MITRAL_PROVES("T-KEY-01", "T-KEY-03", "T-KEY-04");
    Bench bench(BackendKind::optee);
    std::vector<base::Bytes> replies;
    bench.power.on_reply = [&](std::uint32_t, base::ByteView reply) {
        replies.emplace_back(reply.begin(), reply.end());
    };
    base::Secret site(32);
    base::Secret next(32);
    base::fill_random(site.bytes());
    base::fill_random(next.bytes());
    const auto said = bench.statement();
    auto order = bench.provision_order(said);
    order.subject_key = *vault::wrap_subject_key(said, registration_id, site.view());
    ASSERT_TRUE(bench.execute(order));
    ASSERT_TRUE(bench.rotate_to(next.view()));
    for (int round = 0; round < 2; ++round) {
        for (int i = 0; i < 100; ++i) {
            ASSERT_TRUE(bench.mint());
            ASSERT_TRUE(bench.mint(hub, module));
            ASSERT_TRUE(bench.backend().pseudonym({"12345", "HOSP"}));
            ASSERT_TRUE(bench.backend().new_data_key());
            EXPECT_FALSE(bench.mint("evil.example"));
        }
        (void)bench.status();
        (void)bench.statement();
        if (round == 0) {
            ASSERT_TRUE(bench.execute(bench.order(vault::OrderKind::confirm_rotation)));
        }
        bench.restart();
    }
    const auto made = bench.backend().new_data_key();
    ASSERT_TRUE(made);
    ASSERT_GT(replies.size(), 1000U);
    const auto anywhere = [&](base::ByteView key) {
        return std::ranges::any_of(replies,
                                   [&](const base::Bytes& reply) { return holds(reply, key); });
    };
    for (const auto* key : {&bench.device_key, &next, &site, &bench.hardware_key})
        EXPECT_FALSE(anywhere(key->view()));
    EXPECT_FALSE(anywhere(vault::derive_module_key(bench.device_key.view(), module).view()));
    EXPECT_FALSE(anywhere(vault::derive_module_key(next.view(), module).view()));
    // Negative control: a data key is given out, and the search finds it.
    EXPECT_TRUE(anywhere(made->key.view()));
}

class Transport : public ::testing::Test {
  protected:
    [[nodiscard]] std::error_code executed(base::ByteView blob, const vault::Statement& said) {
        auto order = bench.provision_order(said);
        order.keys = {{{}, {blob.begin(), blob.end()}}};
        return code_of(bench.execute(order));
    }
    [[nodiscard]] base::Bytes wrapped(const vault::Statement& said, std::string_view id,
                                      vault::optee::Purpose purpose) {
        return *vault::optee::wrap(bench.device_key.view(), purpose, said, id);
    }
    Bench bench{BackendKind::optee};
};

TEST_F(Transport, AKeyOpensForItsStatementIdentityAndPurposeAlone) {
    MITRAL_PROVES("T-ID-01", "T-ID-02", "T-KEY-03");
    using vault::optee::Purpose;
    const auto refused = vault::VaultError::key_refused;
    const auto old = bench.statement();
    auto said = bench.statement();
    EXPECT_EQ(executed(wrapped(old, registration_id, Purpose::device), said), refused);
    said = bench.statement();
    EXPECT_EQ(executed(wrapped(said, "unit-0043", Purpose::device), said), refused);
    said = bench.statement();
    EXPECT_EQ(executed(wrapped(said, registration_id, Purpose::subject), said), refused);
    said = bench.statement();
    EXPECT_EQ(executed(wrapped(said, registration_id, Purpose::device), said), std::error_code{});
}

TEST_F(Transport, ASmallOrderPointIsRefused) {
    MITRAL_PROVES("T-SW-05");
    for (const auto first : {std::uint8_t{0}, std::uint8_t{1}}) {
        const auto said = bench.statement();
        auto blob = wrapped(said, registration_id, vault::optee::Purpose::device);
        std::fill_n(blob.begin(), 32, std::uint8_t{0});
        blob[0] = first;
        EXPECT_EQ(executed(blob, said), vault::VaultError::key_refused);
    }
}

TEST_F(Transport, AnAlteredStatementIsRefusedByTheStation) {
    MITRAL_PROVES("T-ID-01");
    const auto said = bench.statement();
    ASSERT_TRUE(vault::optee::verify(said));
    for (std::size_t at = 0; at < said.wrapping_key.size(); ++at) {
        auto altered = said;
        altered.wrapping_key[at] ^= 1;
        EXPECT_FALSE(vault::optee::verify(altered)) << at;
    }
    auto altered = said;
    altered.nonce[0] ^= 1;
    EXPECT_FALSE(vault::optee::verify(altered));
    altered = said;
    altered.wrapping_key.pop_back();
    EXPECT_FALSE(vault::optee::verify(altered));
    // Another unit's attestation key speaks for no statement of this one.
    Bench other(BackendKind::optee);
    altered = said;
    const auto foreign = other.statement();
    std::copy_n(foreign.wrapping_key.begin() + 64, 64, altered.wrapping_key.begin() + 64);
    EXPECT_FALSE(vault::optee::verify(altered));
}

TEST_F(Transport, TheAttestationKeyStays) {
    MITRAL_PROVES("T-ID-02");
    const auto key = vault::optee::verify(bench.statement())->attestation_key;
    ASSERT_TRUE(bench.provision());
    ASSERT_TRUE(bench.execute(bench.order(vault::OrderKind::wipe)));
    bench.restart();
    const auto later = *vault::optee::verify(bench.statement());
    EXPECT_EQ(later.attestation_key, key);
    Bench other(BackendKind::optee);
    const auto foreign = *vault::optee::verify(other.statement());
    EXPECT_NE(foreign.attestation_key, key);
    EXPECT_NE(foreign.unit, later.unit);
}

TEST_F(Transport, AKeyIsNotTakenTwiceFromOneStatement) {
    MITRAL_PROVES("T-ID-01");
    ASSERT_TRUE(bench.provision());
    const auto said = bench.statement();
    auto rotate = bench.order(vault::OrderKind::rotate);
    rotate.keys = *vault::wrap_keys(said, registration_id, bench.device_key.view(), {});
    ASSERT_TRUE(bench.execute(rotate));
    rotate.counter = bench.next_counter++;
    EXPECT_EQ(code_of(bench.execute(rotate)), vault::VaultError::key_refused);
}

}  // namespace
}  // namespace mitral::test
