#include "vault/protocol.hpp"

#include <gtest/gtest.h>

#include "base/crypto.hpp"
#include "support/proves.hpp"

namespace mitral::test {
namespace {

using vault::Operation;
using vault::Request;
using vault::VaultError;

std::vector<Request> one_of_each() {
    const base::Bytes blob{1, 2, 3};
    return {{Operation::mint_hub, "hub.example", "m", base::Seconds(-7), {}},
            {Operation::mint_registration, {}, {}, base::Seconds(60), {}},
            {Operation::new_data_key, {}, {}, {}, {}},
            {Operation::open_data_key, {}, {}, {}, blob},
            {Operation::status, {}, {}, {}, {}},
            {Operation::begin_provisioning, {}, {}, {}, {}},
            {Operation::execute_order, {}, {}, {}, blob},
            {Operation::pseudonym, {}, {}, {}, {}, {"12345", "HOSP"}},
            {Operation::pseudonym, {}, {}, {}, {}, {std::string(256, 'i'), std::string(256, 'a')}},
            {Operation::pseudonym, {}, {}, {}, {}, {"", "HOSP"}},
            {Operation::begin_time, {}, {}, {}, {}},
            {Operation::take_time, {}, {}, {}, blob},
            {Operation::checkpoint, {}, {}, {}, blob},
            {Operation::attest, {}, {}, {}, base::Bytes(32, 7)}};
}

TEST(Protocol, RequestsSurviveTheWire) {
    for (const auto& request : one_of_each()) {
        const auto decoded = vault::decode_request(vault::encode(request));
        ASSERT_TRUE(decoded);
        EXPECT_EQ(decoded->operation, request.operation);
        EXPECT_EQ(decoded->hub, request.hub);
        EXPECT_EQ(decoded->module_id, request.module_id);
        EXPECT_EQ(decoded->lifetime, request.lifetime);
        EXPECT_EQ(decoded->blob, request.blob);
        EXPECT_EQ(decoded->patient, request.patient);
    }
}

TEST(Protocol, TruncatedLongerAndForeignRequestsAreRefused) {
    MITRAL_PROVES("T-SW-05");
    for (const auto& request : one_of_each()) {
        const auto good = vault::encode(request);
        for (std::size_t size = 0; size < good.size(); ++size)
            EXPECT_FALSE(vault::decode_request(base::ByteView(good).first(size)));
        auto longer = good;
        longer.push_back(0);
        EXPECT_FALSE(vault::decode_request(longer));
        auto other_version = good;
        other_version[0] = 2;
        EXPECT_FALSE(vault::decode_request(other_version));
    }
    for (const int operation : {0, vault::last_operation + 1, 255})
        EXPECT_FALSE(vault::decode_request(base::Bytes{1, static_cast<std::uint8_t>(operation)}));
    EXPECT_FALSE(vault::decode_request(base::Bytes(4097, 1)));
}

TEST(Protocol, APatientHasABoundAndSomeName) {
    MITRAL_PROVES("T-SW-05");
    const std::string longer(257, 'x');
    for (const auto& patient : {vault::Patient{"", ""}, vault::Patient{longer, "HOSP"},
                                vault::Patient{"12345", longer}}) {
        const Request request{Operation::pseudonym, {}, {}, {}, {}, patient};
        EXPECT_EQ(vault::decode_request(vault::encode(request)).error().code,
                  VaultError::malformed);
    }
}

TEST(Protocol, EveryOperationHasANameAndNoOther) {
    for (std::uint8_t number = 1; number <= vault::last_operation; ++number) {
        const auto operation = static_cast<Operation>(number);
        EXPECT_EQ(vault::operation_named(to_string(operation)), operation);
    }
    EXPECT_FALSE(vault::operation_named("unknown"));
    EXPECT_FALSE(vault::operation_named("sign"));
}

TEST(Protocol, RepliesSurviveTheWire) {
    const base::Secret key(base::as_bytes("0123456789abcdef0123456789abcdef"));
    const auto token = vault::decode_token_reply(
        vault::encode_reply(vault::Token{base::Secret(base::as_bytes("text")), -5}).view());
    ASSERT_TRUE(token);
    EXPECT_EQ(base::as_text(token->text.view()), "text");
    EXPECT_EQ(token->not_after_s, -5);
    const auto data_key = vault::decode_data_key_reply(
        vault::encode_reply(vault::DataKey{base::Secret(key.view()), {9, 8}}).view());
    ASSERT_TRUE(data_key);
    EXPECT_EQ(data_key->wrapped, (base::Bytes{9, 8}));
    EXPECT_TRUE(base::equal_constant_time(data_key->key.view(), key.view()));
    vault::VaultStatus status;
    status.state = vault::VaultState::quarantined;
    status.backend = "tpm";
    status.dps_host = "host";
    status.mint_count = 1ULL << 40;
    status.time_floor_s = 1'700'000'000;
    status.pending_key = true;
    status.subject_key = true;
    const auto copy = vault::decode_status_reply(vault::encode_reply(status).view());
    ASSERT_TRUE(copy);
    EXPECT_EQ(copy->state, status.state);
    EXPECT_EQ(copy->backend, "tpm");
    EXPECT_EQ(copy->dps_host, "host");
    EXPECT_EQ(copy->mint_count, status.mint_count);
    EXPECT_EQ(copy->time_floor_s, status.time_floor_s);
    EXPECT_TRUE(copy->pending_key);
    EXPECT_TRUE(copy->subject_key);
    EXPECT_TRUE(vault::decode_empty_reply(vault::encode_reply().view()));
    const vault::Pseudonym pseudonym{1, 2, 3};
    const auto reply = vault::encode_reply(pseudonym);
    EXPECT_EQ(vault::decode_pseudonym_reply(reply.view()).value(), pseudonym);
    EXPECT_FALSE(vault::decode_pseudonym_reply(reply.view().first(reply.size() - 1)));
}

TEST(Protocol, ARefusalArrivesAsItsError) {
    const base::Error error{make_error_code(VaultError::quarantined), "why"};
    const auto reply = vault::encode_reply(error);
    EXPECT_EQ(vault::decode_empty_reply(reply.view()).error().code, VaultError::quarantined);
    EXPECT_EQ(vault::decode_token_reply(reply.view()).error().context, "why");
    const auto ok = vault::encode_reply();
    EXPECT_FALSE(vault::decode_token_reply(ok.view()));
}

}  // namespace
}  // namespace mitral::test
