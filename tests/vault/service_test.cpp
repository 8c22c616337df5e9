// Who may do what, how often, and what a stranger learns.
#include "vault/service.hpp"

#include <gtest/gtest.h>

#include <set>

#include "support/proves.hpp"
#include "vault/bench.hpp"

namespace mitral::test {
namespace {

using vault::Operation;
using vault::Request;
using vault::VaultError;

constexpr vault::Limits no_limits{{1'000'000, 1'000'000}, {1'000'000, 1'000'000}};
constexpr uid_t intake = 2001;
constexpr uid_t uplink = 2002;
constexpr uid_t enrol = 2003;
constexpr uid_t update = 2004;
constexpr uid_t operator_uid = 2005;
constexpr uid_t idle = 2006;  // listed, with no right at all
constexpr uid_t stranger = 2007;
constexpr uid_t ward = 2008;  // an adapter that meets patients

vault::RightsTable rights() {
    using enum Operation;
    return vault::RightsTable({{intake, {new_data_key, status}},
                               {uplink, {mint_hub, open_data_key, status, checkpoint}},
                               {enrol, {mint_registration, status}},
                               {update, {mint_hub}, {std::string(module)}},
                               {operator_uid, {status, begin_provisioning, execute_order, attest}},
                               {ward, {new_data_key, pseudonym}},
                               {idle, {}}});
}

Request request_for(Operation operation, std::string_view module_id) {
    Request request;
    request.operation = operation;
    request.hub = hub;
    request.module_id = module_id;
    request.lifetime = base::Seconds(60);
    request.blob = base::Bytes(32, 1);
    request.patient = {"12345", "HOSP"};
    return request;
}

VaultError answer_of(vault::Service& service, uid_t uid, base::ByteView datagram) {
    return static_cast<VaultError>(service.answer(uid, datagram).view()[1]);
}

class Rights : public ::testing::Test {
  protected:
    void SetUp() override { ASSERT_TRUE(bench.provision()); }
    Bench bench{BackendKind::software};
    vault::Service service{bench.backend(), rights(), no_limits, bench.clock};
};

// The whole matrix: every peer × every operation × every identity, against this list and nothing
// else.
TEST_F(Rights, TheWholeMatrixIsAsGranted) {
    MITRAL_PROVES("T-ID-03", "CR 2.1");
    using enum Operation;
    using Cell = std::tuple<uid_t, Operation, std::string>;
    const std::set<Cell> granted = {
        {intake, new_data_key, ""},
        {intake, status, ""},
        {uplink, mint_hub, ""},
        {uplink, open_data_key, ""},
        {uplink, status, ""},
        {uplink, checkpoint, ""},
        {enrol, mint_registration, ""},
        {enrol, status, ""},
        {update, mint_hub, std::string(module)},
        {operator_uid, status, ""},
        {operator_uid, begin_provisioning, ""},
        {operator_uid, execute_order, ""},
        {operator_uid, attest, ""},
        {ward, new_data_key, ""},
        {ward, pseudonym, ""},
    };
    int allowed = 0;
    int refused = 0;
    for (const uid_t uid :
         {uid_t{0}, intake, uplink, enrol, update, operator_uid, ward, idle, stranger})
        for (std::uint8_t number = 1; number <= vault::last_operation; ++number)
            for (const std::string_view identity : {std::string_view{}, module, alert_module}) {
                const auto operation = static_cast<Operation>(number);
                if (operation != mint_hub && !identity.empty())
                    continue;
                const auto status =
                    answer_of(service, uid, vault::encode(request_for(operation, identity)));
                const bool expected = granted.contains({uid, operation, std::string(identity)});
                EXPECT_EQ(status != VaultError::refused, expected)
                    << uid << " " << to_string(operation) << " " << identity;
                ++(expected ? allowed : refused);
            }
    EXPECT_EQ(allowed, static_cast<int>(granted.size()));
    // Nine peers; mint-hub counts three times, once for each identity.
    EXPECT_EQ(refused, 9 * (vault::last_operation + 2) - allowed);
}

TEST_F(Rights, AStrangerLearnsNothingFromTheAnswers) {
    MITRAL_PROVES("T-ID-03");
    const auto generic =
        service.answer(stranger, vault::encode(request_for(Operation::status, {})));
    std::vector<base::Bytes> probes;
    for (std::uint8_t number = 0; number < 12; ++number)
        probes.push_back({1, number});
    probes.push_back({});
    probes.push_back(base::Bytes(4096, 0xff));
    probes.push_back(vault::encode(request_for(Operation::mint_hub, {})));
    probes.push_back(vault::encode(request_for(Operation::execute_order, {})));
    for (const auto& probe : probes) {
        const auto answer = service.answer(stranger, probe);
        EXPECT_TRUE(std::equal(answer.view().begin(), answer.view().end(), generic.view().begin(),
                               generic.view().end()));
    }
    EXPECT_EQ(generic.size(), 4U);  // version, refused, empty text
}

TEST_F(Rights, RefusalsAreCounted) {
    MITRAL_PROVES("T-ID-03", "T-LOG-02");
    for (int i = 0; i < 5; ++i)
        (void)service.answer(stranger, vault::encode(request_for(Operation::mint_hub, {})));
    const auto reply = service.answer(uplink, vault::encode(request_for(Operation::status, {})));
    EXPECT_EQ(vault::decode_status_reply(reply.view())->refusal_count, 5U);
}

TEST_F(Rights, EvidenceHasAShareOfItsOwn) {
    MITRAL_PROVES("T-TOK-04", "T-ROLL-01");
    vault::Limits limits = no_limits;
    limits.evidence = {3, 60};
    vault::Service limited(bench.backend(), rights(), limits, bench.clock);
    auto request = request_for(Operation::checkpoint, {});
    request.blob = encode(attest::Report{});
    const auto ask = vault::encode(request);
    for (int i = 0; i < 3; ++i)
        EXPECT_TRUE(vault::decode_evidence_reply(limited.answer(uplink, ask).view())) << i;
    EXPECT_EQ(answer_of(limited, uplink, ask), VaultError::rate_limited);
    const auto attest = vault::encode(request_for(Operation::attest, {}));
    EXPECT_TRUE(vault::decode_evidence_reply(limited.answer(operator_uid, attest).view()));
    EXPECT_TRUE(vault::decode_token_reply(
        limited.answer(uplink, vault::encode(request_for(Operation::mint_hub, {}))).view()));
    bench.clock.advance(base::Seconds(61));
    EXPECT_TRUE(vault::decode_evidence_reply(limited.answer(uplink, ask).view()));
}

TEST_F(Rights, AFloodCostsTheFlooderOnly) {
    MITRAL_PROVES("T-TOK-04", "T-DOS-04");
    vault::Service limited(bench.backend(), rights(), {{10, 60}, {1000, 1000}}, bench.clock);
    const auto ask = vault::encode(request_for(Operation::mint_hub, {}));
    int minted = 0;
    for (int i = 0; i < 200; ++i)
        minted += vault::decode_token_reply(limited.answer(uplink, ask).view()).has_value();
    EXPECT_EQ(minted, 10);
    EXPECT_EQ(bench.status().mint_count, 10U);
    EXPECT_EQ(answer_of(limited, uplink, ask), VaultError::rate_limited);
    // Somebody else is served, and the flooder again after a while, at the stated rate.
    EXPECT_EQ(answer_of(limited, intake, vault::encode(request_for(Operation::new_data_key, {}))),
              VaultError{});
    bench.clock.advance(base::Milliseconds(1000));
    EXPECT_EQ(answer_of(limited, uplink, ask), VaultError{});
    EXPECT_EQ(answer_of(limited, uplink, ask), VaultError::rate_limited);
    bench.clock.advance(base::Seconds(3600));
    minted = 0;
    for (int i = 0; i < 50; ++i)
        minted += answer_of(limited, uplink, ask) == VaultError{};
    EXPECT_EQ(minted, 10);
}

std::size_t lines_with(const std::string& text, std::string_view part) {
    std::size_t count = 0;
    for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1))
        ++count;
    return count;
}

