// What a gateway does in its life, each with few operations: every one of them multiplies the
// states.
#include <cerrno>

#include "spool/power_cut/scene.hpp"

namespace mitral::spool::test {
namespace {

using Kind = Operation::Kind;
using base::Milliseconds;

constexpr Milliseconds longer_than_a_batch{10'001};
constexpr Milliseconds longer_than_a_holdoff{3'000};
constexpr std::size_t small = 40;
constexpr std::size_t over_sectors = 900;

void nothing(Scene&) {}

void open(Scene& scene) {
    scene.open();
}

void first_light(Scene& scene) {
    scene.open();
    scene.put(Lane::vitals, small);
    scene.read(Lane::vitals);
    scene.acknowledge(Lane::vitals, 1);
    scene.persist(Lane::vitals);
    scene.put(Lane::vitals, small);
}

void groups_over_lanes(Scene& scene) {
    for (int i = 0; i < 3; ++i) {
        scene.append(Lane::vitals, small);
        scene.append(Lane::waves, over_sectors);
        scene.append(Lane::vitals, over_sectors);
        scene.commit();
        scene.read(Lane::waves);
    }
    scene.put(Lane::alerts, small);
    scene.read(Lane::vitals);
    scene.end_batches();
}

void segments(Scene& scene) {
    for (int i = 0; i < 8; ++i)
        scene.put(Lane::vitals, over_sectors);
    scene.read(Lane::vitals);
    scene.put(Lane::vitals, small);
}

void fill(Scene& scene, Lane lane, int records) {
    scene.open();
    for (int i = 0; i < records; ++i)
        scene.put(lane, over_sectors);
}

void fill_segments(Scene& scene) {
    fill(scene, Lane::vitals, 12);
}

void trimming(Scene& scene) {
    scene.read(Lane::vitals);
    scene.acknowledge(Lane::vitals, 5);
    scene.persist(Lane::vitals);
    scene.maintain();
    scene.put(Lane::vitals, small);
    scene.acknowledge(Lane::vitals, 12);
    scene.persist(Lane::vitals);
    scene.maintain();
    scene.put(Lane::vitals, small);
    scene.read(Lane::vitals);
}

// The writer sees the position before its name is durable.
void trimming_in_haste(Scene& scene) {
    scene.read(Lane::vitals);
    scene.acknowledge_all(Lane::vitals);
    scene.recorder().fail(Kind::sync, EIO, 1, 1);
    scene.persist(Lane::vitals);
    scene.maintain();
    scene.put(Lane::vitals, small);
}

void trimming_after_a_restart(Scene& scene) {
    scene.open();
    scene.read(Lane::vitals);
    scene.acknowledge_all(Lane::vitals);
    scene.persist(Lane::vitals);
    scene.maintain();
    scene.restart_uplink();
    scene.put(Lane::vitals, small);
    scene.maintain();
    scene.read(Lane::vitals);
}

void fill_unread(Scene& scene) {
    scene.options.max_bytes = 64 * 1024;
    scene.may_drop();
    scene.open();
    scene.fill_to_the_bound(Lane::waves, over_sectors);
}

void fill_to_the_bound(Scene& scene) {
    fill_unread(scene);
    scene.read(Lane::waves);
    scene.acknowledge(Lane::waves, 4);
    scene.persist(Lane::waves);
    scene.maintain();
    scene.fill_to_the_bound(Lane::waves, over_sectors);
}

void bound(Scene& scene) {
    for (int i = 0; i < 4; ++i)
        scene.put(Lane::vitals, over_sectors);
    scene.put(Lane::waves, small);
    scene.read(Lane::waves);
}

void bound_and_restart(Scene& scene) {
    for (int i = 0; i < 4; ++i)
        scene.put(Lane::vitals, over_sectors);
    scene.open();
    scene.put(Lane::waves, small);
    scene.open();
    scene.maintain();
    scene.read(Lane::waves);
}

// A reader sees the mark and jumps; the mark is not durable; then there is room without it.
void failed_sync_of(Scene& scene, int mark) {
    scene.recorder().fail(Kind::sync, EIO, 1, mark);
    scene.append(Lane::vitals, 4 * over_sectors);
    scene.read(Lane::waves);
    scene.acknowledge_all(Lane::waves);
    scene.persist(Lane::waves);
    scene.commit();
    scene.maintain();
    scene.put(Lane::vitals, over_sectors);
    scene.put(Lane::waves, small);
    scene.read(Lane::waves);
}

void failed_mark(Scene& scene) {
    failed_sync_of(scene, 0);
}

void failed_second_mark(Scene& scene) {
    failed_sync_of(scene, 1);
}

// The gap records of one bound have to go at the next.
void fill_over_and_over(Scene& scene) {
    fill_to_the_bound(scene);
    for (int i = 0; i < 60; ++i)
        scene.put(Lane::waves, over_sectors);
}

void gaps_of_gaps(Scene& scene) {
    for (int i = 0; i < 12; ++i)
        scene.put(Lane::waves, over_sectors);
    scene.read(Lane::waves);
}

void failed(Scene& scene, Kind kind, int error_number) {
    scene.put(Lane::vitals, small);
    scene.read(Lane::vitals);
    scene.append(Lane::vitals, over_sectors);
    scene.append(Lane::waves, small);
    scene.recorder().fail(kind, error_number);
    scene.commit();
    scene.read(Lane::vitals);
    scene.wait(longer_than_a_holdoff);
    scene.put(Lane::vitals, small);
    scene.read(Lane::vitals);
}

void failed_write(Scene& scene) {
    failed(scene, Kind::write, EIO);
}

void failed_sync(Scene& scene) {
    failed(scene, Kind::sync, EIO);
}

void failed_repair(Scene& scene) {
    scene.recorder().fail(Kind::truncate, EIO, 2);
    failed(scene, Kind::sync, EIO);
    scene.open();
    scene.put(Lane::vitals, small);
}

// Nothing can be repaired, and the process starts anew: the records of the failed group are in the
// page cache only.
void restart_after_a_failed_sync(Scene& scene) {
    scene.put(Lane::vitals, small);
    scene.append(Lane::vitals, over_sectors);
    scene.recorder().fail(Kind::truncate, EIO, 1);
    scene.recorder().fail(Kind::sync, EIO, 1);
    scene.commit();
    scene.open();
    scene.read(Lane::vitals);
    scene.put(Lane::vitals, small);
    scene.read(Lane::vitals);
}

void full_disk(Scene& scene) {
    scene.may_drop();
    scene.append(Lane::vitals, small);
    scene.recorder().fail(Kind::write, ENOSPC);
    scene.commit();
    scene.wait(longer_than_a_holdoff);
    scene.put(Lane::vitals, small);
    scene.read(Lane::vitals);
}

void restarts(Scene& scene) {
    scene.put(Lane::vitals, small);
    scene.append(Lane::vitals, over_sectors);
    scene.open();
    scene.read(Lane::vitals);
    scene.put(Lane::vitals, small);
    scene.open();
    scene.maintain();
    scene.open();
    scene.put(Lane::waves, small);
    scene.read(Lane::vitals);
}

void batches(Scene& scene) {
    scene.put(Lane::vitals, small);
    scene.read(Lane::vitals);
    scene.wait(longer_than_a_batch);
    scene.maintain();
    scene.read(Lane::vitals);
    scene.put(Lane::vitals, small);
    scene.put(Lane::vitals, 2 * over_sectors);
    scene.put(Lane::waves, small);
    scene.end_batches();
    scene.read(Lane::vitals);
    scene.read(Lane::waves);
}

void vault_away(Scene& scene) {
    scene.put(Lane::vitals, small);
    scene.keys.away = true;
    for (int i = 0; i < 6; ++i)
        scene.put(Lane::vitals, over_sectors);
    scene.put(Lane::waves, small);
    scene.keys.away = false;
    scene.wait(longer_than_a_batch);
    scene.put(Lane::vitals, small);
    scene.read(Lane::vitals);
}

void uplink_positions(Scene& scene) {
    for (const auto lane : {Lane::alerts, Lane::vitals}) {
        for (int i = 0; i < 3; ++i)
            scene.put(lane, small);
        scene.read(lane);
        scene.acknowledge(lane, 1);
        scene.persist(lane);
        scene.acknowledge(lane, 2);
        scene.persist(lane);
        scene.restart_uplink();
        scene.read(lane);
        scene.acknowledge_all(lane);
        scene.persist(lane);
    }
}

}  // namespace

const std::vector<Scenario>& scenarios() {
    static const std::vector<Scenario> all{
        {"FirstLight", nothing, first_light},
        {"GroupsOverLanes", open, groups_over_lanes},
        {"Segments", open, segments},
        {"Trimming", fill_segments, trimming},
        {"TrimmingInHaste", fill_segments, trimming_in_haste},
        {"TrimmingAfterARestart", fill_segments, trimming_after_a_restart},
        {"Bound", fill_to_the_bound, bound},
        {"BoundAndRestart", fill_to_the_bound, bound_and_restart},
        {"FailedMark", fill_unread, failed_mark},
        {"FailedSecondMark", fill_unread, failed_second_mark},
        {"GapsOfGaps", fill_over_and_over, gaps_of_gaps},
        {"FailedWrite", open, failed_write},
        {"FailedSync", open, failed_sync},
        {"FailedRepair", open, failed_repair},
        {"RestartAfterAFailedSync", open, restart_after_a_failed_sync},
        {"FullDisk", fill_segments, full_disk},
        {"Restarts", open, restarts},
        {"Batches", open, batches},
        {"VaultAway", open, vault_away},
        {"UplinkPositions", open, uplink_positions},
    };
    return all;
}

}  // namespace mitral::spool::test
