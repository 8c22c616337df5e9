#include "mitral/settings.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/proves.hpp"
#include "support/result_matchers.hpp"

namespace mitral::cli {
namespace {

using test::ok;

base::Result<UnitSettings> read(std::string_view text) {
    MITRAL_TRY(const auto config, base::Config::parse(text, "test.toml"));
    return read_unit_settings(config);
}

TEST(UnitSettings, ReadsTheTablesThatAreThere) {
    const auto settings = read("[intake-lines]\nvault = \"/x/vault.sock\"\n");
    ASSERT_TRUE(ok(settings));
    EXPECT_TRUE(settings->intake);
    EXPECT_FALSE(settings->uplink);
    EXPECT_EQ("/x/vault.sock", vault_socket_of(*settings));
    EXPECT_EQ("/run/mitral/vault/vault.sock", vault_socket_of(UnitSettings{}));
}

TEST(UnitSettings, RefusesUnknownTablesAndKeys) {
    MITRAL_PROVES("T-SW-07");
    const auto table = read("[uplnk]\n");
    ASSERT_FALSE(table);
    EXPECT_THAT(table.error().message(), testing::HasSubstr("uplnk"));
    const auto key = read("[intake-lines]\nsockt = \"/x\"\n");
    ASSERT_FALSE(key);
    EXPECT_THAT(key.error().message(), testing::HasSubstr("sockt"));
    EXPECT_FALSE(read("vault = 7\n"));
}

}  // namespace
}  // namespace mitral::cli
