#include "spool/power_cut/aftermath.hpp"

#include <array>
#include <filesystem>

#include "spool/acknowledgement.hpp"
#include "spool/lane_files.hpp"
#include "spool/power_cut/prompt_watch.hpp"
#include "spool/power_cut/scene.hpp"

namespace mitral::spool::test {
namespace {

void read_to_the_end(LaneReader& reader, Found& found) {
    tell_of_a_change(reader.wake_descriptor());
    while (found.error.empty()) {
        auto record = reader.next();
        if (!record)
            found.error = record.error().message();
        else if (!*record)
            return;
        else
            found.records.push_back(**std::move(record));
    }
}

void join(std::vector<std::string>& into, std::vector<std::string> more, const std::string& who) {
    for (auto& line : more)
        into.push_back(who + ": " + std::move(line));
}

}  // namespace

Aftermath::Aftermath(WriterOptions options, FakeKeys& keys, const base::Clock& clock,
                     std::string root)
    : options_(std::move(options)), keys_(keys), clock_(clock), root_(std::move(root)) {
    const auto places = options_below(root_);
    options_.directory = places.directory;
    options_.acknowledgement_directory = places.acknowledgement_directory;
    std::filesystem::create_directories(root_);
}

std::string Aftermath::probe(Lane lane) {
    return "after the cut, in " + std::string(to_string(lane));
}

// An uplink starts: with the position that its file holds.
Found Aftermath::begin(Lane lane, std::unique_ptr<LaneReader>& reader) {
    Found found;
    const auto file =
        acknowledgement_path(options_.acknowledgement_directory, options_.directory, lane);
    if (const auto position = read_acknowledgement(file); !position)
        found.error = position.error().message();
    else if (*position)
        found.position = (*position)->sequence;
    auto opened = LaneReader::open(options_.directory, lane, file, keys_);
    if (!opened) {
        found.error = opened.error().message();
        return found;
    }
    reader = *std::move(opened);
    read_to_the_end(*reader, found);
    if (found.error.empty() && reader->acknowledged() != found.position &&
        read_stream(lane_path(options_.directory, lane)))
        found.error = "the position is not believed";
    return found;
}

std::vector<std::string> Aftermath::begin_writing(Writer& writer) {
    std::vector<std::string> broken;
    for (const auto lane : lanes_by_priority)
        if (const auto id = writer.append(lane, base::as_bytes(probe(lane))); !id)
            broken.push_back("no reading is taken: " + id.error().message());
    if (const auto committed = writer.commit(); !committed)
        broken.push_back("no commit: " + committed.error().message());
    if (writer.usage(Lane::alerts).bytes + writer.usage(Lane::vitals).bytes +
            writer.usage(Lane::waves).bytes >
        options_.max_bytes + options_.segment_bytes)
        broken.emplace_back("beyond the bound");
    return broken;
}

std::vector<std::string> Aftermath::check(const Image& disk, const Books& books,
                                          const std::set<std::string>& sent) {
    disk.put(root_);
    std::vector<std::string> broken;
    std::array<std::unique_ptr<LaneReader>, lanes_by_priority.size()> early;
    std::array<Found, lanes_by_priority.size()> found;
    for (const auto lane : lanes_by_priority) {
        const auto index = static_cast<std::size_t>(lane);
        found.at(index) = begin(lane, early.at(index));
        found.at(index).in_one_go = false;
    }
    auto writer = Writer::open(options_, keys_, clock_);
    if (!writer)
        return {"no recovery: " + writer.error().message()};
    broken = begin_writing(**writer);
    for (const auto lane : lanes_by_priority) {
        const auto index = static_cast<std::size_t>(lane);
        if (early.at(index))
            read_to_the_end(*early.at(index), found.at(index));
        found.at(index).last = (*writer)->usage(lane).last_sequence;
        join(broken, broken_promises(lane, books, found.at(index), sent),
             "an uplink that was first");
        std::unique_ptr<LaneReader> late;
        auto again = begin(lane, late);
        again.last = found.at(index).last;
        join(broken, broken_promises(lane, books, again, sent), "an uplink that came later");
        if (again.records.size() > 1 && !again.records.rbegin()[1].ends_batch)
            broken.push_back(std::string(to_string(lane)) + ": an old batch takes the new record");
        if (again.records.empty() || again.records.back().payload != base::to_bytes(probe(lane)))
            broken.push_back(std::string(to_string(lane)) + ": the new record is not delivered");
    }
    return broken;
}

Aftermath::Again Aftermath::recover(const Image& disk) {
    disk.put(root_);
    Again again;
    Recorder recorder(root_);
    auto writer = Writer::open(options_, keys_, clock_);
    if (!writer)
        return {recorder.recording(), {}};
    std::array<RecordId, lanes_by_priority.size()> ids;
    for (const auto lane : lanes_by_priority)
        if (const auto id = (*writer)->append(lane, base::as_bytes(probe(lane))))
            ids.at(static_cast<std::size_t>(lane)) = *id;
    if ((*writer)->commit())
        again.journal.note(recorder.count(), [ids](Books& books) {
            for (const auto lane : lanes_by_priority) {
                const auto id = ids.at(static_cast<std::size_t>(lane));
                books.of(lane).stream = id.stream;
                books.of(lane).committed.insert_or_assign(id.sequence, probe(lane));
            }
        });
    again.recording = recorder.recording();
    return again;
}

}  // namespace mitral::spool::test
