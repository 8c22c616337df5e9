#include <gtest/gtest.h>

#include <algorithm>
#include <optional>

#include "bedside/digest.hpp"
#include "bedside/monitor.hpp"
#include "bedside/repertoire.hpp"
#include "support/result_matchers.hpp"

// What each dialect says of one and the same minute, byte for byte.
namespace mitral::bedside {
namespace {

constexpr base::WallTime winter{1'795'342'572'345};  // 2026-11-22T10:16:12.345Z
constexpr base::WallTime start{1'795'342'000'000};   // 36⁸ ms and more: MWRO5ADS in base 36

Recording recording() {
    Recording recorded;
    recorded.minutes.push_back({{&numerics()[0], "62.8", true},   // heart rate
                                {&numerics()[1], "0", false},     // arterial, systolic
                                {&numerics()[7], "118", true}});  // cuff, systolic
    recorded.channels.assign(waves().size(), {-26, 13, 5, 7});
    return recorded;
}

class Spoken {
  public:
    explicit Spoken(std::string_view dialect, std::string_view zone = "") {
        plan_.source = "bed-7";
        plan_.dialect = find_dialect(dialect);
        plan_.zone = zone;
        repertoire_.emplace(*plan_.dialect, recording(), 4);
    }
    BedPlan& plan() { return plan_; }

    // '\n' for CR, and the patient's line taken out.
    std::string message(Lane lane = Lane::vitals) {
        monitor();
        said_ = monitor_->say(lane, winter);
        std::string text;
        std::string_view rest = said_.text;
        while (!rest.empty()) {
            const auto end = std::min(rest.find('\r'), rest.size());
            if (!rest.starts_with("PID"))
                text.append(rest.substr(0, end)).append(end < rest.size() ? "\n" : "");
            rest.remove_prefix(std::min(end + 1, rest.size()));
        }
        return text;
    }
    std::vector<Promise> promises() { return monitor_->promises(said_); }
    const Message& said() { return said_; }
    Monitor& monitor() {
        if (!monitor_) {
            auto made = Monitor::create(plan_, 1, 0, start, *repertoire_);
            EXPECT_TRUE(made);
            monitor_.emplace(std::move(*made));
        }
        return *monitor_;
    }

