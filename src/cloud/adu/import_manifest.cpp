#include "cloud/adu/import_manifest.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <initializer_list>
#include <set>

#include "azure/text.hpp"
#include "base/clock.hpp"
#include "base/encoding.hpp"
#include "cloud/error.hpp"
#include "cloud/json.hpp"

namespace mitral::cloud::adu {
namespace {

constexpr std::size_t max_sets = 10;
constexpr std::size_t max_properties = 5;
constexpr std::size_t max_steps = 10;
constexpr std::size_t max_files = 10;
constexpr std::size_t max_related = 4;
constexpr std::size_t max_file_name = 255;
constexpr std::size_t max_property = 64;
constexpr std::size_t max_file_property = 256;
constexpr std::size_t max_description = 512;
constexpr std::size_t max_step_description = 64;
constexpr std::size_t max_handler = 32;
constexpr std::size_t max_id_part = 64;
constexpr std::size_t sha256_size = 32;

auto bad(std::string what) {
    return base::fail(CloudError::invalid_argument, "import manifest: " + std::move(what));
}

bool is_control(char c) {
    return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
}

// "Additional properties aren't allowed."
base::Status only(const Json& object, std::initializer_list<std::string_view> names,
                  std::string_view where) {
    if (!object.is_object())
        return bad(std::string(where) + " is no object");
    for (const auto& [name, value] : object.items())
        if (std::find(names.begin(), names.end(), name) == names.end())
            return bad(std::string(where) + " has an unknown member " + azure::shown(name));
    return {};
}

base::Result<std::string> text(const Json& object, std::string_view name, std::size_t maximum,
                               bool required) {
    const auto* value = member(object, name);
    if (value == nullptr || value->is_null()) {
        if (required)
            return bad(std::string(name) + " is missing");
        return std::string();
    }
    if (!value->is_string())
        return bad(std::string(name) + " is no string");
    auto found = value->get<std::string>();
    if (found.empty() || found.size() > maximum)
        return bad(std::string(name) + " is empty or too long");
    if (std::any_of(found.begin(), found.end(), is_control))
        return bad(std::string(name) + " holds a control character");
    return found;
}

// An absent or null list is an empty one.
base::Result<const Json*> list(const Json& object, std::string_view name, std::size_t minimum,
                               std::size_t maximum) {
    static const Json none = Json::array();
    const auto* value = member(object, name);
    if (value == nullptr || value->is_null())
        value = &none;
    if (!value->is_array() || value->size() < minimum || value->size() > maximum)
        return bad(std::string(name) + " is no list of " + std::to_string(minimum) + " to " +
                   std::to_string(maximum));
    return value;
}

base::Result<std::map<std::string, std::string>> texts(const Json& object, std::size_t minimum,
                                                       std::size_t most, std::size_t longest) {
    if (!object.is_object() || object.size() < minimum || object.size() > most)
        return bad("a set of properties is no object of " + std::to_string(minimum) + " to " +
                   std::to_string(most));
    std::map<std::string, std::string> found;
    for (const auto& [name, value] : object.items()) {
        if (name.empty() || name.size() > longest)
            return bad("a property has no name, or a long one");
        MITRAL_TRY(found[name], text(object, name, longest, true));
    }
    return found;
}

base::Result<UpdateId> read_id(const Json& holder) {
    const auto* value = member(holder, "updateId");
    if (value == nullptr)
        return bad("updateId is missing");
    MITRAL_CHECK(only(*value, {"provider", "name", "version"}, "updateId"));
    UpdateId id;
    MITRAL_TRY(id.provider, text(*value, "provider", max_id_part, true));
    MITRAL_TRY(id.name, text(*value, "name", max_id_part, true));
    MITRAL_TRY(id.version, text(*value, "version", max_id_part, true));
    MITRAL_CHECK(check_id(id));
    return id;
}

base::Result<FileDescription> read_description(const Json& value) {
    FileDescription file;
    MITRAL_TRY(file.name, text(value, "filename", max_file_name, true));
    if (file.name.find_first_of("/\\") != std::string::npos || file.name.starts_with('.'))
        return bad("filename is a path");
    const auto* size = member(value, "sizeInBytes");
    if (size == nullptr || !size->is_number_integer())
        return bad("sizeInBytes of " + file.name + " is no whole number");
    file.size = size->get<std::int64_t>();
    if (file.size < 1 || file.size > max_update_bytes)
        return bad("sizeInBytes of " + file.name + " is out of range");
    const auto* hashes = member(value, "hashes");
    if (hashes == nullptr)
        return bad("hashes of " + file.name + " are missing");
    MITRAL_CHECK(only(*hashes, {"sha256"}, "hashes"));
    MITRAL_TRY(file.sha256, text(*hashes, "sha256", 64, true));
    const auto digest = base::from_base64(file.sha256);
    if (!digest || digest->size() != sha256_size)
        return bad("sha256 of " + file.name + " is no digest");
    if (const auto* properties = member(value, "properties");
        properties && !properties->is_null()) {
        MITRAL_TRY(file.properties, texts(*properties, 0, max_properties, max_file_property));
    }
    return file;
}

base::Result<UpdateFile> read_file(const Json& value) {
    MITRAL_CHECK(
        only(value,
             {"filename", "sizeInBytes", "hashes", "properties", "relatedFiles", "downloadHandler"},
             "a file"));
    MITRAL_TRY(auto description, read_description(value));
    UpdateFile file{std::move(description)};
    MITRAL_TRY(const auto* related, list(value, "relatedFiles", 0, max_related));
    for (const auto& entry : *related) {
        MITRAL_CHECK(
            only(entry, {"filename", "sizeInBytes", "hashes", "properties"}, "a related file"));
        MITRAL_TRY(auto one, read_description(entry));
        file.related.push_back(std::move(one));
    }
    if (const auto* handler = member(value, "downloadHandler"); handler && !handler->is_null()) {
        MITRAL_CHECK(only(*handler, {"id"}, "downloadHandler"));
        MITRAL_TRY(file.download_handler, text(*handler, "id", max_handler, true));
    }
    return file;
}

// "microsoft/swupdate:2"
bool is_handler(std::string_view name) {
    const auto slash = name.find('/');
    const auto colon = name.rfind(':');
    return slash != std::string_view::npos && colon != std::string_view::npos && slash > 0 &&
           slash + 1 < colon && name.find_first_of(" \t") == std::string_view::npos &&
           colon + 1 < name.size() &&
           name.find_first_not_of("0123456789", colon + 1) == std::string_view::npos;
}

base::Result<Step> read_inline_step(const Json& value, Step step,
                                    const std::set<std::string>& known) {
    MITRAL_TRY(step.handler, text(value, "handler", max_handler, true));
    if (!is_handler(step.handler))
        return bad("handler is not provider/name:version");
    const auto* properties = member(value, "handlerProperties");
    if (properties != nullptr && !properties->is_null()) {
        if (!properties->is_object())
            return bad("handlerProperties is no object");
        step.handler_properties = dump(*properties);
    }
    MITRAL_TRY(const auto* files, list(value, "files", 1, max_files));
    for (const auto& name : *files) {
        if (!name.is_string() || !known.contains(name.get<std::string>()))
            return bad("a step names a file that is not listed");
        step.files.push_back(name.get<std::string>());
    }
    return step;
}

base::Result<Step> read_step(const Json& value, const std::set<std::string>& known) {
    MITRAL_CHECK(only(value,
                      {"type", "description", "handler", "handlerProperties", "files", "updateId"},
                      "a step"));
    Step step;
    MITRAL_TRY(step.description, text(value, "description", max_step_description, false));
    const auto type = text_member(value, "type", "inline");
    if (type == "inline")
        return read_inline_step(value, std::move(step), known);
    if (type != "reference")
        return bad("a step is neither inline nor reference");
    MITRAL_TRY(step.reference, read_id(value));
    return step;
}

base::Result<std::vector<Step>> read_steps(const Json& body, const std::set<std::string>& known) {
    const auto* instructions = member(body, "instructions");
    if (instructions == nullptr)
        return bad("instructions are missing");
    MITRAL_CHECK(only(*instructions, {"steps"}, "instructions"));
    MITRAL_TRY(const auto* values, list(*instructions, "steps", 1, max_steps));
    std::vector<Step> steps;
    for (const auto& value : *values) {
        MITRAL_TRY(auto step, read_step(value, known));
        steps.push_back(std::move(step));
    }
    return steps;
}

base::Result<std::vector<UpdateFile>> read_files(const Json& body, std::set<std::string>& names) {
    MITRAL_TRY(const auto* values, list(body, "files", 0, max_files));
    std::vector<UpdateFile> files;
    std::int64_t total = 0;
    for (const auto& value : *values) {
        MITRAL_TRY(auto file, read_file(value));
        total += file.size;
        auto fresh = names.insert(file.name).second;
        for (const auto& related : file.related) {
            total += related.size;
            fresh = names.insert(related.name).second && fresh;
        }
        if (!fresh)
            return bad("two files are called the same");
        files.push_back(std::move(file));
    }
    if (total > max_update_bytes)
        return base::fail(CloudError::too_large, "import manifest: files of more than 2 GiB");
    return files;
}

using Version = std::array<std::uint32_t, 4>;

// Two to four numbers up to 2^31 - 1; what is missing counts as 0.
bool read_version(std::string_view text, Version& version) {
    std::size_t parts = 0;
    while (parts < version.size()) {
        const auto* end = text.data() + text.size();
        const auto [at, error] = std::from_chars(text.data(), end, version[parts]);
        if (error != std::errc() || version[parts] > 0x7fff'ffffU || at == text.data())
            return false;
        ++parts;
        if (at == end)
            return parts >= 2;
        if (*at != '.')
            return false;
        text.remove_prefix(static_cast<std::size_t>(at - text.data()) + 1);
    }
    return false;
}

}  // namespace

base::Status check_id(const UpdateId& id) {
    constexpr std::string_view alphabet =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-";
    for (const auto* part : {&id.provider, &id.name})
        if (part->empty() || part->size() > max_id_part ||
            part->find_first_not_of(alphabet) != std::string::npos)
            return bad("provider and name are letters, digits, '.' and '-'");
    Version version{};
    if (id.version.size() > max_id_part || !read_version(id.version, version))
        return bad("version is not two to four numbers");
    return {};
}

bool is_older(std::string_view version, std::string_view than) {
    Version left{};
    Version right{};
    return read_version(version, left) && read_version(than, right) && left < right;
}

base::Result<ImportManifest> parse_import_manifest(std::string_view source) {
    if (source.size() > max_import_manifest)
        return base::fail(CloudError::too_large, "import manifest");
    MITRAL_TRY(const auto body, parse_json(source));
    MITRAL_CHECK(only(body,
                      {"$schema", "updateId", "description", "compatibility", "isDeployable",
                       "instructions", "files", "manifestVersion", "createdDateTime"},
                      "the manifest"));
    ImportManifest manifest;
    MITRAL_TRY(manifest.schema_version, text(body, "manifestVersion", 8, true));
    if (manifest.schema_version != "5.0" && manifest.schema_version != "4.0")
        return bad("manifestVersion is neither 5.0 nor 4.0");
    MITRAL_TRY(manifest.id, read_id(body));
    MITRAL_TRY(manifest.description, text(body, "description", max_description, false));
    MITRAL_TRY(manifest.created, text(body, "createdDateTime", 40, true));
    if (!base::from_iso8601(manifest.created))
        return bad("createdDateTime is no time");
    if (const auto* deployable = member(body, "isDeployable"); deployable != nullptr) {
        if (!deployable->is_boolean())
            return bad("isDeployable is no boolean");
        manifest.deployable = deployable->get<bool>();
    }
    MITRAL_TRY(const auto* sets, list(body, "compatibility", 1, max_sets));
    for (const auto& set : *sets) {
        MITRAL_TRY(auto properties, texts(set, 1, max_properties, max_property));
        manifest.compatibility.push_back(std::move(properties));
    }
    std::set<std::string> names;
    MITRAL_TRY(manifest.files, read_files(body, names));
    MITRAL_TRY(manifest.steps, read_steps(body, names));
    return manifest;
}

}  // namespace mitral::cloud::adu
