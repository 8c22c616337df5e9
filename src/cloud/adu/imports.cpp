#include "cloud/adu/imports.hpp"

#include <algorithm>

#include "base/crypto.hpp"
#include "base/encoding.hpp"
#include "base/file.hpp"
#include "base/log.hpp"
#include "cloud/error.hpp"

namespace mitral::cloud::adu {
namespace {

// A file that an import manifest lists, related ones included.
template <typename Call>
base::Status each_file(const ImportManifest& manifest, Call call) {
    for (const auto& file : manifest.files) {
        MITRAL_CHECK(call(static_cast<const FileDescription&>(file)));
        for (const auto& related : file.related)
            MITRAL_CHECK(call(related));
    }
    return {};
}

bool refers_to_missing(const Updates& updates, const ImportManifest& manifest) {
    return std::any_of(manifest.steps.begin(), manifest.steps.end(), [&](const Step& step) {
        return step.handler.empty() && !updates.find(step.reference);
    });
}

}  // namespace

base::Result<Operation> Imports::start(std::vector<ImportItem> items) {
    if (items.empty() || items.size() > max_items)
        return base::fail(CloudError::invalid_argument, "an import has 1 to 11 updates");
    if (jobs_.size() >= max_waiting)
        return base::fail(CloudError::throttled, "too many imports are running");
    MITRAL_TRY(auto operation, operations_.begin());
    jobs_.push_back({.operation = operation, .items = std::move(items)});
    if (jobs_.size() == 1)
        schedule();
    return operation;
}

void Imports::schedule() {
    loop_.after(base::Milliseconds(0), [this, alive = std::weak_ptr<bool>(alive_)] {
        if (!alive.expired() && step())
            schedule();
    });
}

bool Imports::step() {
    if (jobs_.empty())
        return false;
    auto& job = jobs_.front();
    const auto done = advance(job);
    if (!done)
        finish(job, std::unexpected(done.error()));
    else if (*done)
        finish(job, {});
    else
        return true;
    jobs_.pop_front();
    return !jobs_.empty();
}

base::Result<bool> Imports::advance(Job& job) {
    if (job.loaded.empty()) {
        MITRAL_CHECK(load(job));
        job.operation.status = "Running";
        MITRAL_CHECK(operations_.save(job.operation));
        return false;
    }
    if (!job.checks.empty()) {
        MITRAL_TRY(const bool checked, job.checks.back().step());
        if (checked)
            job.checks.pop_back();
        return false;
    }
    MITRAL_CHECK(store(job));
    return true;
}

base::Status Imports::load(Job& job) {
    for (auto& item : job.items) {
        auto text = base::read_text_file(incoming_.path(item.manifest), max_import_manifest);
        if (!text)
            return base::fail(CloudError::not_found,
                              "the import manifest has not been uploaded, or is too large");
        const auto digest = base::to_base64(base::sha256(base::as_bytes(*text)));
        if (static_cast<std::int64_t>(text->size()) != item.manifest_size ||
            digest != item.manifest_sha256)
            return base::fail(CloudError::invalid_argument,
                              "size or sha256 of the import manifest differs");
        MITRAL_TRY(auto manifest, parse_import_manifest(*text));
        if (updates_.find(manifest.id))
            return base::fail(CloudError::already_exists, "update " + manifest.id.text());
        NewUpdate update{.manifest = std::move(manifest),
                         .import_manifest = *std::move(text),
                         .friendly_name = item.friendly_name};
        job.loaded.push_back({std::move(item), std::move(update)});
    }
    job.operation.update = job.loaded.front().update.manifest.id;
    for (const auto& loaded : job.loaded)
        MITRAL_CHECK(open_checks(job, loaded));
    return {};
}

base::Status Imports::open_checks(Job& job, const Loaded& loaded) {
    const auto& named = loaded.item.files;
    return each_file(loaded.update.manifest, [&](const FileDescription& file) -> base::Status {
        const auto found = named.find(file.name);
        if (found == named.end())
            return base::fail(CloudError::invalid_argument, file.name + " has no url");
        MITRAL_TRY(auto check, FileCheck::open(incoming_.path(found->second), file.name, file.size,
                                               file.sha256));
        job.checks.push_back(std::move(check));
        return {};
    });
}

std::map<std::string, std::string> Imports::sources(const Loaded& loaded) const {
    std::map<std::string, std::string> found;
    for (const auto& [name, incoming] : loaded.item.files)
        found[name] = incoming_.path(incoming);
    return found;
}

// Updates that refer to others of the same request come after these.
base::Status Imports::store(Job& job) {
    auto& waiting = job.loaded;
    const auto ready = [this](const Loaded& loaded) {
        return !refers_to_missing(updates_, loaded.update.manifest);
    };
    std::vector<Loaded> stored;
    while (!waiting.empty()) {
        const auto next = std::find_if(waiting.begin(), waiting.end(), ready);
        if (next == waiting.end())
            return base::fail(CloudError::not_found,
                              waiting.front().update.manifest.id.text() +
                                  " refers to an update that is not imported");
        MITRAL_CHECK(updates_.add(next->update, sources(*next)));
        stored.push_back(std::move(*next));
        waiting.erase(next);
    }
    for (const auto& loaded : stored) {
        incoming_.remove(loaded.item.manifest);
        for (const auto& [name, incoming] : loaded.item.files)
            incoming_.remove(incoming);
    }
    return {};
}

void Imports::finish(Job& job, const base::Status& outcome) {
    auto& operation = job.operation;
    operation.status = outcome ? "Succeeded" : "Failed";
    if (!outcome) {
        const auto& error = outcome.error();
        operation.error_code = error.code == CloudError::already_exists ? "AlreadyExists"
                               : error.code == CloudError::not_found    ? "NotFound"
                               : error.code == CloudError::too_large    ? "TooLarge"
                                                                        : "BadRequest";
        operation.error_message = error.context;
    }
    base::log(outcome ? base::Severity::notice : base::Severity::warning, "update-import",
              {{"update", operation.update.text()},
               {"status", operation.status},
               {"cause", operation.error_message}});
    if (const auto saved = operations_.save(operation); !saved)
        base::log(base::Severity::error, "operation-not-stored",
                  {{"cause", saved.error().message()}});
}

}  // namespace mitral::cloud::adu
