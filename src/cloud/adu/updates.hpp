// The imported updates: rows in the database, files below the state directory. A file is reachable
// by its id alone, which the service chose; no name that came from outside is part of a path.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "cloud/adu/device_manifest.hpp"
#include "cloud/store/database.hpp"

namespace mitral::cloud::adu {

struct StoredFile {
    std::string id{};
    std::string name{};
    std::int64_t size = 0;
    std::string sha256{};  // base64
    bool payload = true;   // of the import manifest; else made by the service
};

struct StoredUpdate {
    ImportManifest manifest{};
    std::string device_manifest{};  // exactly the text that is signed
    std::string friendly_name{};
    base::WallTime imported{};
    std::string etag{};
};

struct NewUpdate {
    ImportManifest manifest{};
    std::string import_manifest{};  // as it was imported
    std::string friendly_name{};
};

class Updates {
  public:
    static constexpr std::int64_t max_stored_bytes = std::int64_t{8} * 1024 * 1024 * 1024;

    Updates(store::Database& database, const base::Clock& clock, std::string directory)
        : database_(database), clock_(clock), directory_(std::move(directory)) {}

    [[nodiscard]] base::Result<StoredUpdate> find(const UpdateId& id) const;  // or not_found
    [[nodiscard]] base::Result<std::vector<UpdateId>> list() const;
    [[nodiscard]] base::Result<std::vector<UpdateId>> referencing(const UpdateId& id) const;
    [[nodiscard]] base::Result<std::vector<StoredFile>> files(const UpdateId& id) const;
    // What a device may have to download: with the files of the updates that it refers to.
    [[nodiscard]] base::Result<std::vector<StoredFile>> files_for_devices(const UpdateId& id) const;
    [[nodiscard]] base::Result<std::optional<StoredFile>> file(std::string_view id) const;
    [[nodiscard]] std::string path(std::string_view file_id) const;
    [[nodiscard]] base::Result<std::int64_t> stored_bytes() const;

    // `sources`: for each name of the manifest's files a checked file of this file system, which is
    // taken over. Fails with already_exists, not_found (a reference) or too_large.
    [[nodiscard]] base::Status add(const NewUpdate& update,
                                   const std::map<std::string, std::string>& sources);
    // Fails with not_found, or already_exists while another update refers to it.
    [[nodiscard]] base::Status remove(const UpdateId& id);

  private:
    [[nodiscard]] base::Status check_room(const ImportManifest& manifest) const;
    [[nodiscard]] base::Result<IdentifiedFile> write_manifest(const UpdateId& owner,
                                                              const UpdateId& of,
                                                              std::string_view text);
    [[nodiscard]] base::Status insert_file(const UpdateId& owner, const IdentifiedFile& file,
                                           bool payload);

    store::Database& database_;
    const base::Clock& clock_;
    std::string directory_;
};

}  // namespace mitral::cloud::adu
