#include "spool/support.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "base/crypto.hpp"
#include "base/errors.hpp"
#include "base/file.hpp"
#include "spool/acknowledgement.hpp"
#include "spool/errors.hpp"
#include "spool/lane_files.hpp"

namespace mitral::spool::test {

base::Secret FakeKeys::derive(base::ByteView wrapped) const {
    const auto digest = base::hmac_sha256(base::as_bytes(master_), wrapped);
    return base::Secret(base::ByteView(digest));
}

base::Result<SegmentKey> FakeKeys::new_segment_key() {
    if (away)
        return base::fail(base::BaseError::timed_out, "the vault is away");
    ++issued;
    SegmentKey key;
    key.wrapped.resize(48);
    base::fill_random(key.wrapped);
    key.key = derive(key.wrapped);
    wrapped_.push_back(key.wrapped);
    keys.insert(base::Bytes(key.key.view().begin(), key.key.view().end()));
    return key;
}

base::Result<base::Secret> FakeKeys::open_segment_key(base::ByteView wrapped) {
    if (away)
        return base::fail(base::BaseError::timed_out, "the vault is away");
    ++opened;
    const auto end = wrapped_.begin() + static_cast<std::ptrdiff_t>(void_before_);
    if (std::any_of(wrapped_.begin(), end,
                    [&](const auto& one) { return std::ranges::equal(one, wrapped); }))
        return base::fail(SpoolError::key_void, "wiped");
    return derive(wrapped);
}

base::Bytes file_content(const std::string& path) {
    return base::read_file(path, 1U << 30).value_or(base::Bytes{});
}

void set_file_content(const std::string& path, base::ByteView content) {
    auto fd = base::open_file(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    ASSERT_TRUE(fd);
    ASSERT_TRUE(base::write_all(fd->get(), content));
}

std::vector<std::string> segments_of(const std::string& lane_directory) {
    std::vector<std::string> paths;
    for (const auto first : list_segments(lane_directory).value_or(std::vector<std::uint64_t>{}))
        paths.push_back(lane_directory + "/" + segment_name(first));
    return paths;
}

void copy_tree(const std::string& from, const std::string& to) {
    std::filesystem::remove_all(to);
    std::filesystem::copy(from, to, std::filesystem::copy_options::recursive);
}

bool contains(base::ByteView hay, std::string_view needle) {
    return base::as_text(hay).find(needle) != std::string_view::npos;
}

std::string fast_directory() {
    return ::access("/dev/shm", W_OK) == 0 ? "/dev/shm"
                                           : std::filesystem::temp_directory_path().string();
}

std::unique_ptr<Writer> SpoolTest::open_writer() {
    auto writer = Writer::open(options, keys, clock);
    EXPECT_TRUE(writer) << why(writer);
    return writer ? *std::move(writer) : nullptr;
}

std::unique_ptr<LaneReader> SpoolTest::open_reader(Lane lane) {
    auto reader = LaneReader::open(options.directory, lane, ack_file(lane), keys);
    EXPECT_TRUE(reader) << why(reader);
    return reader ? *std::move(reader) : nullptr;
}

std::string SpoolTest::lane_directory(Lane lane) const {
    return lane_path(options.directory, lane);
}

std::string SpoolTest::ack_file(Lane lane) const {
    return acknowledgement_path(scratch.path(), options.directory, lane);
}

void SpoolTest::append(Writer& writer, std::string_view payload, Lane lane) {
    const auto id = writer.append(lane, base::as_bytes(payload));
    ASSERT_TRUE(id) << why(id);
}

void SpoolTest::append_and_commit(Writer& writer, std::string_view payload, Lane lane) {
    append(writer, payload, lane);
    const auto status = writer.commit();
    ASSERT_TRUE(status) << why(status);
}

std::vector<std::string> SpoolTest::Outcome::texts() const {
    std::vector<std::string> result;
    for (const auto& record : records)
        if (record.kind == RecordKind::data)
            result.emplace_back(base::as_text(record.payload));
    return result;
}

SpoolTest::Outcome SpoolTest::read_all(LaneReader& reader) {
    Outcome outcome;
    for (;;) {
        auto record = reader.next();
        if (!record) {
            outcome.error = record.error().code;
            outcome.message = record.error().message();
            return outcome;
        }
        if (!*record)
            return outcome;
        outcome.records.push_back(**std::move(record));
    }
}

}  // namespace mitral::spool::test
