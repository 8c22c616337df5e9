#include "intake/store/fingerprint.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <set>
#include <vector>

#include "support/proves.hpp"

namespace mitral::intake {
namespace {

// The example of the SipHash paper, appendix A: 15 bytes 00…0e; their count stands in the last.
TEST(KeyedHash, IsSipHash) {
    KeyedHash hash({0x0706050403020100, 0x0f0e0d0c0b0a0908});
    hash.absorb(0x0706050403020100);
    hash.absorb(0x0f0e0d0c0b0a0908);
    EXPECT_EQ(hash.finish(), 0xa129ca6149be45e5U);
}

TEST(KeyedHash, TellsWhereATextEnds) {
    const auto of = [](std::string_view one, std::string_view two) {
        KeyedHash hash({1, 2});
        hash.absorb(one);
        hash.absorb(two);
        return hash.finish();
    };
    EXPECT_NE(of("ab", "c"), of("a", "bc"));
    EXPECT_NE(of("", "a"), of("a", ""));
    EXPECT_EQ(of("123456789", "a"), of("123456789", "a"));
}

clinical::Reading a_reading() {
    clinical::Reading reading;
    reading.source = "bed-1";
    reading.control_id = "a";
    reading.device_time = base::WallTime{5};
    reading.device_clock = clinical::DeviceClock::zone_stated;
    reading.received = {1000};
    reading.observations = {{0, 1, "x", "1", clinical::Decimal{3680, -2}},
                            {1, 1, "y", "1", clinical::Absent::error}};
    reading.waveforms = {{2, 0, "w", "1", {250, 0}, {1, 0}, {1, 2, 3}}};
    return reading;
}

TEST(Fingerprints, EachPartOfTheContentCounts) {
    MITRAL_PROVES("T-DATA-05", "T-DATA-04");
    const Fingerprints prints;
    const std::vector<std::function<void(clinical::Reading&)>> changes{
        [](auto&) {},
        [](auto& r) { r.device_time.reset(); },
        [](auto& r) { r.device_time->ms = 6; },
        [](auto& r) { r.observations.pop_back(); },
        [](auto& r) { r.observations[0].code = "X"; },
        [](auto& r) { r.observations[0].unit = "m"; },
        [](auto& r) { r.observations[0].value = clinical::Decimal{368, -1}; },  // 36.8, not 36.80
        [](auto& r) { r.observations[0].value = clinical::Decimal{3681, -2}; },
        [](auto& r) { r.observations[1].value = clinical::Absent::unknown; },
        [](auto& r) { std::swap(r.observations[0].value, r.observations[1].value); },
        [](auto& r) { r.waveforms.clear(); },
        [](auto& r) { r.waveforms[0].rate.mantissa = 251; },
        [](auto& r) { r.waveforms[0].scale.exponent = 1; },
        [](auto& r) { r.waveforms[0].samples[2] = 4; },
        [](auto& r) { r.waveforms[0].samples.pop_back(); },
        [](auto& r) { r.waveforms[0].code = "v"; },
    };
    std::set<std::uint64_t> contents;
    for (const auto& change : changes) {
        auto reading = a_reading();
        change(reading);
        contents.insert(prints.of(reading).content);
        EXPECT_EQ(prints.of(reading).id, prints.of(a_reading()).id);
    }
    EXPECT_EQ(contents.size(), changes.size());
}

TEST(Fingerprints, WhenItCameAndWhatWasMadeOfItDoNotCount) {
    MITRAL_PROVES("T-DATA-04");
    const Fingerprints prints;
    auto again = a_reading();
    again.received = {2000};
    again.clock = base::ClockState::synchronised;
    again.device_clock = clinical::DeviceClock::disagrees;  // it came late this time
    again.subject = "abcdefghijklmnopqrstu_";               // the vault was away the first time
    EXPECT_EQ(prints.of(again).content, prints.of(a_reading()).content);
    again.control_id = "b";
    EXPECT_NE(prints.of(again).id, prints.of(a_reading()).id);
}

TEST(Fingerprints, EachProcessHasItsOwn) {
    MITRAL_PROVES("T-SW-01");
    EXPECT_NE(Fingerprints().of(a_reading()).id, Fingerprints().of(a_reading()).id);
    EXPECT_NE(Fingerprints().of(a_reading()).content, Fingerprints().of(a_reading()).content);
}

}  // namespace
}  // namespace mitral::intake
