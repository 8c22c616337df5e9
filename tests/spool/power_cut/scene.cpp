#include "spool/power_cut/scene.hpp"

#include <filesystem>
#include <utility>

#include "spool/acknowledgement.hpp"
#include "spool/power_cut/prompt_watch.hpp"

namespace mitral::spool::test {

void PrintTo(const Scenario& scenario, std::ostream* out) {
    *out << scenario.name;
}

WriterOptions options_below(const std::string& root) {
    WriterOptions options;
    options.directory = root + "/lines";
    options.acknowledgement_directory = root + "/uplink";
    options.max_bytes = 1U << 20;
    options.segment_bytes = 4096;
    options.batch_bytes = 1500;
    return options;
}

Scene::Scene(std::string root) : options(options_below(root)), root_(std::move(root)) {
    std::filesystem::create_directories(options.acknowledgement_directory);
}

void Scene::record() {
    recorder_ = std::make_unique<Recorder>(root_);
}

Recording Scene::finish() {
    writer_.reset();
    restart_uplink();
    auto recording = recorder_->recording();
    recorder_.reset();
    return recording;
}

// What is promised before the recording begins stands at its first operation.
void Scene::note(Journal::Entry entry) {
    if (recorder_ && recorder_->killed())
        return;
    journal_.note(recorder_ ? recorder_->count() : 0, std::move(entry));
}

void Scene::open() {
    writer_.reset();
    group_.clear();
    if (auto writer = Writer::open(options, keys, clock))
        writer_ = *std::move(writer);
}

void Scene::append(Lane lane, std::size_t size) {
    if (!writer_)
        return;
    auto payload = "reading " + std::to_string(sent_.size()) + " ";
    payload.resize(std::max(payload.size(), size), '.');
    sent_.insert(payload);
    if (const auto id = writer_->append(lane, base::as_bytes(payload)))
        group_.push_back({lane, id->sequence, id->stream, std::move(payload)});
}

void Scene::note_committed() {
    for (auto& record : std::exchange(group_, {}))
        note([record = std::move(record)](Books& books) {
            auto& lane = books.of(record.lane);
            lane.stream = record.stream;
            lane.committed.insert_or_assign(record.sequence, record.payload);
        });
}

void Scene::commit() {
    if (!writer_)
        return;
    if (hasty_)
        note_committed();
    if (writer_->commit())
        note_committed();
    group_.clear();
}

void Scene::fill_to_the_bound(Lane lane, std::size_t size) {
    const auto used = [&] {
        std::uint64_t bytes = 0;
        for (const auto each : lanes_by_priority)
            bytes += writer_->usage(each).bytes;
        return bytes;
    };
    while (used() + header_size + size + frame_overhead <= options.max_bytes)
        put(lane, size);
}

void Scene::end_batches() {
    if (writer_ && writer_->end_batches())
        note_committed();
    group_.clear();
}

void Scene::maintain() {
    if (!writer_)
        return;
    (void)writer_->maintain();
    for (const auto lane : lanes_by_priority) {
        const auto known = writer_->usage(lane).acknowledged_sequence;
        note([lane, known](Books& books) {
            for (const auto& [number, record] : books.of(lane).shown)
                if (number <= known)
                    books.of(lane).settled.insert(number);
        });
    }
}

std::unique_ptr<LaneReader>& Scene::reader(Lane lane) {
    auto& reader = readers_.at(static_cast<std::size_t>(lane));
    if (!reader)
        reader = LaneReader::open(options.directory, lane,
                                  acknowledgement_path(options.acknowledgement_directory,
                                                       options.directory, lane),
                                  keys)
                     .value_or(nullptr);
    return reader;
}

void Scene::restart_uplink() {
    for (auto& reader : readers_)
        reader.reset();
}

void Scene::read(Lane lane) {
    tell_of_a_change(reader(lane)->wake_descriptor());
    for (;;) {
        auto record = reader(lane)->next();
        if (!record || !*record)
            return;
        note([lane, shown = **std::move(record)](Books& books) {
            books.of(lane).stream = shown.id.stream;
            books.of(lane).shown.insert_or_assign(shown.id.sequence, shown);
        });
    }
}

void Scene::acknowledge(Lane lane, std::uint64_t sequence) {
    reader(lane)->acknowledge(sequence);
    const auto position = reader(lane)->acknowledged();
    note([lane, position](Books& books) { books.of(lane).hub_acknowledged = position; });
}

void Scene::acknowledge_all(Lane lane) {
    if (writer_)
        acknowledge(lane, writer_->usage(lane).last_sequence);
}

void Scene::persist(Lane lane) {
    const auto position = reader(lane)->acknowledged();
    if (reader(lane)->persist())
        note([lane, position](Books& books) { books.of(lane).position = position; });
}

void Scene::may_drop() {
    note([](Books& books) { books.may_drop = true; });
}

}  // namespace mitral::spool::test
