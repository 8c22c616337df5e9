#include "cloud/api/update_import_body.hpp"

#include "azure/text.hpp"
#include "cloud/error.hpp"

namespace mitral::cloud::api {
namespace {

auto bad(std::string what) {
    return base::fail(CloudError::invalid_argument, std::move(what));
}

// The last segment of a url below /deviceUpdate/default/incoming/; no other
// place is read from.
base::Result<std::string> incoming_name(const Json& holder) {
    const auto url = text_member(holder, "url");
    const auto path = std::string_view(url).substr(0, url.find('?'));
    constexpr std::string_view place = "/deviceUpdate/default/incoming/";
    const auto at = path.find(place);
    const auto name = at == std::string_view::npos
                          ? std::nullopt
                          : azure::percent_decode(path.substr(at + place.size()));
    if (!name || name->empty() || name->find('/') != std::string::npos)
        return bad("url is none of /deviceUpdate/default/incoming/NAME");
    return *name;
}

}  // namespace

base::Result<adu::ImportItem> read_import_item(const Json& value) {
    const auto* manifest = value.is_object() ? member(value, "importManifest") : nullptr;
    if (manifest == nullptr || !manifest->is_object())
        return bad("importManifest is missing");
    adu::ImportItem item;
    MITRAL_TRY(item.manifest, incoming_name(*manifest));
    const auto* size = member(*manifest, "sizeInBytes");
    const auto* hashes = member(*manifest, "hashes");
    if (size == nullptr || !size->is_number_integer() || hashes == nullptr || !hashes->is_object())
        return bad("sizeInBytes or hashes of the import manifest are missing");
    item.manifest_size = size->get<std::int64_t>();
    item.manifest_sha256 = text_member(*hashes, "sha256");
    item.friendly_name = text_member(value, "friendlyName");
    constexpr std::size_t longest_name = 512;
    if (item.friendly_name.size() > longest_name)
        return bad("friendlyName is too long");
    const auto* files = member(value, "files");
    if (files == nullptr || files->is_null())
        return item;
    if (!files->is_array())
        return bad("files is no list");
    for (const auto& file : *files) {
        if (!file.is_object())
            return bad("a file is no object");
        MITRAL_TRY(item.files[text_member(file, "filename")], incoming_name(file));
    }
    return item;
}

}  // namespace mitral::cloud::api
