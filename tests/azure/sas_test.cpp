// Writing tokens: the C++ face of the core, and group key derivation.
#include "azure/sas.hpp"

#include <gtest/gtest.h>

#include "azure/errors.hpp"
#include "azure/vectors.hpp"
#include "base/encoding.hpp"
#include "support/proves.hpp"

namespace mitral::azure {
namespace {

std::string text_of(const base::Secret& secret) {
    return std::string(base::as_text(secret.view()));
}

TEST(Sas, WritesTheVectors) {
    for (const auto& vector : test::sas_vectors) {
        if (!vector.resource_encoded)
            continue;
        const auto token = sign_token(test::vector_key(vector.key), vector.resource,
                                      test::vector_expiry_s, vector.policy);
        ASSERT_TRUE(token) << vector.name;
        EXPECT_EQ(vector.token, text_of(*token)) << vector.name;
    }
}

TEST(Sas, BuildsResourcesFromCheckedNames) {
    EXPECT_EQ("contoso.azure-devices.net/devices/dev-01",
              *device_resource("contoso.azure-devices.net", "dev-01"));
    EXPECT_EQ("contoso.azure-devices.net/devices/dev-01/modules/DeviceUpdate",
              *module_resource("contoso.azure-devices.net", "dev-01", "DeviceUpdate"));
    EXPECT_EQ("0ne000A0A0A/registrations/dev-01", *registration_resource("0ne000A0A0A", "dev-01"));
    EXPECT_FALSE(device_resource("contoso.azure-devices.net", "dev-01/modules/x"));
    EXPECT_FALSE(module_resource("contoso.azure-devices.net", "dev-01", ""));
    EXPECT_FALSE(registration_resource("0ne/x", "dev-01"));
}

TEST(Sas, RefusesALongLife) {
    MITRAL_PROVES("T-TOK-01");
    EXPECT_EQ(1060, *token_expiry(1000, base::Seconds(60)));
    EXPECT_EQ(AzureError::invalid_lifetime, token_expiry(1000, base::Seconds(86'401)).error().code);
    EXPECT_EQ(AzureError::invalid_lifetime, token_expiry(1000, base::Seconds(0)).error().code);
}

TEST(Sas, RefusesAPolicyThatWouldAddFields) {
    MITRAL_PROVES("T-KEY-04");
    const auto token = sign_token(test::vector_key(1), "h/devices/d", 1, "x&se=99999999999");
    ASSERT_FALSE(token);
    EXPECT_EQ(AzureError::invalid_name, token.error().code);
}

TEST(Sas, RefusesAResourceBeyondTheBound) {
    EXPECT_EQ(AzureError::too_large, string_to_sign(std::string(4000, '/'), 1).error().code);
}

TEST(GroupKey, DerivesTheDocumentedDeviceKey) {
    const auto group = base::from_base64(
        "8isrFI1sGsIlvvFSSFRiMfCNzv21fjbE/+ah/lSh3lF8e2YG1Te7w1KpZhJFFXJrqYKi9yegxkqIChbqOS9Egw==");
    ASSERT_TRUE(group);
    EXPECT_EQ(
        "Jsm0lyGpjaVYVP2g3FnmnmG9dI/9qU24wNoykUmermc=",
        base::to_base64(derive_device_key(*group, "sn-007-888-abc-mac-a1-b2-c3-d4-e5-f6").view()));
}

TEST(GroupKey, DerivesTheSecondVector) {
    EXPECT_EQ("6FcPlhGj1KWC3B6paiUt9NglFrbCZDWzEYu/pJ9ADmM=",
              base::to_base64(derive_device_key(test::vector_key(2), "dev-01").view()));
}

}  // namespace
}  // namespace mitral::azure
