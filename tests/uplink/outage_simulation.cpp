#include "outage_simulation.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "fake_reader.hpp"
#include "spool/acknowledgement.hpp"

namespace mitral::uplink::test {
namespace {

constexpr std::int64_t step_ms = 10;
constexpr std::int64_t puback_after_ms = 100;
constexpr std::size_t window = 100;
constexpr std::uint64_t metered_bytes = 4096;

std::string message_id(const std::string& bag) {
    const auto begin = bag.find("mid=") + 4;
    return bag.substr(begin, bag.find('&', begin) - begin);
}

}  // namespace

OutageSimulation::OutageSimulation(const std::string& directory, OutageOptions options)
    : options_(options), directory_(directory), loop_(*base::EventLoop::create()) {
    spool::WriterOptions writer;
    writer.directory = directory_ + "/lines";
    writer.max_bytes = options_.max_bytes;
    writer.segment_bytes = options_.segment_bytes;
    writer.batch_bytes = 0;
    writer.acknowledgement_directory = directory_;
    writer_ = *spool::Writer::open(writer, keys_, clock_);
    make_feeds();
}

void OutageSimulation::make_feeds() {
    feeds_ = std::make_unique<Feeds>(
        *loop_, clock_, options_.max_messages_per_s, [] {}, options_.far_behind);
    for (const spool::Lane lane : spool::lanes_by_priority) {
        const std::string spool = directory_ + "/lines";
        const std::string position = spool::acknowledgement_path(directory_, spool, lane);
        feeds_->add({"lines", lane}, [this, spool, lane, position] {
            return spool::LaneReader::open(spool, lane, position, keys_);
        });
    }
}

void OutageSimulation::write(spool::Lane lane) {
    const auto number = writer_->usage(lane).last_sequence + 1;
    const auto id = writer_->append(lane, mitral::test::reading_record("bed-1", number));
    ASSERT_TRUE(id);
    ASSERT_TRUE(writer_->commit());
    written_at_[{lane, id->sequence}] = elapsed_ms_;
}

void OutageSimulation::write_what_is_due() {
    if (!writing_)
        return;
    const auto due = [this](base::Milliseconds interval) {
        return elapsed_ms_ / interval.count() != (elapsed_ms_ - step_ms) / interval.count();
    };
    if (due(options_.vitals_interval))
        write(spool::Lane::vitals);
    if (due(options_.waves_interval))
        write(spool::Lane::waves);
    if (due(base::Milliseconds(1'000))) {
        ASSERT_TRUE(writer_->maintain());
        std::uint64_t bytes = 0;
        for (const auto& entry :
             std::filesystem::recursive_directory_iterator(directory_ + "/lines"))
            bytes += entry.is_regular_file() ? entry.file_size() : 0;
        most_bytes_ = std::max(most_bytes_, bytes);
    }
}

void OutageSimulation::raise_alert() {
    write(spool::Lane::alerts);
}

void OutageSimulation::stop_writing() {
    writing_ = false;
}

void OutageSimulation::note(const Outgoing& message) {
    const std::string id = message_id(message.bag);
    const auto lane = id.find("-alerts-") != std::string::npos   ? spool::Lane::alerts
                      : id.find("-vitals-") != std::string::npos ? spool::Lane::vitals
                                                                 : spool::Lane::waves;
    const bool gap = message.bag.find("mitral.gap") != std::string::npos;
    if (gap) {
        const auto body = nlohmann::json::parse(base::as_text(message.body));
        for (auto n = body["first"].get<std::uint64_t>(); n <= body["last"]; ++n)
            gaps_[static_cast<std::size_t>(lane)].insert(n);
    }
    sent_.push_back({lane, std::stoull(id.substr(id.rfind('-') + 1)), gap, now()});
    units_ += (message.body.size() + message.bag.size() + metered_bytes - 1) / metered_bytes;
    last_second_.push_back(elapsed_ms_);
    while (last_second_.front() <= elapsed_ms_ - 1'000)
        last_second_.pop_front();
    busiest_second_ = std::max(busiest_second_, last_second_.size());
}

void OutageSimulation::publish() {
    while (connected_ && in_flight_.size() < window) {
        const auto choice = feeds_->next();
        if (!choice)
            return;
        note(*choice->message);
        in_flight_.push_back({choice->feed, feeds_->batch_of(choice->feed),
                              elapsed_ms_ + puback_after_ms, sent_.size() - 1});
        feeds_->pop(choice->feed);
    }
}

void OutageSimulation::acknowledge() {
    while (!in_flight_.empty() && in_flight_.front().due_ms <= elapsed_ms_) {
        feeds_->acknowledged(in_flight_.front().feed, in_flight_.front().batch);
        in_flight_.pop_front();
    }
    if (elapsed_ms_ % 200 == 0)
        feeds_->persist();
}

void OutageSimulation::run(base::Milliseconds duration) {
    const std::int64_t end = elapsed_ms_ + duration.count();
    while (elapsed_ms_ < end) {
        elapsed_ms_ += step_ms;
        clock_.advance(base::Milliseconds(step_ms));
        write_what_is_due();
        if (!connected_)
            continue;
        (void)loop_->run_once(base::Milliseconds(0));
        acknowledge();
        publish();
    }
}

void OutageSimulation::lose_what_is_in_flight() {
    for (const InFlight& one : in_flight_)
        sent_[one.sent].lost = true;
    in_flight_.clear();
}

void OutageSimulation::hub_goes() {
    connected_ = false;
    lose_what_is_in_flight();
    feeds_->rewind();
}

void OutageSimulation::hub_comes() {
    connected_ = true;
    feeds_->put_live_first();
}

void OutageSimulation::kill_uplink() {
    lose_what_is_in_flight();
    make_feeds();
    if (connected_)
        feeds_->put_live_first();
}

std::uint64_t OutageSimulation::queued() {
    std::uint64_t sum = 0;
    for (const auto& lane : feeds_->status())
        sum += lane.backlog;
    return sum;
}

base::Milliseconds OutageSimulation::worst_latency(spool::Lane lane,
                                                   base::Milliseconds since) const {
    std::int64_t worst = 0;
    std::set<std::uint64_t> seen;
    for (const Sent& one : sent_) {
        const auto written = written_at_.find({one.lane, one.sequence});
        if (one.lane != lane || one.lost || written == written_at_.end() ||
            written->second < since.count() || !seen.insert(one.sequence).second)
            continue;
        worst = std::max(worst, one.at.count() - written->second);
    }
    return base::Milliseconds(worst);
}

OutageSimulation::Account OutageSimulation::account(spool::Lane lane) const {
    Account account;
    std::set<std::uint64_t> delivered;
    for (const Sent& one : sent_)
        if (one.lane == lane && !one.lost && !delivered.insert(one.sequence).second)
            ++account.repeated;
    const auto& gaps = gaps_[static_cast<std::size_t>(lane)];
    account.delivered = delivered.size();
    account.in_gaps = gaps.size();
    for (std::uint64_t n = 1; n <= writer_->usage(lane).last_sequence; ++n) {
        const int times = (delivered.contains(n) ? 1 : 0) + (gaps.contains(n) ? 1 : 0);
        account.both += times == 2 ? 1 : 0;
        account.missing += times == 0 ? 1 : 0;
    }
    return account;
}

}  // namespace mitral::uplink::test