  private:
    BedPlan plan_;
    std::optional<Repertoire> repertoire_;
    std::optional<Monitor> monitor_;
    Message said_;
};

TEST(Dialect, PcdSaysEverything) {
    Spoken pcd("pcd", "Europe/Paris");
    const auto text = pcd.message();
    const auto id = pcd.said().control_id;
    EXPECT_EQ(text,
              "MSH|^~\\&|BEDSIDE^0002040000000000^EUI-64|WARD|||20261122111612.345+0100||"
              "ORU^R01^ORU_R01|" +
                  id +
                  "|P|2.6|||AL|NE||UNICODE UTF-8|||"
                  "PCD_DEC_001^IHE PCD^1.3.6.1.4.1.19376.1.6.1.1.1^ISO\n"
                  "PV1||I|ICU^bed-7^bed-7\n"
                  "OBR|1|" +
                  id + "^MON|" + id +
                  "^MON|182777000^monitoring of patient^SCT|||20261122111612.345+0100\n"
                  "OBX|1||69965^MDC_DEV_MON_PHYSIO_MULTI_PARAM_MDS^MDC|1.0.0.0|||||||X\n"
                  "OBX|2||69798^MDC_DEV_ECG_VMD^MDC|1.1.0.0|||||||X\n"
                  "OBX|3||0^MDC_DEV_PRESS_BLD_VMD^MDC|1.2.0.0|||||||X\n"
                  "OBX|4||69642^MDC_DEV_ANALY_SAT_O2_VMD^MDC|1.3.0.0|||||||X\n"
                  "OBX|5|NM|147842^MDC_ECG_HEART_RATE^MDC|1.1.1.1|62.8|"
                  "264864^MDC_DIM_BEAT_PER_MIN^MDC|||||R|||20261122111612.345+0100||||"
                  "0002040000ABCDEF^^0002040000ABCDEF^EUI-64\n"
                  "OBX|6|NM|150033^MDC_PRESS_BLD_ART_SYS^MDC|1.2.1.1||266016^MDC_DIM_MMHG^MDC|"
                  "||||X|||20261122111612.345+0100||||0002040000ABCDEF^^0002040000ABCDEF^EUI-64\n"
                  "OBX|7|NM|150021^MDC_PRESS_BLD_NONINV_SYS^MDC|1.4.1.1|118|"
                  "266016^MDC_DIM_MMHG^MDC|||||R|||20261122111442.345+0100||||"
                  "0002040000ABCDEF^^0002040000ABCDEF^EUI-64\n");
}

TEST(Dialect, PcdPromisesOneReadingForEachTime) {
    Spoken pcd("pcd", "Europe/Paris");
    (void)pcd.message();
    const auto promises = pcd.promises();
    ASSERT_EQ(promises.size(), 3U);
    const auto identity = message_identity("BEDSIDE^0002040000000000^EUI-64", pcd.said().control_id,
                                           "20261122111612.345+0100");
    EXPECT_EQ(promises[0].id, identity);
    EXPECT_EQ(promises[0].index, 4);
    EXPECT_EQ(promises[0].hash,
              digest(digest_head("MDC_ECG_HEART_RATE", "/min", "value:62.8"), winter.ms));
    EXPECT_EQ(promises[1].id, identity);
    EXPECT_EQ(
        promises[1].hash,
        digest(digest_head("MDC_PRESS_BLD_ART_SYS", "mm[Hg]", "absent:not-measured"), winter.ms));
    EXPECT_EQ(promises[2].id, identity + ".1") << "the cuff measured earlier";
    EXPECT_EQ(
        promises[2].hash,
        digest(digest_head("MDC_PRESS_BLD_NONINV_SYS", "mm[Hg]", "value:118"), winter.ms - 90'000));
}

TEST(Dialect, LocalKeepsItsZoneToItself) {
    Spoken local("local", "Europe/Paris");
    const auto text = local.message();
    const auto id = local.said().control_id;
    EXPECT_EQ(text, "MSH|^~\\&|MON0|WARD|||20261122111612||ORU^R01^ORU_R01|" + id +
                        "|P|2.6|||NE|AL||8859/1\n"
                        "PV1||I|ICU^bed-7^bed-7\n"
                        "OBR|1|" +
                        id + "^MON|" + id +
                        "^MON|182777000^monitoring of patient^SCT|||20261122111612\n"
                        "OBX|1|NM|147842^MDC_ECG_HEART_RATE^MDC||62.8|"
                        "/min^/min^UCUM^264864^MDC_DIM_BEAT_PER_MIN^MDC|||||R\n"
                        "OBX|2|NM|150033^MDC_PRESS_BLD_ART_SYS^MDC|||"
                        "kPa^kPa^UCUM^265987^MDC_DIM_KILO_PASCAL^MDC|||||X\n"
                        "OBX|3|NM|150021^MDC_PRESS_BLD_NONINV_SYS^MDC||15.7|"
                        "kPa^kPa^UCUM^265987^MDC_DIM_KILO_PASCAL^MDC|||||R\n");
    const auto promises = local.promises();
    EXPECT_EQ(promises[2].id, promises[0].id);
    EXPECT_EQ(promises[2].hash,
              digest(digest_head("MDC_PRESS_BLD_NONINV_SYS", "kPa", "value:15.7"), winter.ms - 345))
        << "to the second, as it was said";
}

TEST(Dialect, PrivateHasCodesOfItsOwnAndNoLastSegmentEnd) {
    Spoken own("private");
    const auto text = own.message();
    const auto id = own.said().control_id;
    EXPECT_EQ(text, "MSH|^~ &|MON0|WARD|||20261122101612||ORU^R01|" + id +
                        "|P|2.3.1\n"
                        "PV1||I|ICU^bed-7^bed-7\n"
                        "OBR|1|" +
                        id + "^MON|" + id +
                        "^MON|VITALS^VITALS^99MON|||20261122101612\n"
                        "OBX|1|NM|4101^HR^99MON||62.8|bpm|||||R\n"
                        "OBX|2|NM|4201^ART_S^99MON||0|mmHg|||||R\n"
                        "OBX|3|NM|4501^NIBP_S^99MON||118|mmHg|||||R");
}

TEST(Dialect, QueriedWritesMinusHundredForNothing) {
    Spoken queried("queried");
    const auto text = queried.message();
    EXPECT_NE(text.find("\nOBX|2|NM|4201^ART_S^99MON||-100|mmHg|||||R|||20261122101612+0000\n"),
              std::string::npos)
        << text;
    EXPECT_EQ(queried.promises()[1].hash,
              digest(digest_head("MDC_PRESS_BLD_ART_SYS", "mm[Hg]", "absent:not-measured"),
                     winter.ms - 345));
}

TEST(Dialect, WavesHaveRateAndScaleBesideThem) {
    Spoken pcd("pcd");
    const auto text = pcd.message(Lane::waves);
    EXPECT_NE(text.find("|||20261122101612.329+0000|20261122101612.345+0000\n"
                        "OBX|1|NA|131330^MDC_ECG_ELEC_POTL_II^MDC|1.1.1.2|-26^13^5^7|"
                        "266418^MDC_DIM_MILLI_VOLT^MDC|||||R|||20261122101612.329+0000||||"),
              std::string::npos)
        << text;
    EXPECT_NE(text.find("\nOBX|2|NM|0^MDC_ATTR_SAMP_RATE^MDC|1.1.1.2.1|250|"
                        "264608^MDC_DIM_PER_SEC^MDC|||||R|||20261122101612.329+0000||||"),
              std::string::npos);
    EXPECT_NE(text.find("\nOBX|3|NM|2327^MDC_ATTR_NU_MSMT_RES^MDC|1.1.1.2.2|0.000438|"),
              std::string::npos);
    const auto promises = pcd.promises();
    ASSERT_EQ(promises.size(), 3U);
    EXPECT_EQ(promises[1].index, 3);
    EXPECT_EQ(promises[0].hash,
              digest(digest_head("MDC_ECG_ELEC_POTL_II", "mV", "wave:250:0.000438:-26,13,5,7"),
                     winter.ms - 16))
        << "dated by the first sample: four at 250 Hz are 16 ms";
}

TEST(Dialect, NamesAreInTheLettersThatTheHeaderStates) {
    const auto family = [](std::string_view dialect) {
        return Spoken(dialect).monitor().person().family;
    };
    const auto beyond_ascii = [](unsigned char letter) { return letter >= 0x80; };
    EXPECT_TRUE(std::ranges::any_of(family("pcd"), beyond_ascii));
    EXPECT_GE(static_cast<unsigned char>(family("pcd").front()), 0xD0) << "Cyrillic in UTF-8";
    EXPECT_TRUE(std::ranges::any_of(family("local"), beyond_ascii));
    EXPECT_FALSE(std::ranges::any_of(family("private"), beyond_ascii));
}

TEST(Dialect, AWrongClockIsWrongInEveryTimeAndInThePromise) {
    Spoken late("pcd");
    late.plan().clock_offset = base::Milliseconds(-3'600'000);
    const auto text = late.message();
    EXPECT_EQ(text.find("20261122101612"), std::string::npos);
    EXPECT_NE(text.find("|20261122091612.345+0000|"), std::string::npos);
    EXPECT_EQ(
        late.promises()[0].hash,
        digest(digest_head("MDC_ECG_HEART_RATE", "/min", "value:62.8"), winter.ms - 3'600'000));
}

TEST(Dialect, BatchesEnvelopMessages) {
    Spoken own("private");
    auto& monitor = own.monitor();
    const auto one = monitor.say(Lane::vitals, winter);
    const auto two = monitor.say(Lane::vitals, winter);
    EXPECT_NE(one.control_id, two.control_id);
    EXPECT_EQ(monitor.batch({&one, &two}), "FHS|^~ &|MON0|WARD\rBHS|^~ &|MON0|WARD\r" + one.text +
                                               "\r" + two.text + "\rBTS|2\rFTS|1");
}

TEST(Dialect, ZonesThatNobodyKnowsAreRefused) {
    Spoken nowhere("pcd", "Europe/Atlantis");
    const Repertoire repertoire(*nowhere.plan().dialect, recording(), 0);
    EXPECT_FALSE(Monitor::create(nowhere.plan(), 1, 0, start, repertoire));
}

TEST(Kilopascal, HasOneDigitBehindThePoint) {
    EXPECT_EQ(to_kilopascal("118"), "15.7");
    EXPECT_EQ(to_kilopascal("120"), "16.0");
    EXPECT_EQ(to_kilopascal("62.8"), "8.4");
}

}  // namespace
}  // namespace mitral::bedside
