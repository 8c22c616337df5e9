// What only a TPM can promise: no way out for a key, no way back for a state.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>

#include "base/encoding.hpp"
#include "support/proves.hpp"
#include "vault/bench.hpp"
#include "vault/custody_state.hpp"
#include "vault/errors.hpp"
#include "vault/tpm/objects.hpp"
#include "vault/tpm/wrapping.hpp"

namespace mitral::test {
namespace {

using vault::OrderKind;
using vault::VaultError;
using vault::VaultState;

class Tpm : public ::testing::Test {
  protected:
    void copy_disk() {
        std::filesystem::copy(bench.state_directory, bench.scratch.path() + "/copy",
                              std::filesystem::copy_options::recursive);
    }
    void restore_disk() {
        std::filesystem::remove_all(bench.state_directory);
        std::filesystem::copy(bench.scratch.path() + "/copy", bench.state_directory,
                              std::filesystem::copy_options::recursive);
    }
    [[nodiscard]] std::unique_ptr<vault::tpm::Connection> connect() {
        auto connection = vault::tpm::Connection::open(bench.tpm->tcti());
        return connection ? std::move(*connection) : nullptr;
    }

    Bench bench{BackendKind::tpm};
};

TSS2_RC duplicate(const vault::tpm::Connection& tpm, ESYS_TR key, ESYS_TR session) {
    const TPMT_SYM_DEF_OBJECT none{.algorithm = TPM2_ALG_NULL, .keyBits = {}, .mode = {}};
    TPM2B_PRIVATE* out = nullptr;
    TPM2B_ENCRYPTED_SECRET* seed = nullptr;
    TPM2B_DATA* inner = nullptr;
    const auto code = Esys_Duplicate(tpm.esys(), key, ESYS_TR_RH_NULL, session, ESYS_TR_NONE,
                                     ESYS_TR_NONE, nullptr, &none, &inner, &out, &seed);
    Esys_Free(out);
    Esys_Free(seed);
    Esys_Free(inner);
    return code;
}

// A thief with root: the objects from the disk, the unit's own TPM, and every command of it.
TEST_F(Tpm, RefusesToDuplicateAnImportedKey) {
    MITRAL_PROVES("T-KEY-03", "CR 1.14");
    const auto wrapped = bench.provision_order().keys.front().blob;
    const auto tpm = connect();
    ASSERT_TRUE(tpm);
    const auto nv = vault::tpm::NonVolatile::open(*tpm);
    ASSERT_TRUE(nv);
    const auto object = vault::tpm::import_hmac_key(*tpm, *nv, wrapped);
    ASSERT_TRUE(object) << object.error().message();
    const auto key = vault::tpm::load(*tpm, *object);
    ASSERT_TRUE(key);

    EXPECT_NE(duplicate(*tpm, key->get(), ESYS_TR_PASSWORD), TSS2_RC_SUCCESS);
    const auto plain = tpm->hmac_session(0);
    EXPECT_NE(duplicate(*tpm, key->get(), plain->get()), TSS2_RC_SUCCESS);
    const auto policy = tpm->policy_session(0);
    ASSERT_EQ(Esys_PolicyCommandCode(tpm->esys(), policy->get(), ESYS_TR_NONE, ESYS_TR_NONE,
                                     ESYS_TR_NONE, TPM2_CC_Duplicate),
              TSS2_RC_SUCCESS);
    const auto code = duplicate(*tpm, key->get(), policy->get());
    EXPECT_EQ(code & ~TPM2_RC_N_MASK, TPM2_RC_POLICY_FAIL) << std::hex << code;
}

// Negative control: a key whose policy does allow it is duplicated by the same call, and is one
// that the import of Mitral refuses.
TEST_F(Tpm, WouldDuplicateAKeyWithAnotherPolicyWhichIsNeverImported) {
    MITRAL_PROVES("T-KEY-03");
    const auto tpm = connect();
    const auto nv = vault::tpm::NonVolatile::open(*tpm);
    ASSERT_TRUE(nv);
    base::ByteWriter step;  // Part 3, 23.11: PolicyCommandCode(Duplicate) alone
    step.raw(base::Sha256Digest{}).u32(TPM2_CC_PolicyCommandCode).u32(TPM2_CC_Duplicate);
    const auto policy_digest = base::sha256(step.bytes());
    const auto blob =
        vault::tpm::make_duplicate(bench.device_key.view(), policy_digest, tpm->primary_public());
    ASSERT_TRUE(blob);
    const auto object = vault::tpm::import_duplicate(*tpm, *blob);
    ASSERT_TRUE(object) << object.error().message();
    const auto key = vault::tpm::load(*tpm, *object);
    ASSERT_TRUE(key);
    const auto policy = tpm->policy_session(0);
    ASSERT_EQ(Esys_PolicyCommandCode(tpm->esys(), policy->get(), ESYS_TR_NONE, ESYS_TR_NONE,
                                     ESYS_TR_NONE, TPM2_CC_Duplicate),
              TSS2_RC_SUCCESS);
    EXPECT_EQ(duplicate(*tpm, key->get(), policy->get()), TSS2_RC_SUCCESS);

    EXPECT_EQ(code_of(vault::tpm::import_hmac_key(*tpm, *nv, vault::tpm::encode(*blob))),
              VaultError::key_refused);
}

TEST_F(Tpm, AWipedKeyStaysDeadOnACopiedDisk) {
    MITRAL_PROVES("T-PHY-01", "T-PHY-03", "T-KEY-01");
    ASSERT_TRUE(bench.provision());
    const auto data_key = bench.backend().new_data_key();
    ASSERT_TRUE(data_key);
    copy_disk();
    ASSERT_TRUE(bench.execute(bench.order(OrderKind::wipe)));
    restore_disk();
    bench.restart();
    EXPECT_EQ(bench.status().state, VaultState::wiped);  // the copy is known to be old …
    EXPECT_EQ(code_of(bench.mint()), VaultError::not_provisioned);
    EXPECT_FALSE(bench.backend().open_data_key(data_key->wrapped));

    // … and even a program without Mitral's rules gets nothing out of the old objects.
    const auto file = std::ifstream(bench.scratch.path() + "/copy/custody", std::ios::binary);
    std::stringstream content;
    content << file.rdbuf();
    const auto text = content.str();
    base::ByteReader in(base::as_bytes(text));
    ASSERT_TRUE(in.block16());
    const auto state = vault::decode_state(*in.block32());
    ASSERT_TRUE(state);
    base::ByteReader slot(state->active);
    ASSERT_TRUE(slot.text16());
    const auto object = vault::tpm::decode_object(*slot.block16());
    ASSERT_TRUE(object);
    const auto tpm = connect();
    const auto nv = vault::tpm::NonVolatile::open(*tpm);
    EXPECT_EQ(code_of(vault::tpm::hmac(*tpm, *nv, *object, base::as_bytes("anything"))),
              VaultError::key_refused);
}

// Negative control for the test above: files alone cannot do that.
TEST(SoftwareStore, AWipedKeyReturnsWithACopiedDisk) {
    Bench bench(BackendKind::software);
    ASSERT_TRUE(bench.provision());
    std::filesystem::copy(bench.state_directory, bench.scratch.path() + "/copy",
                          std::filesystem::copy_options::recursive);
    ASSERT_TRUE(bench.execute(bench.order(OrderKind::wipe)));
    std::filesystem::remove_all(bench.state_directory);
    std::filesystem::copy(bench.scratch.path() + "/copy", bench.state_directory,
                          std::filesystem::copy_options::recursive);
    bench.restart();
    EXPECT_TRUE(bench.mint());
}

TEST_F(Tpm, AnOlderStateFromTheDiskIsRefused) {
    MITRAL_PROVES("T-PHY-01", "T-ID-01", "T-TIME-01");
    ASSERT_TRUE(bench.provision());
    copy_disk();
    auto order = bench.order(OrderKind::policy);
    order.policy = standard_policy();
    order.policy->hubs = {"other.azure-devices.net"};
    order.time_s = start_s + 1000;
    ASSERT_TRUE(bench.execute(order));
    restore_disk();
    bench.restart();
    EXPECT_EQ(code_of(bench.mint(hub)), VaultError::not_provisioned);
    EXPECT_EQ(bench.status().time_floor_s, start_s + 1000);
}

TEST_F(Tpm, ALostOrAlteredStateIsRefusedAndTheRightOneHeals) {
    MITRAL_PROVES("T-PHY-01");
    ASSERT_TRUE(bench.provision());
    copy_disk();
    const auto path = bench.state_directory + "/custody";
    {
        std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
        file.seekp(60);
        file.put('x');
    }
    bench.restart();
    EXPECT_EQ(bench.status().state, VaultState::wiped);
    EXPECT_FALSE(bench.mint());
    std::filesystem::remove(path);
    bench.restart();
    EXPECT_EQ(bench.status().state, VaultState::wiped);
    EXPECT_TRUE(bench.backend().new_data_key());
    restore_disk();
    bench.restart();
    EXPECT_TRUE(bench.mint());
}

TEST_F(Tpm, AStopBetweenRecordAndRenameLosesNothing) {
    MITRAL_PROVES("T-ID-01");
    ASSERT_TRUE(bench.provision());
    const auto path = bench.state_directory + "/custody";
    std::filesystem::rename(path, path + ".next");
    bench.restart();
    EXPECT_TRUE(bench.mint());
    EXPECT_TRUE(std::filesystem::exists(path));
}

// A board swapped by mistake must not cost the backlog: the reader gives up what is refused for
// ever.
TEST_F(Tpm, AForeignTpmsRefusalIsNoVerdictUntilTheUnitIsProvisionedAnew) {
    MITRAL_PROVES("T-DATA-01", "T-PHY-01");
    ASSERT_TRUE(bench.provision());
    const auto data_key = bench.backend().new_data_key();
    ASSERT_TRUE(data_key);
    copy_disk();
    Bench clone(BackendKind::tpm);
    std::filesystem::remove_all(clone.state_directory);
    std::filesystem::copy(bench.scratch.path() + "/copy", clone.state_directory,
                          std::filesystem::copy_options::recursive);
    clone.restart();
    EXPECT_EQ(code_of(clone.backend().open_data_key(data_key->wrapped)),
              VaultError::backend_failure);
    ASSERT_TRUE(clone.provision());
    EXPECT_EQ(code_of(clone.backend().open_data_key(data_key->wrapped)), VaultError::key_refused);
}

TEST_F(Tpm, TheDiskOfOneUnitIsNoUseToAnother) {
    MITRAL_PROVES("T-ID-02", "T-PHY-01");
    ASSERT_TRUE(bench.provision());
    copy_disk();
    Bench clone(BackendKind::tpm);
    std::filesystem::remove_all(clone.state_directory);
    std::filesystem::copy(bench.scratch.path() + "/copy", clone.state_directory,
                          std::filesystem::copy_options::recursive);
    clone.restart();
    EXPECT_FALSE(clone.mint());
    EXPECT_EQ(clone.status().state, VaultState::wiped);
}

TEST_F(Tpm, AResetOfTheTpmIsSurvived) {
    MITRAL_PROVES("CR 7.1");
    ASSERT_TRUE(bench.provision());
    ASSERT_TRUE(bench.mint());
    const auto count = bench.status().mint_count;
    bench.tpm->stop();
    EXPECT_EQ(code_of(bench.mint()), VaultError::backend_unavailable);
    EXPECT_EQ(code_of(bench.backend().new_data_key()), VaultError::backend_unavailable);
    bench.tpm->start();
    EXPECT_TRUE(bench.mint());
    EXPECT_GT(bench.status().mint_count, count);  // never falls, and skips less than 256
    EXPECT_LE(bench.status().mint_count, count + 256);
    bench.tpm->stop();
    bench.tpm->start();  // gone and back between two requests
    EXPECT_TRUE(bench.backend().new_data_key());
}

// swtpm writes its state file anew where a TPM would write flash.
TEST_F(Tpm, MintsHardlyWriteItsFlash) {
    MITRAL_PROVES("T-DOS-04", "T-TOK-04");
    ASSERT_TRUE(bench.provision());
    ASSERT_TRUE(bench.mint());
    const std::filesystem::path flash = bench.scratch.path() + "/tpm/tpm2-00.permall";
    const auto writes_during = [&flash](auto&& act) {
        int writes = 0;
        for (int i = 0; i < 100; ++i) {
            const auto before = std::filesystem::last_write_time(flash);
            act();
            writes += std::filesystem::last_write_time(flash) != before;
        }
        return writes;
    };
    const auto before = bench.status().mint_count;
    // A few are left for the TPM's own clock, which it saves from time to time.
    EXPECT_LE(writes_during([&] { ASSERT_TRUE(bench.mint()); }), 20);
    EXPECT_EQ(bench.status().mint_count, before + 100);
    // Negative control: what must last at once does write.
    const auto policy = [&] {
        auto order = bench.order(OrderKind::policy);
        order.policy = standard_policy();
        ASSERT_TRUE(bench.execute(order));
    };
    EXPECT_GE(writes_during(policy), 80);
}

TEST_F(Tpm, TheMintCountNeverFallsWherePowerFails) {
    MITRAL_PROVES("T-ID-02");
    ASSERT_TRUE(bench.provision());
    auto last = bench.status().mint_count;
    for (int cut = 0; cut < 5; ++cut) {
        for (int i = 0; i < 7; ++i)
            ASSERT_TRUE(bench.mint());
        EXPECT_GE(bench.status().mint_count, last + 7);
        last = bench.status().mint_count;
        bench.tpm->stop();
        bench.tpm->start();
        EXPECT_GE(bench.status().mint_count, last);
        EXPECT_LT(bench.status().mint_count, last + 256);
        last = bench.status().mint_count;
    }
}

// Whoever can pull a plug can put his own TPM there while the vault runs.
TEST_F(Tpm, AnotherTpmAfterAReconnectIsRefusedAndReportedOnce) {
    MITRAL_PROVES("T-PHY-01", "T-KEY-01", "T-LOG-02");
    ASSERT_TRUE(bench.provision());
    const auto data_key = bench.backend().new_data_key();
    ASSERT_TRUE(data_key);
    const auto foreign = bench.scratch.path() + "/foreign-tpm";
    std::filesystem::create_directory(foreign);
    ::testing::internal::CaptureStderr();
    bench.tpm->replace(foreign);
    for (int i = 0; i < 3; ++i) {
        EXPECT_EQ(code_of(bench.backend().new_data_key()), VaultError::backend_failure);
        EXPECT_EQ(code_of(bench.backend().open_data_key(data_key->wrapped)),
                  VaultError::backend_failure);
        EXPECT_EQ(code_of(bench.mint()), VaultError::backend_failure);
        EXPECT_EQ(code_of(bench.backend().status()), VaultError::backend_failure);
        EXPECT_EQ(code_of(bench.backend().begin_provisioning()), VaultError::backend_failure);
        EXPECT_EQ(code_of(bench.execute(bench.order(OrderKind::quarantine))),
                  VaultError::backend_failure);
    }
    const auto log = ::testing::internal::GetCapturedStderr();
    const auto told = log.find("tpm-replaced");
    EXPECT_NE(told, std::string::npos) << log;
    EXPECT_EQ(log.find("tpm-replaced", told + 1), std::string::npos) << log;
    {
        const auto tpm = connect();
        ASSERT_TRUE(tpm);
        EXPECT_FALSE(vault::tpm::NonVolatile::reopen(*tpm));  // nothing of ours was made there
    }
    bench.tpm->replace(bench.scratch.path() + "/tpm");  // negative control: the right one is taken
    EXPECT_TRUE(bench.mint());
    EXPECT_TRUE(bench.backend().open_data_key(data_key->wrapped));
}

TEST_F(Tpm, CountersRemovedWhileTheVaultRunsAreNotMadeAnew) {
    MITRAL_PROVES("T-PHY-01", "T-ID-02");
    ASSERT_TRUE(bench.provision());
    {
        const auto tpm = connect();
        ASSERT_TRUE(tpm);
        ESYS_TR index = ESYS_TR_NONE;
        ASSERT_EQ(Esys_TR_FromTPMPublic(tpm->esys(), vault::tpm::mint_index, ESYS_TR_NONE,
                                        ESYS_TR_NONE, ESYS_TR_NONE, &index),
                  TSS2_RC_SUCCESS);
        ASSERT_EQ(Esys_NV_UndefineSpace(tpm->esys(), ESYS_TR_RH_OWNER, index, ESYS_TR_PASSWORD,
                                        ESYS_TR_NONE, ESYS_TR_NONE),
                  TSS2_RC_SUCCESS);
    }
    bench.tpm->stop();
    bench.tpm->start();
    EXPECT_EQ(code_of(bench.mint()), VaultError::backend_failure);
    EXPECT_EQ(code_of(bench.backend().new_data_key()), VaultError::backend_failure);
}

TEST_F(Tpm, NothingIsLeftLoadedAfterManyOperations) {
    MITRAL_PROVES("T-TOK-04");
    ASSERT_TRUE(bench.provision());
    for (int i = 0; i < 80; ++i)  // a TPM has 3 places for objects and 64 for sessions
        ASSERT_TRUE(bench.mint(hub, module)) << i;
    base::Bytes noise(200);
    for (int i = 0; i < 80; ++i)  // nor after failures
        ASSERT_EQ(code_of(bench.backend().open_data_key(noise)), VaultError::key_refused);
    const auto good = bench.backend().new_data_key();
    ASSERT_TRUE(good);
    auto altered = good->wrapped;
    altered.back() ^= 1;
    for (int i = 0; i < 80; ++i)
        ASSERT_EQ(code_of(bench.backend().open_data_key(altered)), VaultError::key_refused);
    EXPECT_TRUE(bench.backend().open_data_key(good->wrapped));
}

TEST_F(Tpm, TheStationRefusesAStorageKeyThatIsNoneOfATpm) {
    MITRAL_PROVES("T-KEY-03", "T-ID-01");
    const auto statement = bench.statement();
    const auto good = vault::tpm::decode_wrapping_key(statement.wrapping_key);
    ASSERT_TRUE(good);
    ASSERT_TRUE(vault::tpm::wrap(bench.device_key.view(), statement.wrapping_key));
    for (std::size_t bit = 0; bit < good->storage_key.size() * 8; ++bit) {
        // Attributes that leave the key's protection as it is are not the station's concern: the
        // bits of origin, authorisation and dictionary attacks (6, 5, 10), and reserved ones.
        if (bit / 8 >= 4 && bit / 8 < 8)
            continue;
        auto altered = *good;
        altered.storage_key[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
        EXPECT_FALSE(vault::tpm::wrap(bench.device_key.view(), vault::tpm::encode(altered))) << bit;
    }
    for (const std::size_t attribute : {1U, 4U, 16U, 17U, 18U}) {
        auto altered = *good;
        altered.storage_key[4 + 3 - attribute / 8] ^=
            static_cast<std::uint8_t>(1U << (attribute % 8));
        EXPECT_FALSE(vault::tpm::wrap(bench.device_key.view(), vault::tpm::encode(altered)))
            << attribute;
    }
}

// NIST SP 800-108 and 800-56C as TPM 2.0 profiles them; computed independently (Python's hmac and
// hashlib).
TEST(TpmDerivation, AgreesWithAnIndependentComputation) {
    const base::Bytes key(32, 0x0b);
    EXPECT_EQ(
        base::to_hex(vault::tpm::kdf_a(key, "STORAGE", base::as_bytes("name"), {}, 128).view()),
        "913e36c870a0fc53ad2d9e28940d1e13");
    EXPECT_EQ(base::to_hex(
                  vault::tpm::kdf_e(key, "DUPLICATE", base::as_bytes("u"), base::as_bytes("v"), 256)
                      .view()),
              "4f30f938d31dc5115d304ed5191eb4bae928b809f74cedc57a121a161ced752e");
}

}  // namespace
}  // namespace mitral::test
