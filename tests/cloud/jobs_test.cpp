#include <gtest/gtest.h>

#include "base/event_loop.hpp"
#include "cloud/error.hpp"
#include "cloud/jobs/runner.hpp"
#include "cloud/state.hpp"
#include "support/proves.hpp"
#include "support/temporary_directory.hpp"

namespace mitral::cloud::jobs {
namespace {

constexpr base::WallTime start{1'790'000'000'000};

std::string body(std::string_view rest) {
    return R"({"type":"scheduleUpdateTwin","queryCondition":"*","updateTwin":{"tags":{"a":1}})" +
           std::string(rest) + "}";
}

class JobsTest : public ::testing::Test {
  protected:
    JobsTest()
        : loop_(*base::EventLoop::create()),
          state_(*State::open(directory_.path("state"), clock_)) {
        for (int i = 0; i < 5; ++i)
            add("dev-" + std::to_string(i));
        restart();
    }
    void add(const std::string& id) { EXPECT_TRUE(state_->registry.create({.id = id})); }
    void restart() {
        runner_.reset();
        methods_.emplace(*loop_);
        store_.emplace(state_->database);
        runner_.emplace(RunnerParts{
            .loop = *loop_,
            .clock = clock_,
            .store = *store_,
            .twins = state_->twins,
            .methods = *methods_,
            .document =
                [](const hub::Twin& twin) {
                    return Json{{"deviceId", twin.device}, {"tags", *parse_json(twin.tags)}};
                },
            .push =
                [this](const hub::TwinUpdate& update) { pushed_.push_back(update.twin.device); }});
        EXPECT_TRUE(runner_->open());
    }
    Job put(const std::string& id, const std::string& text) {
        auto job = read_job(id, text, clock_.wall());
        EXPECT_TRUE(job) << job.error().message();
        auto made = runner_->schedule(*std::move(job));
        EXPECT_TRUE(made) << made.error().message();
        return *made;
    }
    Job get(const std::string& id) { return *store_->find(id); }
    // Turns the loop until the job is over.
    Job over(const std::string& id) {
        for (int turns = 0; turns < 1'000 && !is_over(get(id).status); ++turns)
            EXPECT_TRUE(loop_->run_once(base::Milliseconds(100)));
        return get(id);
    }
    void turn(int times) {
        for (int i = 0; i < times; ++i)
            EXPECT_TRUE(loop_->run_once(base::Milliseconds(0)));
    }

    test::TemporaryDirectory directory_;
    base::ManualClock clock_{start};
    std::unique_ptr<base::EventLoop> loop_;
    std::unique_ptr<State> state_;
    std::vector<std::string> pushed_;
    std::optional<hub::MethodChannel> methods_;
    std::optional<Store> store_;
    std::optional<Runner> runner_;
};

TEST_F(JobsTest, ChangesTheTwinsThatTheConditionFits) {
    const auto made =
        put("job-1",
            R"({"type":"scheduleUpdateTwin","queryCondition":"deviceId IN ['dev-1','dev-3','x']",)"
            R"("updateTwin":{"etag":"*","properties":{"desired":{"on":true}}}})");
    EXPECT_EQ(made.status, JobStatus::queued);
    const auto done = over("job-1");
    EXPECT_EQ(done.status, JobStatus::completed);
    EXPECT_EQ(done.counts.devices, 2);
    EXPECT_EQ(done.counts.succeeded, 2);
    EXPECT_EQ(pushed_, (std::vector<std::string>{"dev-1", "dev-3"}));
    EXPECT_EQ(state_->twins.find({"dev-3"})->desired.values, R"({"on":true})");
    EXPECT_EQ(state_->twins.find({"dev-2"})->desired.values, "{}");
}

TEST_F(JobsTest, WaitsForItsTimeAlsoThroughARestart) {
    put("later", body(R"(,"startTime":")" + base::to_iso8601({start.ms + 3'600'000}) + "\""));
    turn(3);
    EXPECT_EQ(get("later").status, JobStatus::scheduled);
    restart();
    turn(3);
    EXPECT_EQ(get("later").status, JobStatus::scheduled);
    clock_.advance(std::chrono::hours(1));
    restart();
    EXPECT_EQ(over("later").counts.succeeded, 5);
}

TEST_F(JobsTest, GoesOnAfterARestartInTheMiddle) {
    for (int i = 5; i < 350; ++i)
        add("dev-" + std::to_string(i));
    put("long", body(""));
    turn(6);
    const auto middle = get("long");
    EXPECT_FALSE(is_over(middle.status));
    EXPECT_GT(middle.counts.devices, 0);
    restart();
    const auto done = over("long");
    EXPECT_EQ(done.status, JobStatus::completed);
    EXPECT_EQ(done.counts.devices, 350);
    EXPECT_EQ(done.counts.succeeded, 350);
}

TEST_F(JobsTest, TellsWhereNobodyAnswersAMethod) {
    const std::string call =
        R"({"type":"scheduleDeviceMethod","queryCondition":"deviceId != 'dev-0'",)"
        R"("cloudToDeviceMethod":{"methodName":"reboot","payload":{}}})";
    put("call", call);
    const auto done = over("call");
    EXPECT_EQ(done.status, JobStatus::failed);
    EXPECT_EQ(done.counts.failed, 4);
    EXPECT_FALSE(done.reason.empty());
}

std::string patient_call() {
    return R"({"type":"scheduleDeviceMethod","queryCondition":"*","cloudToDeviceMethod":)"
           R"({"methodName":"reboot","connectTimeoutInSeconds":300},"maxExecutionTimeInSeconds":60})";
}

TEST_F(JobsTest, EndsWhenItsTimeIsOver) {
    put("slow", patient_call());
    turn(5);
    EXPECT_EQ(get("slow").counts.running, 5);
    clock_.advance(std::chrono::seconds(61));
    put("other", body(""));  // wakes the runner, as its timer would
    const auto done = over("slow");
    EXPECT_EQ(done.status, JobStatus::failed);
    EXPECT_EQ(done.counts.failed, 5);
    EXPECT_NE(done.reason.find("maxExecutionTime"), std::string::npos);
}

TEST_F(JobsTest, CountsMethodsThatACrashInterruptedAsFailed) {
    put("slow", patient_call());
    turn(5);
    EXPECT_EQ(get("slow").counts.running, 5);
    restart();
    EXPECT_EQ(over("slow").counts.failed, 5);
}

TEST_F(JobsTest, CancelsWhatIsNotOver) {
    put("slow", patient_call());
    turn(5);
    EXPECT_EQ(runner_->cancel("slow")->status, JobStatus::cancelled);
    EXPECT_EQ(get("slow").status, JobStatus::cancelled);
    EXPECT_EQ(runner_->cancel("slow").error().code, CloudError::invalid_argument);
    EXPECT_EQ(runner_->cancel("none").error().code, CloudError::not_found);
    put("later", body(R"(,"startTime":"2100-01-01T00:00:00Z")"));
    EXPECT_EQ(runner_->cancel("later")->status, JobStatus::cancelled);
    turn(3);
    EXPECT_TRUE(pushed_.empty());
}

TEST_F(JobsTest, KeepsABoundedNumberOfJobs) {
    MITRAL_PROVES("T-DOS-04");
    const auto far = body(R"(,"startTime":"2100-01-01T00:00:00Z")");
    for (std::size_t i = 0; i < max_jobs; ++i)
        put("j" + std::to_string(i), far);
    auto more = read_job("more", far, clock_.wall());
    EXPECT_EQ(runner_->schedule(*more).error().code, CloudError::throttled);
    EXPECT_TRUE(runner_->cancel("j7"));
    EXPECT_TRUE(runner_->schedule(*more));  // in the place of the one that is over
    EXPECT_EQ(store_->find("j7").error().code, CloudError::not_found);
    EXPECT_EQ(runner_->schedule(*read_job("j8", far, clock_.wall())).error().code,
              CloudError::already_exists);
}

TEST_F(JobsTest, RunsNoMoreThanTenAtOnce) {
    for (int i = 0; i < 12; ++i)
        put("p" + std::to_string(10 + i), patient_call());
    turn(30);
    EXPECT_EQ(store_->of(JobStatus::running, 100)->size(), Runner::max_running);
    EXPECT_EQ(store_->of(JobStatus::queued, 100)->size(), 2U);
}

TEST(JobBody, RefusesWhatCannotRun) {
    MITRAL_PROVES("T-DOS-04");
    EXPECT_TRUE(read_job("good", body(""), start));
    const std::string huge(1'025, 'k');
    for (
        const auto& [id, text] : std::vector<std::pair<std::string, std::string>>{
            {"", body("")},
            {"under_score", body("")},
            {std::string(65, 'a'), body("")},
            {"a", body(R"(,"jobId":"b")")},
            {"a", "[]"},
            {"a", "{"},
            {"a", body(R"(,"startTime":"tomorrow")")},
            {"a", body(R"(,"startTime":7)")},
            {"a", body(R"(,"maxExecutionTimeInSeconds":0)")},
            {"a", body(R"(,"maxExecutionTimeInSeconds":"9")")},
            {"a", R"({"type":"reboot","queryCondition":"*","updateTwin":{"tags":{}}})"},
            {"a", R"({"type":"scheduleUpdateTwin","queryCondition":"","updateTwin":{"tags":{}}})"},
            {"a",
             R"({"type":"scheduleUpdateTwin","queryCondition":"a =","updateTwin":{"tags":{}}})"},
            {"a",
             R"({"type":"scheduleUpdateTwin","queryCondition":"SELECT COUNT() AS n FROM devices","updateTwin":{"tags":{}}})"},
            {"a", R"({"type":"scheduleUpdateTwin","queryCondition":"*"})"},
            {"a", R"({"type":"scheduleUpdateTwin","queryCondition":"*","updateTwin":{}})"},
            {"a", R"({"type":"scheduleUpdateTwin","queryCondition":"*","updateTwin":{"tags":{")" +
                      huge + R"(":1}}})"},
            {"a",
             R"({"type":"scheduleDeviceMethod","queryCondition":"*","updateTwin":{"tags":{}}})"},
            {"a",
             R"({"type":"scheduleDeviceMethod","queryCondition":"*","cloudToDeviceMethod":{}})"}})
        EXPECT_FALSE(read_job(id, text, start)) << text;
}

TEST(JobBody, KnowsTheFormsOfACondition) {
    EXPECT_EQ(query_of(" * "), "SELECT * FROM devices");
    EXPECT_EQ(query_of("tags.a = 1"), "SELECT * FROM devices WHERE tags.a = 1");
    EXPECT_EQ(query_of("FROM devices.modules WHERE moduleId = 'm'"),
              "SELECT * FROM devices.modules WHERE moduleId = 'm'");
    EXPECT_EQ(query_of("select * from devices"), "select * from devices");
    const auto past = read_job("a", body(R"(,"startTime":"2001-01-01T00:00:00Z")"), start);
    EXPECT_EQ(past->starts, start);
}

}  // namespace
}  // namespace mitral::cloud::jobs
