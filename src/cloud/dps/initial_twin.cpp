#include "cloud/dps/initial_twin.hpp"

#include "cloud/error.hpp"
#include "cloud/json.hpp"

namespace mitral::cloud::dps {

base::Result<hub::TwinChange> read_initial_twin(std::string_view text) {
    MITRAL_TRY(const auto twin, parse_json(text));
    hub::TwinChange change;
    const auto read = [](const Json& holder, std::string_view name) {
        const auto* value = member(holder, name);
        return value != nullptr && !value->is_null() ? std::optional(dump(*value)) : std::nullopt;
    };
    if (!twin.is_object())
        return base::fail(CloudError::invalid_argument, "initialTwin is no object");
    change.tags = read(twin, "tags");
    if (const auto* properties = member(twin, "properties"))
        change.desired = read(*properties, "desired");
    return change;
}

}  // namespace mitral::cloud::dps
