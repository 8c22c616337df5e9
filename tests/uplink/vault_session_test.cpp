#include "uplink/vault_session.hpp"

#include <gtest/gtest.h>

#include "base/errors.hpp"
#include "spool/errors.hpp"
#include "support/proves.hpp"
#include "vault/errors.hpp"

namespace mitral::uplink {
namespace {

struct Script {
    vault::VaultError answer{};  // none: a key, a token
    int asked = 0;
    int connected = 0;
};

class ScriptedClient final : public vault::Client {
  public:
    explicit ScriptedClient(Script& script) : script_(script) {}
    base::Result<vault::Token> mint(const vault::HubTokenRequest&) override {
        ++script_.asked;
        if (script_.answer != vault::VaultError{})
            return base::fail(script_.answer, "scripted");
        return vault::Token{base::Secret(8), 1};
    }
    base::Result<vault::Token> mint(const vault::RegistrationTokenRequest&) override {
        return unsupported();
    }
    base::Result<vault::DataKey> new_data_key() override { return unsupported(); }
    base::Result<base::Secret> open_data_key(base::ByteView) override {
        ++script_.asked;
        if (script_.answer != vault::VaultError{})
            return base::fail(script_.answer, "scripted");
        return base::Secret(32);
    }
    base::Result<vault::Pseudonym> pseudonym(const vault::Patient&) override {
        return unsupported();
    }
    base::Result<vault::VaultStatus> status() override { return unsupported(); }
    base::Result<base::Bytes> begin_provisioning() override { return unsupported(); }
    base::Status execute(base::ByteView) override { return unsupported(); }

  private:
    static std::unexpected<base::Error> unsupported() {
        return base::fail(base::BaseError::not_supported, "script");
    }
    Script& script_;
};

class VaultSessionTest : public testing::Test {
  protected:
    Script script_;
    VaultSession session_{[this]() -> base::Result<std::unique_ptr<vault::Client>> {
        ++script_.connected;
        return std::make_unique<ScriptedClient>(script_);
    }};
};

TEST_F(VaultSessionTest, ARefusedKeyIsFinalAndEveryOtherErrorIsNot) {
    MITRAL_PROVES("T-PHY-03", "T-DATA-01");
    for (int error = 1; error <= static_cast<int>(vault::VaultError::state_refused); ++error) {
        script_.answer = static_cast<vault::VaultError>(error);
        const auto key = session_.open_segment_key({});
        ASSERT_FALSE(key);
        EXPECT_EQ(key.error().code == spool::SpoolError::key_void,
                  script_.answer == vault::VaultError::key_refused)
            << error;
    }
}

TEST_F(VaultSessionTest, ARefusalIsNotAskedForTwice) {
    MITRAL_PROVES("T-TOK-04");
    ASSERT_TRUE(session_.mint("hub", base::Seconds(60)));  // a connection is there
    for (const auto refusal : {vault::VaultError::rate_limited, vault::VaultError::quarantined,
                               vault::VaultError::key_refused}) {
        script_ = {refusal, 0, 0};
        EXPECT_FALSE(session_.mint("hub", base::Seconds(60)));
        EXPECT_FALSE(session_.open_segment_key({}));
        EXPECT_EQ(script_.asked, 2);
        EXPECT_EQ(script_.connected, 0);
    }
}

TEST_F(VaultSessionTest, ADeadConnectionIsMadeAgainOnce) {
    ASSERT_TRUE(session_.mint("hub", base::Seconds(60)));
    script_ = {vault::VaultError::vault_unavailable, 0, 0};
    EXPECT_FALSE(session_.mint("hub", base::Seconds(60)));
    EXPECT_EQ(script_.asked, 2);
    EXPECT_EQ(script_.connected, 1);
    script_ = {};
    EXPECT_TRUE(session_.mint("hub", base::Seconds(60)));
    EXPECT_EQ(script_.connected, 1);
}

}  // namespace
}  // namespace mitral::uplink
