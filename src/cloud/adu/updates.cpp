#include "cloud/adu/updates.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>

#include "base/crypto.hpp"
#include "base/encoding.hpp"
#include "base/file.hpp"
#include "cloud/error.hpp"
#include "cloud/store/ids.hpp"
#include "cloud/store/transaction.hpp"

namespace mitral::cloud::adu {
namespace {

std::string new_file_id() {
    return fmt::format("f{:016x}", base::random_u64());
}

void bind(store::Statement& statement, const UpdateId& id) {
    statement.bind(id.provider).bind(id.name).bind(id.version);
}

UpdateId read_id(const store::Statement& row, int first = 0) {
    return {row.text(first), row.text(first + 1), row.text(first + 2)};
}

StoredFile read_file(const store::Statement& row) {
    return {.id = row.text(0),
            .name = row.text(1),
            .size = row.integer(2),
            .sha256 = row.text(3),
            .payload = row.integer(4) != 0};
}

base::Status run(store::Statement& statement) {
    MITRAL_TRY(const auto changed, statement.run());
    (void)changed;
    return {};
}

template <typename Row, typename Read>
base::Result<std::vector<Row>> rows(store::Statement& query, Read read) {
    std::vector<Row> found;
    for (;;) {
        MITRAL_TRY(const bool more, query.step());
        if (!more)
            return found;
        found.push_back(read(query));
    }
}

// Files that were put in place are taken away again unless the import went through.
class Cleanup {
  public:
    Cleanup() = default;
    Cleanup(const Cleanup&) = delete;
    Cleanup& operator=(const Cleanup&) = delete;
    ~Cleanup() {
        for (const auto& path : paths_)
            (void)::unlink(path.c_str());
    }
    void add(std::string path) { paths_.push_back(std::move(path)); }
    void dismiss() { paths_.clear(); }