// Every token wears the trust zone's memory a little.
TEST_F(Rights, TokensHaveALimitOfTheirOwn) {
    MITRAL_PROVES("T-TOK-04", "T-DOS-04");
    vault::Service limited(bench.backend(), rights(), {{10'000, 10'000}, {3, 60}}, bench.clock);
    const auto ask = vault::encode(request_for(Operation::mint_hub, {}));
    auto unlisted = request_for(Operation::mint_hub, {});
    unlisted.hub = "evil.example";
    ::testing::internal::CaptureStderr();
    int minted = 0;
    for (int i = 0; i < 500; ++i) {
        minted += answer_of(limited, uplink, ask) == VaultError{};
        if (minted < 3) {  // what is refused costs nothing
            EXPECT_EQ(answer_of(limited, uplink, vault::encode(unlisted)), VaultError::not_listed);
        }
    }
    EXPECT_EQ(lines_with(::testing::internal::GetCapturedStderr(), "vault-mints-limited"), 1U);
    EXPECT_EQ(minted, 3);
    EXPECT_EQ(bench.status().mint_count, 3U);
    // Nothing else is limited by it, and nobody else.
    EXPECT_EQ(answer_of(limited, uplink, vault::encode(request_for(Operation::status, {}))),
              VaultError{});
    EXPECT_EQ(
        answer_of(limited, enrol, vault::encode(request_for(Operation::mint_registration, {}))),
        VaultError{});
    bench.clock.advance(base::Seconds(60));
    EXPECT_EQ(answer_of(limited, uplink, ask), VaultError{});
    EXPECT_EQ(answer_of(limited, uplink, ask), VaultError::rate_limited);
    bench.clock.advance(base::Seconds(24 * 3600));
    minted = 0;
    for (int i = 0; i < 20; ++i)
        minted += answer_of(limited, uplink, ask) == VaultError{};
    EXPECT_EQ(minted, 3);
}

