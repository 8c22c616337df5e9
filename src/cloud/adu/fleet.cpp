#include "cloud/adu/fleet.hpp"

#include <algorithm>

#include "base/crypto.hpp"
#include "base/encoding.hpp"
#include "cloud/adu/rows.hpp"
#include "cloud/error.hpp"
#include "cloud/json.hpp"

namespace mitral::cloud::adu {
namespace {

constexpr std::size_t max_properties = 5;
constexpr std::size_t class_id_bytes = 20;
constexpr std::string_view agent_columns =
    "SELECT device, module, class, grp, agent, diagnostics FROM adu_agent ";

const Json* inside(const Json& holder, std::string_view name) {
    const auto* found = holder.is_object() ? member(holder, name) : nullptr;
    return found != nullptr && found->is_object() ? found : nullptr;
}

// The properties that "compatPropertyNames" names; manufacturer and model when it names none.
Compatibility compatibility_of(const Json& agent, const Json& properties) {
    auto names = text_member(agent, "compatPropertyNames", "manufacturer,model");
    Compatibility found;
    std::string_view rest = names;
    while (!rest.empty() && found.size() < max_properties) {
        const auto name = rest.substr(0, rest.find(','));
        rest.remove_prefix(std::min(rest.size(), name.size() + 1));
        if (const auto value = text_member(properties, name); !value.empty())
            found[std::string(name)] = value;
    }
    return found;
}

std::string group_of(const hub::Twin& twin) {
    const auto tags = parse_json(twin.tags);
    const auto group = tags ? text_member(*tags, "ADUGroup") : std::string();
    return group.empty() ? std::string(default_group) : group;
}

Agent read_agent(const store::Statement& row) {
    return {row.text(0), row.text(1), row.text(2), row.text(3), row.text(4), row.text(5)};
}

DeviceClass read_class(const store::Statement& row) {
    DeviceClass found{.id = row.text(0), .model = row.text(1), .friendly_name = row.text(3)};
    if (const auto properties = parse_json(row.text(2)))
        found.properties = properties->get<Compatibility>();
    return found;
}

}  // namespace

std::optional<Sighting> sight(const hub::Twin& twin) {
    if (twin.reported.values.find("\"deviceUpdate\"") == std::string::npos)
        return std::nullopt;
    const auto reported = parse_json(twin.reported.values);
    const auto* update = reported ? inside(*reported, "deviceUpdate") : nullptr;
    const auto* agent = update != nullptr ? inside(*update, "agent") : nullptr;
    const auto* properties = agent != nullptr ? inside(*agent, "deviceProperties") : nullptr;
    if (properties == nullptr)
        return std::nullopt;
    Sighting found{.agent = {.device = twin.device, .module = twin.module}, .device_class = {}};
    auto& device_class = found.device_class;
    device_class.model = text_member(*properties, "contractModelId");
    device_class.properties = compatibility_of(*agent, *properties);
    if (device_class.properties.empty())
        return std::nullopt;
    const auto digest = base::sha256(base::as_bytes(
        dump(Json{{"model", device_class.model}, {"properties", device_class.properties}})));
    device_class.id = base::to_hex(base::ByteView(digest).first(class_id_bytes));
    found.agent.class_id = device_class.id;
    found.agent.group = group_of(twin);
    found.agent.agent = dump(*agent);
    if (const auto* diagnostics = inside(*reported, "diagnosticInformation"))
        if (const auto* said = inside(*diagnostics, "agent"))
            found.agent.diagnostics = dump(*said);
    return found;
}

base::Status Fleet::add_class(const DeviceClass& device_class) {
    if (this->device_class(device_class.id))
        return {};
    auto insert = database_.prepare(
        "INSERT INTO adu_class SELECT ?, ?, ?, '' WHERE (SELECT count(*) FROM adu_class) < ?");
    insert.bind(device_class.id).bind(device_class.model);
    MITRAL_TRY(const auto added,
               insert.bind(dump(Json(device_class.properties))).bind(max_classes).run());
    if (added == 0)
        return base::fail(CloudError::throttled, "too many device classes");
    return {};
}

base::Status Fleet::save(const Sighting& sighting) {
    const auto& agent = sighting.agent;
    const auto& device_class = sighting.device_class;
    const auto now = clock_.wall().ms;
    MITRAL_CHECK(add_class(device_class));
    auto put = database_.prepare(
        "INSERT OR REPLACE INTO adu_agent (device, module, class, grp, agent, diagnostics) "
        "VALUES (?, ?, ?, ?, ?, ?)");
    put.bind(agent.device).bind(agent.module).bind(agent.class_id).bind(agent.group);
    MITRAL_CHECK(run(put.bind(agent.agent).bind(agent.diagnostics)));
    auto add_group = database_.prepare("INSERT OR IGNORE INTO adu_group VALUES (?, ?)");
    MITRAL_CHECK(run(add_group.bind(agent.group).bind(now)));
    auto add_subgroup = database_.prepare("INSERT OR IGNORE INTO adu_subgroup VALUES (?, ?, ?)");
    return run(add_subgroup.bind(agent.group).bind(device_class.id).bind(now));
}

base::Result<std::optional<Agent>> Fleet::find(hub::TwinName name) const {
    auto query = database_.prepare(std::string(agent_columns) + "WHERE device = ? AND module = ?");
    MITRAL_TRY(const bool found, query.bind(name.device).bind(name.module).step());
    return found ? std::optional(read_agent(query)) : std::nullopt;
}

base::Result<std::vector<Agent>> Fleet::agents() const {
    auto query = database_.prepare(std::string(agent_columns) + "ORDER BY device, module");
    return read_rows<Agent>(query, read_agent);
}

base::Result<std::vector<Agent>> Fleet::agents_of(std::string_view group,
                                                  std::string_view class_id) const {
    auto query = database_.prepare(std::string(agent_columns) +
                                   "WHERE grp = ? AND class = ? ORDER BY device, module");
    query.bind(group).bind(class_id);
    return read_rows<Agent>(query, read_agent);
}

base::Result<std::vector<DeviceClass>> Fleet::classes() const {
    auto query =
        database_.prepare("SELECT id, model, properties, friendly_name FROM adu_class ORDER BY id");
    return read_rows<DeviceClass>(query, read_class);
}

base::Result<DeviceClass> Fleet::device_class(std::string_view id) const {
    auto query = database_.prepare(
        "SELECT id, model, properties, friendly_name FROM adu_class WHERE id = ?");
    MITRAL_TRY(const bool found, query.bind(id).step());
    if (!found)
        return base::fail(CloudError::not_found, "no such device class");
    return read_class(query);
}

base::Status Fleet::rename_class(std::string_view id, std::string_view friendly_name) {
    auto update = database_.prepare("UPDATE adu_class SET friendly_name = ? WHERE id = ?");
    return run(update.bind(friendly_name).bind(id));
}

base::Result<std::vector<Group>> Fleet::groups() const {
    auto query = database_.prepare("SELECT id, created FROM adu_group ORDER BY id <> ?, id");
    query.bind(default_group);
    return read_rows<Group>(query,
                            [](const auto& row) { return Group{row.text(0), {row.integer(1)}}; });
}

base::Result<std::vector<Subgroup>> Fleet::subgroups(std::string_view group) const {
    auto query = database_.prepare(
        "SELECT grp, class, created FROM adu_subgroup WHERE grp = ? ORDER BY class");
    query.bind(group);
    return read_rows<Subgroup>(query, [](const auto& row) {
        return Subgroup{row.text(0), row.text(1), {row.integer(2)}};
    });
}

base::Result<std::vector<std::pair<std::string, std::string>>> Fleet::candidates() const {
    auto query = database_.prepare(
        "SELECT device, module FROM twin WHERE instr(reported, '\"deviceUpdate\"') > 0");
    return read_rows<std::pair<std::string, std::string>>(
        query, [](const auto& row) { return std::pair(row.text(0), row.text(1)); });
}

}  // namespace mitral::cloud::adu