  private:
    std::vector<std::string> paths_;
};

}  // namespace

base::Result<StoredUpdate> Updates::find(const UpdateId& id) const {
    auto query = database_.prepare(
        "SELECT import_manifest, device_manifest, friendly_name, imported, etag FROM adu_update "
        "WHERE provider = ? AND name = ? AND version = ?");
    bind(query, id);
    MITRAL_TRY(const bool found, query.step());
    if (!found)
        return base::fail(CloudError::not_found, "update " + id.text());
    MITRAL_TRY(auto manifest, parse_import_manifest(query.text(0)));
    return StoredUpdate{.manifest = std::move(manifest),
                        .device_manifest = query.text(1),
                        .friendly_name = query.text(2),
                        .imported = {query.integer(3)},
                        .etag = query.text(4)};
}

base::Result<std::vector<UpdateId>> Updates::list() const {
    auto query = database_.prepare(
        "SELECT provider, name, version FROM adu_update ORDER BY provider, name, version");
    return rows<UpdateId>(query, [](const auto& row) { return read_id(row); });
}

base::Result<std::vector<UpdateId>> Updates::referencing(const UpdateId& id) const {
    auto query = database_.prepare(
        "SELECT DISTINCT provider, name, version FROM adu_reference WHERE child = ?");
    query.bind(id.text());
    return rows<UpdateId>(query, [](const auto& row) { return read_id(row); });
}

base::Result<std::vector<StoredFile>> Updates::files(const UpdateId& id) const {
    auto query = database_.prepare(
        "SELECT id, file_name, size, sha256, payload FROM adu_file "
        "WHERE provider = ? AND name = ? AND version = ? ORDER BY id");
    bind(query, id);
    return rows<StoredFile>(query, read_file);
}

base::Result<std::vector<StoredFile>> Updates::files_for_devices(const UpdateId& id) const {
    MITRAL_TRY(const auto update, find(id));
    MITRAL_TRY(auto all, files(id));
    for (const auto& step : update.manifest.steps)
        if (step.handler.empty()) {
            MITRAL_TRY(const auto more, files(step.reference));
            all.insert(all.end(), more.begin(), more.end());
        }
    return all;
}

base::Result<std::optional<StoredFile>> Updates::file(std::string_view id) const {
    auto query =
        database_.prepare("SELECT id, file_name, size, sha256, payload FROM adu_file WHERE id = ?");
    MITRAL_TRY(const bool found, query.bind(id).step());
    return found ? std::optional(read_file(query)) : std::nullopt;
}

std::string Updates::path(std::string_view file_id) const {
    return directory_ + "/" + std::string(file_id);
}

base::Result<std::int64_t> Updates::stored_bytes() const {
    auto query = database_.prepare("SELECT ifnull(sum(size), 0) FROM adu_file");
    MITRAL_TRY(const bool row, query.step());
    return row ? query.integer(0) : 0;
}

base::Status Updates::check_room(const ImportManifest& manifest) const {
    MITRAL_TRY(auto bytes, stored_bytes());
    for (const auto& file : manifest.files) {
        bytes += file.size;
        for (const auto& related : file.related)
            bytes += related.size;
    }
    if (bytes > max_stored_bytes)
        return base::fail(CloudError::too_large, "no room for more updates: delete old ones");
    return {};
}

base::Status Updates::insert_file(const UpdateId& owner, const IdentifiedFile& file, bool payload) {
    auto insert = database_.prepare(
        "INSERT INTO adu_file (id, provider, name, version, file_name, size, sha256, payload) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?)");
    insert.bind(file.id);
    bind(insert, owner);
    insert.bind(file.file.name).bind(file.file.size).bind(file.file.sha256);
    insert.bind(std::int64_t{payload});
    return run(insert);
}

base::Result<IdentifiedFile> Updates::write_manifest(const UpdateId& owner, const UpdateId& of,
                                                     std::string_view text) {
    const IdentifiedFile file{
        new_file_id(),
        {.name = of.provider + "." + of.name + "." + of.version + ".updatemanifest.json",
         .size = static_cast<std::int64_t>(text.size()),
         .sha256 = base::to_base64(base::sha256(base::as_bytes(text)))}};
    MITRAL_CHECK(base::replace_file(path(file.id), base::as_bytes(text), 0600));
    MITRAL_CHECK(insert_file(owner, file, false));
    return file;
}

base::Status Updates::add(const NewUpdate& update,
                          const std::map<std::string, std::string>& sources) {
    const auto& id = update.manifest.id;
    if (find(id))
        return base::fail(CloudError::already_exists, "update " + id.text());
    MITRAL_CHECK(check_room(update.manifest));
    MITRAL_CHECK(base::make_directory(directory_, 0700));
    MITRAL_TRY(auto transaction, store::Transaction::begin(database_));
    Cleanup cleanup;
    DeviceManifestParts parts;
    const auto take = [&](const FileDescription& file) -> base::Status {
        const auto file_id = new_file_id();
        if (::link(sources.at(file.name).c_str(), path(file_id).c_str()) != 0)
            return base::fail_errno("store a file of the update");
        cleanup.add(path(file_id));
        parts.ids[file.name] = file_id;
        return insert_file(id, {file_id, file}, true);
    };
    for (const auto& file : update.manifest.files) {
        MITRAL_CHECK(take(file));
        for (const auto& related : file.related)
            MITRAL_CHECK(take(related));
    }
    for (const auto& step : update.manifest.steps)
        if (step.handler.empty()) {
            MITRAL_TRY(const auto child, find(step.reference));
            MITRAL_TRY(auto file, write_manifest(id, step.reference, child.device_manifest));
            cleanup.add(path(file.id));
            parts.children.push_back(std::move(file));
            auto insert = database_.prepare(
                "INSERT INTO adu_reference (provider, name, version, child) VALUES (?, ?, ?, ?)");
            bind(insert, id);
            insert.bind(step.reference.text());
            MITRAL_CHECK(run(insert));
        }
    auto manifest = device_manifest(update.manifest, parts);
    if (manifest.size() > max_manifest_in_twin) {
        MITRAL_TRY(const auto whole, write_manifest(id, id, manifest));
        cleanup.add(path(whole.id));
        manifest = detached_manifest(update.manifest, whole);
    }
    auto insert = database_.prepare(
        "INSERT INTO adu_update (provider, name, version, import_manifest, device_manifest, "
        "friendly_name, imported, etag) VALUES (?, ?, ?, ?, ?, ?, ?, ?)");
    bind(insert, id);
    insert.bind(update.import_manifest).bind(manifest).bind(update.friendly_name);
    MITRAL_CHECK(run(insert.bind(clock_.wall().ms).bind(store::new_etag())));
    MITRAL_CHECK(base::sync_directory(directory_));
    MITRAL_CHECK(transaction.commit());
    cleanup.dismiss();
    return {};
}

base::Status Updates::remove(const UpdateId& id) {
    MITRAL_TRY(const auto known, find(id));
    (void)known;
    MITRAL_TRY(const auto parents, referencing(id));
    if (!parents.empty())
        return base::fail(CloudError::already_exists,
                          "update " + id.text() + " is part of " + parents.front().text());
    MITRAL_TRY(const auto gone, files(id));
    MITRAL_TRY(auto transaction, store::Transaction::begin(database_));
    for (const auto* table : {"adu_update", "adu_file", "adu_reference"}) {
        auto erase = database_.prepare("DELETE FROM " + std::string(table) +
                                       " WHERE provider = ? AND name = ? AND version = ?");
        bind(erase, id);
        MITRAL_CHECK(run(erase));
    }
    MITRAL_CHECK(transaction.commit());
    for (const auto& file : gone)
        (void)::unlink(path(file.id).c_str());
    return {};
}

}  // namespace mitral::cloud::adu
