// Import manifests: whatever is accepted keeps its bounds and makes a manifest for devices.
#include <cstdlib>

#include "base/bytes.hpp"
#include "cloud/adu/device_manifest.hpp"
#include "cloud/json.hpp"

namespace {

using namespace mitral::cloud::adu;

void require(bool condition) {
    if (!condition)
        std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto manifest = parse_import_manifest(mitral::base::as_text({data, size}));
    if (!manifest)
        return 0;
    require(check_id(manifest->id).has_value());
    require(!is_older(manifest->id.version, manifest->id.version));
    require(!manifest->steps.empty() && !manifest->compatibility.empty());
    require(is_compatible(*manifest, manifest->compatibility.front()));
    DeviceManifestParts parts;
    std::int64_t total = 0;
    const auto add = [&](const FileDescription& file) {
        require(file.name.find('/') == std::string::npos);
        require(parts.ids.emplace(file.name, "f" + std::to_string(parts.ids.size())).second);
        total += file.size;
    };
    for (const auto& file : manifest->files) {
        add(file);
        for (const auto& related : file.related)
            add(related);
    }
    require(total <= max_update_bytes);
    for (const auto& step : manifest->steps)
        if (step.handler.empty())
            parts.children.push_back({"c" + std::to_string(parts.children.size()), {}});
    const auto json = mitral::cloud::Json::parse(device_manifest(*manifest, parts));
    require(json.at("updateId").at("version") == manifest->id.version);
    require(json.at("files").size() == manifest->files.size() + parts.children.size());
    return 0;
}
