// Imports of updates, one after the other, in small steps of the event loop.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/event_loop.hpp"
#include "cloud/adu/file_check.hpp"
#include "cloud/adu/incoming.hpp"
#include "cloud/adu/operations.hpp"
#include "cloud/adu/updates.hpp"

namespace mitral::cloud::adu {

// One update of a request: which incoming files it is made of.
struct ImportItem {
    std::string manifest{};  // incoming name
    std::int64_t manifest_size = 0;
    std::string manifest_sha256{};  // base64
    std::string friendly_name{};
    std::map<std::string, std::string> files{};  // name in the manifest: incoming name
};

class Imports {
  public:
    static constexpr std::size_t max_items = 11;  // an update and ten that it refers to
    static constexpr std::size_t max_waiting = 16;

    Imports(base::EventLoop& loop, Updates& updates, Operations& operations, Incoming& incoming)
        : loop_(loop), updates_(updates), operations_(operations), incoming_(incoming) {}

    // Fails with throttled when too many wait. What is wrong with the files stands in the
    // operation.
    [[nodiscard]] base::Result<Operation> start(std::vector<ImportItem> items);
    // While one runs the incoming files must not change.
    [[nodiscard]] bool running() const noexcept { return !jobs_.empty(); }
    // One piece of work; false when there is none left. The loop calls it.
    bool step();

  private:
    struct Loaded {
        ImportItem item;
        NewUpdate update;
    };
    struct Job {
        Operation operation;
        std::vector<ImportItem> items;
        std::vector<Loaded> loaded{};
        std::vector<FileCheck> checks{};  // last first
    };

    [[nodiscard]] base::Result<bool> advance(Job& job);
    [[nodiscard]] base::Status load(Job& job);
    [[nodiscard]] base::Status open_checks(Job& job, const Loaded& loaded);
    [[nodiscard]] base::Status store(Job& job);
    [[nodiscard]] std::map<std::string, std::string> sources(const Loaded& loaded) const;
    void finish(Job& job, const base::Status& outcome);
    void schedule();

    base::EventLoop& loop_;
    Updates& updates_;
    Operations& operations_;
    Incoming& incoming_;
    std::deque<Job> jobs_;
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace mitral::cloud::adu
