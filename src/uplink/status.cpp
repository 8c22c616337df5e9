#include "uplink/status.hpp"

#include <fmt/format.h>

#include <iterator>

namespace mitral::uplink {
namespace {

// Flat text with a handful of fields: a writer of a few lines does it, and cannot fail.
class JsonLine {
  public:
    void text(std::string_view key, std::string_view value) {
        name(key);
        out_.push_back('"');
        for (const char c : value) {
            const auto byte = static_cast<unsigned char>(c);
            if (c == '"' || c == '\\')
                out_.append({'\\', c});
            else if (byte < 0x20 || byte >= 0x7F)  // error texts may quote foreign bytes
                fmt::format_to(std::back_inserter(out_), "\\u{:04x}", byte);
            else
                out_.push_back(c);
        }
        out_.push_back('"');
    }
    void time(std::string_view key, base::WallTime value) {
        if (value.ms != 0)
            return text(key, base::to_iso8601(value));
        name(key);
        out_.append("null");
    }
    template <typename Number>
    void number(std::string_view key, Number value) {
        name(key);
        fmt::format_to(std::back_inserter(out_), "{}", value);
    }
    void open(std::string_view key, char bracket) {
        if (!key.empty())
            name(key);
        else
            separate();
        out_.push_back(bracket);
    }
    void close(char bracket) { out_.push_back(bracket); }
    std::string take() { return std::move(out_); }

  private:
    void separate() {
        if (!out_.empty() && out_.back() != '{' && out_.back() != '[')
            out_.push_back(',');
    }
    void name(std::string_view key) {
        separate();
        out_.append("\"").append(key).append("\":");
    }
    std::string out_;
};

void write_lane(JsonLine& json, const LaneStatus& lane) {
    json.open("", '{');
    json.text("spool", lane.name.writer);
    json.text("lane", spool::to_string(lane.name.lane));
    json.number("messages", lane.counters.messages);
    json.number("records", lane.counters.records);
    json.number("gaps", lane.counters.gaps);
    json.number("unreadable", lane.counters.unreadable);
    json.number("acknowledged", lane.position);
    json.number("backlog", lane.backlog);
    json.number("live_backlog", lane.live_backlog);
    json.number("parts", lane.parts);
    json.text("trouble", lane.trouble);
    json.close('}');
}

}  // namespace

std::string to_json(const StatusReport& report, const Histogram& puback_latency,
                    base::WallTime now) {
    JsonLine json;
    json.open("", '{');
    json.text("schema", "mitral.uplink-status/1");
    json.time("updated", now);
    json.text("state", report.state);
    json.number("connected", report.connected_since.ms != 0);
    json.time("connected_since", report.connected_since);
    json.text("hub", report.hub);
    json.text("device_id", report.device_id);
    json.open("tls", '{');
    json.text("version", report.tls_version);
    json.text("cipher", report.tls_cipher);
    json.close('}');
    json.number("in_flight", report.in_flight);
    std::uint64_t queued = 0;
    std::uint64_t live_queued = 0;
    for (const LaneStatus& lane : report.lanes) {
        queued += lane.backlog;
        live_queued += lane.live_backlog;
    }
    json.number("queued", queued);
    json.number("live_queued", live_queued);
    json.open("token", '{');
    json.time("issued", report.token_issued);
    json.time("expires", report.token_expires);
    json.close('}');
    json.number("token_age_s", report.token_issued.ms == 0 || now.ms == 0
                                   ? 0
                                   : (now.ms - report.token_issued.ms) / 1000);
    json.number("renewals", report.renewals);
    json.number("connections", report.connections);
    json.number("failures", report.failures);
    json.number("consecutive_failures", report.consecutive_failures);
    json.number("security_events", report.security_events);
    json.open("checkpoints", '{');
    json.number("acknowledged", report.checkpoints);
    json.text("trouble", report.checkpoint_trouble);
    json.close('}');
    json.open("puback_ms", '{');
    json.number("count", puback_latency.count());
    json.number("p50", static_cast<double>(puback_latency.quantile(0.5)) / 1000.0);
    json.number("p99", static_cast<double>(puback_latency.quantile(0.99)) / 1000.0);
    json.close('}');
    json.open("last_error", '{');
    json.time("at", report.last_error_at);
    json.text("text", report.last_error);
    json.close('}');
    json.open("lanes", '[');
    for (const LaneStatus& lane : report.lanes)
        write_lane(json, lane);
    json.close(']');
    json.close('}');
    return json.take() + "\n";
}

}  // namespace mitral::uplink
