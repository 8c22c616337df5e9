#include "cloud/hub/twin_document.hpp"

#include "cloud/error.hpp"
#include "cloud/hub/twin_limits.hpp"

namespace mitral::cloud::hub {
namespace {

constexpr std::string_view never = R"({"$lastUpdated":"0001-01-01T00:00:00Z"})";

// Time and, for desired properties, version of a change, put beside every value that it touches.
class Stamp {
  public:
    Stamp(TwinPart part, std::int64_t version, base::WallTime now) {
        mark_["$lastUpdated"] = base::to_iso8601(now);
        if (part == TwinPart::desired)
            mark_["$lastUpdatedVersion"] = version;
    }
    void put(Json& metadata) const { metadata.update(mark_); }

  private:
    Json mark_ = Json::object();
};

struct Document {
    Json values;
    Json metadata;
};

void merge(Json& values, Json& metadata, const Json& patch, const Stamp& stamp) {
    for (const auto& [key, value] : patch.items()) {
        if (value.is_null()) {
            values.erase(key);
            metadata.erase(key);
            continue;
        }
        auto& place = values[key];
        auto& mark = metadata[key];
        if (!value.is_object() || !place.is_object() || !mark.is_object())
            mark = Json::object();
        if (value.is_object()) {
            if (!place.is_object())
                place = Json::object();
            merge(place, mark, value, stamp);
        } else {
            place = value;
            stamp.put(mark);
        }
    }
    stamp.put(metadata);
}

// What the service itself stored is well-formed; an empty object stands in for a damaged one.
Json stored(std::string_view text) {
    auto parsed = Json::parse(text, nullptr, false);
    return parsed.is_object() ? parsed : Json::object();
}

base::Result<Json> read_patch(std::string_view text) {
    if (text.size() > max_patch_text)
        return base::fail(CloudError::too_large, "patch above 256 KiB");
    MITRAL_TRY(auto patch, parse_json(text));
    if (!patch.is_object())
        return base::fail(CloudError::invalid_argument, "a twin's part is a JSON object");
    patch.erase("$version");
    patch.erase("$metadata");
    MITRAL_CHECK(check_twin_values(patch));
    return patch;
}

// A part that is too large already may shrink.
base::Status check_growth(TwinPart part, const Json& before, const Json& after) {
    const auto size = twin_size(after);
    if (size > max_size(part) && size > twin_size(before))
        return base::fail(CloudError::too_large, "twin: " + std::to_string(size) + " of " +
                                                     std::to_string(max_size(part)) + " allowed");
    return {};
}

base::Result<TwinStep> finish(TwinPart part, const Json& before, const Document& document,
                              std::int64_t version, const Json& patch) {
    MITRAL_CHECK(check_growth(part, before, document.values));
    const bool marked = part != TwinPart::tags;
    return TwinStep{{dump(document.values), marked ? dump(document.metadata) : "", version},
                    dump(patch)};
}

// `after`, and null for everything that it lacks.
Json difference(const Json& before, const Json& after) {
    auto patch = after;
    for (const auto& [key, value] : before.items()) {
        const auto found = after.find(key);
        if (found == after.end())
            patch[key] = nullptr;
        else if (value.is_object() && found->is_object())
            patch[key] = difference(value, *found);
    }
    return patch;
}

std::string append_member(std::string_view object, std::string_view member) {
    std::string text(object.substr(0, object.size() - 1));
    if (text.size() > 1)
        text += ',';
    return text.append(member) + '}';
}

}  // namespace

base::Result<TwinStep> patched(TwinPart part, const TwinSection& before, std::string_view text,
                               base::WallTime now) {
    MITRAL_TRY(const auto patch, read_patch(text));
    const auto old = stored(before.values);
    const auto version = before.version + 1;
    Document document{old, stored(before.metadata)};
    merge(document.values, document.metadata, patch, Stamp(part, version, now));
    // A merge may nest no deeper than its two sides, each of which was checked.
    return finish(part, old, document, version, patch);
}

base::Result<TwinStep> replaced(TwinPart part, const TwinSection& before, std::string_view text,
                                base::WallTime now) {
    MITRAL_TRY(const auto wanted, read_patch(text));
    const auto old = stored(before.values);
    const auto version = before.version + 1;
    Document document{Json::object(), Json::object()};
    merge(document.values, document.metadata, wanted, Stamp(part, version, now));
    return finish(part, old, document, version, difference(old, document.values));
}

std::string with_version(std::string_view object, std::int64_t version) {
    return append_member(object, "\"$version\":" + std::to_string(version));
}

std::string with_metadata(const TwinSection& section) {
    const auto& metadata = section.metadata.empty() ? std::string(never) : section.metadata;
    return with_version(append_member(section.values, "\"$metadata\":" + metadata),
                        section.version);
}

}  // namespace mitral::cloud::hub
