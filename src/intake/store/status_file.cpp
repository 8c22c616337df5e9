#include "intake/store/status_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/bytes.hpp"
#include "base/file.hpp"
#include "base/log.hpp"

namespace mitral::intake {

std::string describe_lanes(const spool::Writer& writer) {
    std::string text = "{";
    const char* separator = "";
    for (const auto lane : spool::lanes_by_priority) {
        const auto usage = writer.usage(lane);
        const auto queued =
            usage.last_sequence - std::min(usage.last_sequence, usage.acknowledged_sequence);
        text += fmt::format(R"({}"{}":{{"bytes":{},"last_sequence":{},"acknowledged_sequence":{},)"
                            R"("queued":{},"dropped_records":{}}})",
                            separator, spool::to_string(lane), usage.bytes, usage.last_sequence,
                            usage.acknowledged_sequence, queued, usage.dropped_records);
        separator = ",";
    }
    return text + "}";
}

StatusFile::StatusFile(base::EventLoop& loop, const base::Clock& clock, std::string path,
                       std::function<std::string()> render)
    : loop_(loop), clock_(clock), path_(std::move(path)), render_(std::move(render)) {}

StatusFile::~StatusFile() {
    if (timer_)
        loop_.cancel(*timer_);
}

void StatusFile::changed() {
    if (path_.empty() || timer_)
        return;
    const auto since = written_ ? clock_.monotonic() - *written_ : interval;
    if (since >= interval)
        return write_now();
    timer_ = loop_.after(interval - since, [this] {
        timer_.reset();
        write_now();
    });
}

void StatusFile::write_now() {
    if (path_.empty())
        return;
    written_ = clock_.monotonic();
    const auto text = render_();
    const auto replaced = base::replace_passing_file(path_, base::as_bytes(text), 0644);
    if (!replaced && !std::exchange(failing_, true))
        base::log(base::Severity::warning, "status-not-written",
                  {{"reason", replaced.error().message()}});
    failing_ = !replaced;
}

}  // namespace mitral::intake
