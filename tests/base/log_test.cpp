#include "base/log.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "support/proves.hpp"

namespace mitral::base {
namespace {

template <typename Write>
std::string logged(const Write& write) {
    ::testing::internal::CaptureStderr();
    write();
    return ::testing::internal::GetCapturedStderr();
}

TEST(Log, WritesOneLineAnEvent) {
    const auto line =
        logged([] { log(Severity::info, "token-renewed", {{"hub", "h.example"}, {"age_s", 12}}); });
    EXPECT_TRUE(line.ends_with("token-renewed hub=h.example age_s=12\n")) << line;
}

TEST(Log, InputCannotForgeALine) {
    MITRAL_PROVES("T-LOG-01", "CR 3.9");
    const auto line = logged([] {
        log(Severity::warning, "refused",
            {{"peer", "x\n<2>mitral: all-well security=yes\r\x1b[2J\"\\"}});
    });
    EXPECT_EQ(std::count(line.begin(), line.end(), '\n'), 1);
    EXPECT_EQ(line.find('\x1b'), std::string::npos);
    EXPECT_EQ(line.find('\r'), std::string::npos);
    EXPECT_NE(line.find("\\x0a"), std::string::npos);
}

TEST(Log, CutsAnEndlessValue) {
    const auto line = logged([] { log(Severity::info, "x", {{"v", std::string(100'000, 'a')}}); });
    EXPECT_LT(line.size(), 1000U);
}

TEST(LogSecurity, IsMarked) {
    const auto line = logged([] { log_security("unexpected-packet", {{"type", 9}}); });
    EXPECT_NE(line.find("unexpected-packet security=yes type=9"), std::string::npos);
}

}  // namespace
}  // namespace mitral::base
