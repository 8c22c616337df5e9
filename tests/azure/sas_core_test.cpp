// The allocation-free core as the Trusted Application will call it: exact buffers, error codes,
// limits.
#include "azure/sas_core.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "azure/vectors.hpp"
#include "base/crypto.hpp"
#include "support/proves.hpp"

namespace {

using mitral::test::sas_vectors;
using mitral::test::vector_expiry_s;
using mitral::test::vector_key;

// A heap buffer of exactly `capacity` bytes: the address sanitizer sees a write beyond it.
struct Exact {
    explicit Exact(std::size_t capacity) : bytes(capacity) {}
    std::vector<char> bytes;
    std::size_t written = 99;
    [[nodiscard]] std::string text() const { return {bytes.data(), written}; }
};

TEST(SasCore, ReproducesEveryVectorThatEncodesItsResource) {
    for (const auto& vector : sas_vectors) {
        if (!vector.resource_encoded)
            continue;
        SCOPED_TRACE(vector.name);
        Exact encoded(MITRAL_SAS_MAX_ENCODED);
        ASSERT_EQ(MITRAL_SAS_OK,
                  mitral_sas_encode(vector.resource.data(), vector.resource.size(),
                                    encoded.bytes.data(), encoded.bytes.size(), &encoded.written));
        Exact to_sign(MITRAL_SAS_MAX_TO_SIGN);
        ASSERT_EQ(MITRAL_SAS_OK,
                  mitral_sas_to_sign(encoded.bytes.data(), encoded.written, vector_expiry_s,
                                     to_sign.bytes.data(), to_sign.bytes.size(), &to_sign.written));
        const auto mac = mitral::base::hmac_sha256(vector_key(vector.key),
                                                   mitral::base::as_bytes(to_sign.text()));
        Exact token(MITRAL_SAS_MAX_TOKEN);
        ASSERT_EQ(MITRAL_SAS_OK,
                  mitral_sas_assemble(encoded.bytes.data(), encoded.written, mac.data(),
                                      vector_expiry_s, vector.policy.data(), vector.policy.size(),
                                      token.bytes.data(), token.bytes.size(), &token.written));
        EXPECT_EQ(vector.token, token.text());
    }
}

TEST(SasCore, EncodesExactlyTheReservedBytes) {
    for (int value = 0; value < 256; ++value) {
        const char byte = static_cast<char>(value);
        Exact out(3);
        ASSERT_EQ(MITRAL_SAS_OK, mitral_sas_encode(&byte, 1, out.bytes.data(), 3, &out.written));
        const std::string unreserved =
            "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
        if (unreserved.find(byte) != std::string::npos) {
            EXPECT_EQ(std::string(1, byte), out.text());
        } else {
            char expected[4];
            std::snprintf(expected, sizeof expected, "%%%02X", value);
            EXPECT_EQ(expected, out.text());
        }
    }
}

TEST(SasCore, ReportsEveryBufferThatIsTooSmall) {
    const std::string resource = "h/devices/d";
    const std::uint8_t mac[MITRAL_SAS_MAC_SIZE] = {0xff, 0xfe};
    Exact full(MITRAL_SAS_MAX_TOKEN);
    ASSERT_EQ(MITRAL_SAS_OK,
              mitral_sas_assemble(resource.data(), resource.size(), mac, 7, "p", 1,
                                  full.bytes.data(), full.bytes.size(), &full.written));
    for (std::size_t capacity = 0; capacity < full.written; ++capacity) {
        Exact out(capacity);
        EXPECT_EQ(MITRAL_SAS_BUFFER_TOO_SMALL,
                  mitral_sas_assemble(resource.data(), resource.size(), mac, 7, "p", 1,
                                      out.bytes.data(), capacity, &out.written));
        EXPECT_EQ(0U, out.written);
    }
    Exact exact(full.written);
    EXPECT_EQ(MITRAL_SAS_OK, mitral_sas_assemble(resource.data(), resource.size(), mac, 7, "p", 1,
                                                 exact.bytes.data(), full.written, &exact.written));
}

TEST(SasCore, StatedMaximaSuffice) {
    const std::string host(MITRAL_SAS_MAX_HOST, 'h');
    const std::string id(MITRAL_SAS_MAX_ID, '%');
    Exact resource(MITRAL_SAS_MAX_RESOURCE);
    ASSERT_EQ(MITRAL_SAS_OK, mitral_sas_hub_resource(host.data(), host.size(), id.data(), id.size(),
                                                     id.data(), id.size(), resource.bytes.data(),
                                                     resource.bytes.size(), &resource.written));
    const std::string worst(MITRAL_SAS_MAX_RESOURCE, '%');
    Exact encoded(MITRAL_SAS_MAX_ENCODED);
    ASSERT_EQ(MITRAL_SAS_OK, mitral_sas_encode(worst.data(), worst.size(), encoded.bytes.data(),
                                               encoded.bytes.size(), &encoded.written));
    Exact to_sign(MITRAL_SAS_MAX_TO_SIGN);
    ASSERT_EQ(MITRAL_SAS_OK,
              mitral_sas_to_sign(encoded.bytes.data(), encoded.written, MITRAL_SAS_MAX_TIME_S,
                                 to_sign.bytes.data(), to_sign.bytes.size(), &to_sign.written));
    const std::string policy(MITRAL_SAS_MAX_POLICY, 'p');
    std::uint8_t mac[MITRAL_SAS_MAC_SIZE];
    std::fill(std::begin(mac), std::end(mac), std::uint8_t{0xff});  // "////…": three bytes each
    Exact token(MITRAL_SAS_MAX_TOKEN);
    EXPECT_EQ(MITRAL_SAS_OK,
              mitral_sas_assemble(encoded.bytes.data(), encoded.written, mac, MITRAL_SAS_MAX_TIME_S,
                                  policy.data(), policy.size(), token.bytes.data(),
                                  token.bytes.size(), &token.written));
}

TEST(SasCore, CapsTheLifetimeAtOneDay) {
    MITRAL_PROVES("T-TOK-01");
    std::int64_t expiry = -1;
    EXPECT_EQ(MITRAL_SAS_OK, mitral_sas_expiry(1000, 86'400, &expiry));
    EXPECT_EQ(87'400, expiry);
    EXPECT_EQ(MITRAL_SAS_INVALID_LIFETIME, mitral_sas_expiry(1000, 86'401, &expiry));
    EXPECT_EQ(0, expiry);
    EXPECT_EQ(MITRAL_SAS_INVALID_LIFETIME, mitral_sas_expiry(1000, 0, &expiry));
    EXPECT_EQ(MITRAL_SAS_INVALID_LIFETIME, mitral_sas_expiry(1000, -1, &expiry));
    EXPECT_EQ(MITRAL_SAS_INVALID_LIFETIME, mitral_sas_expiry(1000, INT64_MAX, &expiry));
    EXPECT_EQ(MITRAL_SAS_INVALID_LIFETIME, mitral_sas_expiry(1000, INT64_MIN, &expiry));
    EXPECT_EQ(MITRAL_SAS_INVALID_TIME, mitral_sas_expiry(-1, 60, &expiry));
    EXPECT_EQ(MITRAL_SAS_INVALID_TIME, mitral_sas_expiry(INT64_MAX, 60, &expiry));
    EXPECT_EQ(MITRAL_SAS_INVALID_TIME, mitral_sas_expiry(INT64_MIN, 60, &expiry));
}

TEST(SasCore, RefusesTimesOutOfRange) {
    char out[64];
    std::size_t written = 0;
    EXPECT_EQ(MITRAL_SAS_INVALID_TIME, mitral_sas_to_sign("r", 1, -1, out, sizeof out, &written));
    EXPECT_EQ(MITRAL_SAS_INVALID_TIME,
              mitral_sas_to_sign("r", 1, MITRAL_SAS_MAX_TIME_S + 1, out, sizeof out, &written));
    ASSERT_EQ(MITRAL_SAS_OK, mitral_sas_to_sign("r", 1, 0, out, sizeof out, &written));
    EXPECT_EQ("r\n0", std::string(out, written));
}

TEST(SasCore, AcceptsNoNameThatCouldReachIntoAnotherResource) {
    MITRAL_PROVES("T-TOK-02", "T-KEY-04");
    const auto hub = [](const std::string& host, const std::string& device,
                        const std::string& module) {
        Exact out(MITRAL_SAS_MAX_RESOURCE);
        return mitral_sas_hub_resource(host.data(), host.size(), device.data(), device.size(),
                                       module.data(), module.size(), out.bytes.data(),
                                       out.bytes.size(), &out.written);
    };
    EXPECT_EQ(MITRAL_SAS_OK, hub("hub.example", "dev-01", ""));
    for (const std::string device :
         {"", "a/b", "../x", "a\nb", "a b", "a+b", "a#", "a&se=1", "\xc3\xa9"})
        EXPECT_EQ(MITRAL_SAS_INVALID_NAME, hub("hub.example", device, "")) << device;
    EXPECT_EQ(MITRAL_SAS_INVALID_NAME, hub("hub.example", std::string("a\0b", 3), ""));
    EXPECT_EQ(MITRAL_SAS_INVALID_NAME, hub("hub.example", std::string(129, 'a'), ""));
    EXPECT_EQ(MITRAL_SAS_INVALID_NAME, hub("hub.example", "d", "m/n"));
    for (const std::string host :
         {"", "hub/devices/x", "Hub.example", ".hub", "hub.", "a..b", "hub:", "hub:0", "hub:65536",
          "hub:1:2", "hub:08", "hub\n", ":443"})
        EXPECT_EQ(MITRAL_SAS_INVALID_NAME, hub(host, "d", "")) << host;
    EXPECT_EQ(MITRAL_SAS_OK, hub("localhost:65535", "d", "m"));

    const auto registration = [](const std::string& scope, const std::string& id) {
        Exact out(MITRAL_SAS_MAX_RESOURCE);
        return mitral_sas_registration_resource(scope.data(), scope.size(), id.data(), id.size(),
                                                out.bytes.data(), out.bytes.size(), &out.written);
    };
    EXPECT_EQ(MITRAL_SAS_OK, registration("0ne000A0A0A", "dev-01"));
    EXPECT_EQ(MITRAL_SAS_INVALID_NAME, registration("0ne/registrations/x", "dev-01"));
    EXPECT_EQ(MITRAL_SAS_INVALID_NAME, registration("", "dev-01"));
    EXPECT_EQ(MITRAL_SAS_INVALID_NAME, registration("0ne000A0A0A", "dev/01"));
    EXPECT_EQ(MITRAL_SAS_INVALID_NAME, registration("0ne000A0A0A", "dev."));
}

}  // namespace
