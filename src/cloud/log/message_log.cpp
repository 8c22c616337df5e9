#include "cloud/log/message_log.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "base/file.hpp"
#include "base/log.hpp"
#include "cloud/log/checksum.hpp"
#include "cloud/log/lines.hpp"

namespace mitral::cloud::log {
namespace {

constexpr std::string_view suffix = ".ndjson";
constexpr std::size_t piece_size = 1024 * 1024;
constexpr std::size_t kept_batch_capacity = 1024 * 1024;

std::string segment_name(std::uint64_t first) {
    return fmt::format("{:020}{}", first, suffix);
}

std::optional<std::uint64_t> offset_of_name(std::string_view name) {
    if (!name.ends_with(suffix))
        return std::nullopt;
    name.remove_suffix(suffix.size());
    std::uint64_t first = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), first);
    if (error != std::errc() || end != name.data() + name.size() || name.size() != 20)
        return std::nullopt;
    return first;
}

}  // namespace

base::Result<MessageLog> MessageLog::open(LogOptions options) {
    MITRAL_CHECK(base::make_directory(options.directory, 0750));
    MessageLog log(std::move(options));
    MITRAL_CHECK(log.find_segments());
    if (log.segments_.empty())
        MITRAL_CHECK(log.start_segment(0));
    else
        MITRAL_CHECK(log.recover_last());
    return log;
}

base::Status MessageLog::find_segments() {
    MITRAL_TRY(const auto names, base::list_directory(options_.directory));
    for (const auto& name : names) {
        const auto first = offset_of_name(name);
        if (!first)
            continue;
        struct stat status{};
        const Segment segment{.first = *first};
        if (::stat(path_of(segment).c_str(), &status) != 0)
            return base::fail_errno("look at " + path_of(segment));
        segments_.push_back({*first, static_cast<std::uint64_t>(status.st_size)});
    }
    return {};
}

base::Status MessageLog::recover_last() {
    MITRAL_CHECK(open_last());
    const auto last = segments_.back();
    next_ = last.first;
    std::string torn;
    std::uint64_t whole = 0;  // up to and with the last line feed
    for (std::uint64_t position = 0; position < last.bytes;) {
        MITRAL_TRY(const auto text,
                   read_lines(file_.get(), position, last.bytes - position, piece_size));
        if (text.empty())
            break;
        position += text.size();
        torn = check_lines(text);
        if (torn.size() < text.size())
            whole = position - torn.size();
    }
    // Lines behind the last good one were acknowledged: their offsets are not given again.
    damage_->note(next_, next_ + bad_at_end_, path_of(last));
    next_ += bad_at_end_;
    if (whole < last.bytes)
        MITRAL_CHECK(mend_end(whole, torn));
    committed_ = next_;
    return {};
}

std::string_view MessageLog::check_lines(std::string_view text) {
    for (;;) {
        const auto size = text.find('\n');
        if (size == std::string_view::npos)
            return text;
        const auto offset = offset_of(text.substr(0, size));
        text.remove_prefix(size + 1);
        if (!offset || *offset < next_) {
            ++bad_at_end_;
            continue;
        }
        damage_->note(next_, *offset, path_of(segments_.back()));
        next_ = *offset + 1;
        bad_at_end_ = 0;
    }
}

base::Status MessageLog::mend_end(std::uint64_t whole, std::string_view torn) {
    Segment& last = segments_.back();
    const bool lacks_only_its_end = whole + torn.size() == last.bytes && !torn.empty() &&
                                    offset_of(torn.substr(0, torn.size() - 1)).has_value();
    if (lacks_only_its_end)
        whole = last.bytes - 1;
    base::log(base::Severity::notice, "message-log-repaired",
              {{"cut", last.bytes - whole}, {"segment", path_of(last)}});
    last.bytes = whole;
    if (::ftruncate(file_.get(), static_cast<off_t>(last.bytes)) != 0)
        return base::fail_errno("cut a torn line from " + path_of(last));
    if (!lacks_only_its_end)
        return {};
    ++last.bytes;
    ++next_;
    return base::write_all(file_.get(), base::as_bytes("\n"));
}

base::Status MessageLog::open_last() {
    MITRAL_TRY(file_,
               base::open_file(path_of(segments_.back()), O_RDWR | O_APPEND | O_CREAT, 0640));
    return {};
}

base::Status MessageLog::start_segment(std::uint64_t first) {
    segments_.push_back({first, 0});
    if (auto opened = open_last(); !opened) {
        segments_.pop_back();
        return opened;
    }
    drop_oldest();
    return base::sync_directory(options_.directory);
}

void MessageLog::drop_oldest() {
    while (options_.maximum_bytes != 0 && segments_.size() > 1 &&
           bytes() > options_.maximum_bytes) {
        base::log(base::Severity::notice, "message-log-segment-dropped",
                  {{"segment", path_of(segments_.front())}});
        (void)::unlink(path_of(segments_.front()).c_str());
        segments_.erase(segments_.begin());
    }
}

std::uint64_t MessageLog::append(const Entry& entry) {
    append_line(batch_, next_, entry);
    return next_++;
}

base::Status MessageLog::commit() {
    if (batch_.empty())
        return {};
    if (segments_.back().bytes >= options_.segment_bytes)
        if (auto started = start_segment(committed_); !started) {
            take_back(started.error());
            return started;
        }
    if (auto written = base::write_all(file_.get(), base::as_bytes(batch_)); !written) {
        take_back(written.error());
        return base::fail_with("write the message log " + path_of(segments_.back()),
                               written.error());
    }
    segments_.back().bytes += batch_.size();
    committed_ = next_;
    batch_.clear();
    if (batch_.capacity() > kept_batch_capacity)
        std::string().swap(batch_);
    return {};
}

void MessageLog::take_back(const base::Error& cause) {
    base::log(base::Severity::error, "message-log-write-failed", {{"cause", cause.message()}});
    // A part of the batch may be in the file: cut it off, or the next line would be glued to it.
    if (::ftruncate(file_.get(), static_cast<off_t>(segments_.back().bytes)) != 0)
        base::log(base::Severity::critical, "message-log-torn",
                  {{"segment", path_of(segments_.back())}});
    batch_.clear();
    next_ = committed_;
}

std::uint64_t MessageLog::bytes() const noexcept {
    std::uint64_t sum = 0;
    for (const auto& segment : segments_)
        sum += segment.bytes;
    return sum;
}

std::string MessageLog::path_of(const Segment& segment) const {
    return options_.directory + "/" + segment_name(segment.first);
}

}  // namespace mitral::cloud::log
