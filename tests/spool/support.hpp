// What the spool's tests share: keys without a vault, a spool in a scratch directory, and helpers
// to read a lane.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "spool/keys.hpp"
#include "spool/reader.hpp"
#include "spool/segment_format.hpp"
#include "spool/writer.hpp"
#include "support/temporary_directory.hpp"

namespace mitral::spool::test {

// Derives each segment's key from a master key and the random wrapping, so that two processes
// agree.
class FakeKeys final : public KeyIssuer, public KeyOpener {
  public:
    explicit FakeKeys(std::string_view master = "one") : master_(master) {}

    base::Result<SegmentKey> new_segment_key() override;
    base::Result<base::Secret> open_segment_key(base::ByteView wrapped) override;

    // What a wipe does: no key of before opens any more, new ones do.
    void wipe() { void_before_ = wrapped_.size(); }

    bool away = false;
    int issued = 0;
    int opened = 0;
    std::set<base::Bytes> keys;  // all that were issued

  private:
    [[nodiscard]] base::Secret derive(base::ByteView wrapped) const;
    std::vector<base::Bytes> wrapped_;  // in the order they were issued
    std::size_t void_before_ = 0;
    std::string master_;
};

// The text of a Status or Result, for failure messages.
template <typename R>
std::string why(const R& result) {
    return result ? std::string("ok") : result.error().message();
}

[[nodiscard]] base::Bytes file_content(const std::string& path);
void set_file_content(const std::string& path, base::ByteView content);
[[nodiscard]] std::vector<std::string> segments_of(
    const std::string& lane_directory);  // full paths
void copy_tree(const std::string& from, const std::string& to);
[[nodiscard]] bool contains(base::ByteView hay, std::string_view needle);

// In memory where there is such a place: these tests sync thousands of times.
[[nodiscard]] std::string fast_directory();

// A spool in a scratch directory with a manual clock.
class SpoolTest : public ::testing::Test {
  protected:
    [[nodiscard]] std::unique_ptr<Writer> open_writer();
    [[nodiscard]] std::unique_ptr<LaneReader> open_reader(Lane lane = Lane::vitals);
    [[nodiscard]] std::string lane_directory(Lane lane = Lane::vitals) const;
    [[nodiscard]] std::string ack_file(Lane lane = Lane::vitals) const;

    void append(Writer& writer, std::string_view payload, Lane lane = Lane::vitals);
    void append_and_commit(Writer& writer, std::string_view payload, Lane lane = Lane::vitals);

    struct Outcome {
        std::vector<Record> records;
        std::error_code error;  // what ended the reading, unset: the end
        std::string message;
        [[nodiscard]] std::vector<std::string> texts() const;  // of data records
    };
    [[nodiscard]] static Outcome read_all(LaneReader& reader);

    mitral::test::TemporaryDirectory scratch{fast_directory()};
    FakeKeys keys;
    base::ManualClock clock{base::WallTime{1'767'225'600'000}};
    WriterOptions options{.directory = scratch.path() + "/lines",
                          .acknowledgement_directory = scratch.path()};
};

}  // namespace mitral::spool::test
