#include "cloud/adu/device_manifest.hpp"

#include <nlohmann/json.hpp>

namespace mitral::cloud::adu {
namespace {

using Ordered = nlohmann::ordered_json;

Ordered id_json(const UpdateId& id) {
    return {{"provider", id.provider}, {"name", id.name}, {"version", id.version}};
}

Ordered file_json(const FileDescription& file) {
    Ordered json{
        {"fileName", file.name}, {"sizeInBytes", file.size}, {"hashes", {{"sha256", file.sha256}}}};
    if (!file.properties.empty())
        json["properties"] = file.properties;
    return json;
}

Ordered steps_json(const ImportManifest& update, const DeviceManifestParts& parts) {
    auto steps = Ordered::array();
    auto child = parts.children.begin();
    for (const auto& step : update.steps) {
        if (step.handler.empty()) {
            steps.push_back({{"type", "reference"}, {"detachedManifestFileId", (child++)->id}});
            continue;
        }
        auto files = Ordered::array();
        for (const auto& name : step.files)
            files.push_back(parts.ids.at(name));
        Ordered json{{"handler", step.handler}, {"files", std::move(files)}};
        if (!step.handler_properties.empty())
            json["handlerProperties"] = Ordered::parse(step.handler_properties);
        steps.push_back(std::move(json));
    }
    return steps;
}

Ordered files_json(const ImportManifest& update, const DeviceManifestParts& parts) {
    auto files = Ordered::object();
    for (const auto& file : update.files) {
        auto json = file_json(file);
        for (const auto& related : file.related)
            json["relatedFiles"][parts.ids.at(related.name)] = file_json(related);
        if (!file.download_handler.empty())
            json["downloadHandler"] = {{"id", file.download_handler}};
        files[parts.ids.at(file.name)] = std::move(json);
    }
    for (const auto& child : parts.children)
        files[child.id] = file_json(child.file);
    return files;
}

}  // namespace

std::string device_manifest(const ImportManifest& update, const DeviceManifestParts& parts) {
    auto compatibility = Ordered::array();
    for (const auto& set : update.compatibility)
        compatibility.push_back(set);
    const Ordered json{{"manifestVersion", "5"},
                       {"updateId", id_json(update.id)},
                       {"compatibility", std::move(compatibility)},
                       {"instructions", {{"steps", steps_json(update, parts)}}},
                       {"files", files_json(update, parts)},
                       {"createdDateTime", update.created}};
    return json.dump(-1, ' ', false, Ordered::error_handler_t::replace);
}

std::string detached_manifest(const ImportManifest& update, const IdentifiedFile& whole) {
    const Ordered json{{"manifestVersion", "5"},
                       {"updateId", id_json(update.id)},
                       {"detachedManifestFileId", whole.id},
                       {"files", {{whole.id, file_json(whole.file)}}},
                       {"createdDateTime", update.created}};
    return json.dump(-1, ' ', false, Ordered::error_handler_t::replace);
}

}  // namespace mitral::cloud::adu
