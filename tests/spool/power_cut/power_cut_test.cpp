// I4: the power goes between any two system calls, and of what was not synced any part is on the
// disk. The random counterpart, over longer runs, is crash_test.cpp.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <iostream>
#include <random>
#include <unordered_set>

#include "base/fd.hpp"
#include "spool/power_cut/aftermath.hpp"
#include "spool/power_cut/disk_model.hpp"
#include "spool/power_cut/scene.hpp"
#include "support/proves.hpp"

namespace mitral::spool::test {
namespace {

#if defined(__SANITIZE_ADDRESS__)
constexpr Depth first_depth{7, 24};
constexpr Depth second_depth{2, 2};
constexpr std::size_t second_cuts = 4;
constexpr Depth kill_depth{2, 1};
constexpr std::size_t kills = 8;
#else
constexpr Depth first_depth{12, 128};
constexpr Depth second_depth{5, 4};
constexpr std::size_t second_cuts = 24;
constexpr Depth kill_depth{3, 3};
constexpr std::size_t kills = 48;
#endif

// Thousands of starts log what they find.
class Quiet {
  public:
    Quiet() : saved_(::dup(STDERR_FILENO)) {
        const base::UniqueFd null(::open("/dev/null", O_WRONLY | O_CLOEXEC));
        ::dup2(null.get(), STDERR_FILENO);
    }
    Quiet(const Quiet&) = delete;
    Quiet& operator=(const Quiet&) = delete;
    ~Quiet() { ::dup2(saved_.get(), STDERR_FILENO); }