// A monitor that makes patients up: a bound on what can be tried out, and not at the price of the
// data keys without which nothing is acquired.
TEST_F(Rights, PseudonymsHaveALimitOfTheirOwn) {
    MITRAL_PROVES("T-DOS-04", "T-DATA-06");
    auto order = bench.order(vault::OrderKind::policy);
    order.policy = standard_policy();
    order.subject_key =
        *vault::wrap_subject_key(bench.statement(), registration_id, base::Bytes(32, 7));
    ASSERT_TRUE(bench.execute(order));
    vault::Service limited(bench.backend(), rights(), {{10, 10}, {10, 10}, {5, 60}}, bench.clock);
    auto request = request_for(Operation::pseudonym, {});
    ::testing::internal::CaptureStderr();
    int named = 0;
    for (int i = 0; i < 500; ++i) {
        request.patient.id = std::to_string(i);
        const auto reply = limited.answer(ward, vault::encode(request));
        named += vault::decode_pseudonym_reply(reply.view()).has_value();
    }
    const auto log = ::testing::internal::GetCapturedStderr();
    EXPECT_EQ(named, 5);
    EXPECT_EQ(lines_with(log, "vault-pseudonyms-limited"), 1U) << log;
    EXPECT_EQ(lines_with(log, "HOSP"), 0U) << log;
    EXPECT_EQ(answer_of(limited, ward, vault::encode(request)), VaultError::rate_limited);
    for (int i = 0; i < 10; ++i)
        EXPECT_EQ(answer_of(limited, ward, vault::encode(request_for(Operation::new_data_key, {}))),
                  VaultError{});
    bench.clock.advance(base::Seconds(60));
    EXPECT_EQ(answer_of(limited, ward, vault::encode(request)), VaultError{});
    EXPECT_EQ(answer_of(limited, ward, vault::encode(request)), VaultError::rate_limited);
}

TEST_F(Rights, RefusedConnectionsAreToldOnceAMinuteWithTheirCount) {
    MITRAL_PROVES("T-DOS-04", "T-LOG-02");
    ::testing::internal::CaptureStderr();
    for (int i = 0; i < 5000; ++i)
        service.note_refused_connection(stranger);
    service.note_refused_connection(idle);  // its own line
    bench.clock.advance(base::Seconds(61));
    service.note_refused_connection(stranger);
    for (uid_t uid = 100'000; uid < 110'000; ++uid)  // a user with many ids gains nothing
        service.note_refused_connection(uid);
    const auto log = ::testing::internal::GetCapturedStderr();
    EXPECT_LE(lines_with(log, "vault-connection-refused"), 70U);
    EXPECT_EQ(lines_with(log, "uid=2007 count=1\n"), 1U) << log;
    EXPECT_EQ(lines_with(log, "uid=2007 count=5000\n"), 1U) << log;
    EXPECT_EQ(lines_with(log, "uid=2006"), 1U);
}

}  // namespace
}  // namespace mitral::test