  private:
    base::UniqueFd saved_;
};

struct Tally {
    std::size_t cuts = 0;
    std::size_t legal = 0;     // states gone through
    std::size_t distinct = 0;  // started from
    std::string killed{};
    std::vector<std::string> broken;
};

class PowerCut : public ::testing::TestWithParam<Scenario> {
  protected:
    // Plays the scenario; with `kill_at` the writer and the uplink die there and start again.
    static Recording play(Scene& scene, const Scenario& scenario,
                          std::optional<std::size_t> kill_at = std::nullopt) {
        scenario.before(scene);
        scene.record();
        if (kill_at)
            scene.recorder().kill_at(*kill_at);
        scenario.run(scene);
        if (kill_at) {
            scene.restart_uplink();
            scene.close();
            scene.recorder().revive();
            scene.keys.away = false;
            scene.wait(base::Milliseconds(3'000));
            scene.open();
            for (const auto lane : {Lane::vitals, Lane::waves}) {
                scene.put(lane, 40);
                scene.read(lane);
            }
        }
        return scene.finish();
    }

    // Cuts the power after each of the operations from number `from` on; in about `cut_twice` of
    // the states it goes again during the recovery.
    void explore(Scene& scene, const Recording& recording, const Journal& journal, Books books,
                 const Depth& depth, std::size_t from, Tally& tally, Lie lie = Lie::none,
                 std::size_t cut_twice = 0) {
        Aftermath aftermath(scene.options, scene.keys, scene.clock, scratch.path("state"));
        std::mt19937_64 random(recording.operations.size());
        std::unordered_set<std::size_t> seen;
        auto sent = scene.sent();
        for (const auto lane : lanes_by_priority)
            sent.insert(Aftermath::probe(lane));
        DiskModel disk(recording, lie);
        std::size_t entries = 0;
        for (std::size_t cut = 0; cut <= recording.operations.size(); ++cut) {
            if (cut > 0)
                disk.step();
            const auto before = entries;
            journal.advance(books, entries, cut);
            if (entries != before)
                seen.clear();  // more has been promised: a state that was good may be bad now
            if (cut < from)
                continue;
            ++tally.cuts;
            std::vector<Image> fresh;
            disk.each_legal_state(depth, random, [&](const Image& image, const std::string& which) {
                ++tally.legal;
                if (tally.broken.size() >= 20 || !seen.insert(image.hash()).second)
                    return;
                ++tally.distinct;
                for (const auto& line : aftermath.check(image, books, sent))
                    tally.broken.push_back(
                        line + "\n  cut after " + std::to_string(cut) + " (" +
                        (cut > 0 ? describe(recording.operations[cut - 1]) : "") +
                        "), there: " + which + tally.killed);
                if (cut_twice > 0)
                    fresh.push_back(image);
            });
            if (!fresh.empty() && cut % (recording.operations.size() / cut_twice + 1) == 0)
                cut_again(scene, fresh[random() % fresh.size()], books, tally);
        }
    }

    void cut_again(Scene& scene, const Image& image, const Books& books, Tally& tally) {
        Aftermath aftermath(scene.options, scene.keys, scene.clock, scratch.path("again"));
        const auto again = aftermath.recover(image);
        const auto broken = tally.broken.size();
        explore(scene, again.recording, again.journal, books, second_depth, 0, tally);
        if (tally.broken.size() > broken)
            tally.broken.push_back("(those were found when the recovery itself was cut off)");
    }

    static void report(const Tally& tally) {
        std::cout << "[ states   ] " << tally.cuts << " cuts, " << tally.legal << " legal states, "
                  << tally.distinct << " distinct ones recovered\n";
        RecordProperty("legal_states", static_cast<int>(tally.legal));
        for (const auto& line : tally.broken)
            ADD_FAILURE() << line;
    }

    mitral::test::TemporaryDirectory scratch{fast_directory()};
};

TEST_P(PowerCut, EveryLegalStateHoldsWhatWasPromised) {
    MITRAL_PROVES("T-DATA-01", "T-DATA-04");
    Tally tally;
    {
        const Quiet quiet;
        Scene scene(scratch.path("scene"));
        const auto recording = play(scene, GetParam());
        EXPECT_GT(recording.operations.size(), 10U);
        explore(scene, recording, scene.journal(), {}, first_depth, 0, tally, Lie::none,
                second_cuts);
    }
    report(tally);
}

// The page cache outlives the process: what a restart believes because it reads it need not be on
// the disk.
TEST_P(PowerCut, TheSameAfterAKillAtAnyOperation) {
    MITRAL_PROVES("T-DATA-01", "T-DATA-04");
    Tally tally;
    {
        const Quiet quiet;
        std::size_t last = 1;
        for (std::size_t kill_at = 0; kill_at < last && tally.broken.empty();
             kill_at += last / kills + 1) {
            if (kill_at == 0) {
                Scene whole(scratch.path("whole"));
                last = play(whole, GetParam()).operations.size();
            }
            Scene scene(scratch.path("scene-" + std::to_string(kill_at)));
            const auto recording = play(scene, GetParam(), kill_at);
            tally.killed = ", killed after " + std::to_string(kill_at);
            explore(scene, recording, scene.journal(), {}, kill_depth, kill_at, tally);
        }
    }
    report(tally);
}

INSTANTIATE_TEST_SUITE_P(Scenarios, PowerCut, ::testing::ValuesIn(scenarios()),
                         [](const auto& instance) { return std::string(instance.param.name); });

// The negative controls: the same search finds what a disk, or a writer, that lies would cost.
class PowerCutControl : public PowerCut {
  protected:
    Tally tally_of(Lie lie, bool hasty) {
        const Quiet quiet;
        Tally tally;
        Scene scene(scratch.path("scene"));
        if (hasty)
            scene.promise_too_early();
        const auto recording = play(scene, GetParam());
        explore(scene, recording, scene.journal(), {}, {8, 64}, 0, tally, lie);
        return tally;
    }
};

TEST_P(PowerCutControl, FindsFileSyncsThatDoNothing) {
    EXPECT_FALSE(tally_of(Lie::files_unsynced, false).broken.empty());
}

TEST_P(PowerCutControl, FindsDirectorySyncsThatDoNothing) {
    EXPECT_FALSE(tally_of(Lie::directories_unsynced, false).broken.empty());
}

TEST_P(PowerCutControl, FindsAnAcknowledgementBeforeTheSync) {
    EXPECT_FALSE(tally_of(Lie::none, true).broken.empty());
}

INSTANTIATE_TEST_SUITE_P(Scenarios, PowerCutControl,
                         ::testing::Values(scenarios().at(0), scenarios().at(2)),
                         [](const auto& instance) { return std::string(instance.param.name); });

}  // namespace
}  // namespace mitral::spool::test
