#include "cloud/adu/log_collections.hpp"

#include "cloud/adu/rows.hpp"
#include "cloud/error.hpp"
#include "cloud/json.hpp"
#include "cloud/store/transaction.hpp"

namespace mitral::cloud::adu {
namespace {

constexpr std::int64_t diagnostics_success = 200;

LogCollection read_collection(const store::Statement& row) {
    return {row.text(0), row.text(1), {row.integer(2)}};
}

std::string code_text(const Json& said, std::string_view name) {
    const auto* code = member(said, name);
    if (code == nullptr)
        return {};
    return code->is_string() ? code->get<std::string>() : dump(*code);
}

}  // namespace

base::Status LogCollections::save(std::string_view collection, const LogDevice& device) {
    auto put = database_.prepare(
        "INSERT OR REPLACE INTO adu_log_device (collection, device, module, status, result_code, "
        "extended, updated) VALUES (?, ?, ?, ?, ?, ?, ?)");
    put.bind(collection).bind(device.device).bind(device.module).bind(device.status);
    return run(put.bind(device.result_code).bind(device.extended_code).bind(clock_.wall().ms));
}

base::Result<LogCollection> LogCollections::add(LogCollection collection,
                                                const std::vector<LogDevice>& devices) {
    MITRAL_TRY(const auto known, find(collection.id));
    if (known)
        return base::fail(CloudError::already_exists, "log collection " + collection.id);
    collection.created = clock_.wall();
    MITRAL_TRY(auto transaction, store::Transaction::begin(database_));
    auto insert = database_.prepare("INSERT INTO adu_log_collection VALUES (?, ?, ?)");
    MITRAL_CHECK(
        run(insert.bind(collection.id).bind(collection.description).bind(collection.created.ms)));
    for (const auto& device : devices)
        MITRAL_CHECK(save(collection.id, device));
    MITRAL_CHECK(transaction.commit());
    return collection;
}

base::Result<std::optional<LogCollection>> LogCollections::find(std::string_view id) const {
    auto query =
        database_.prepare("SELECT id, description, created FROM adu_log_collection WHERE id = ?");
    MITRAL_TRY(const bool found, query.bind(id).step());
    return found ? std::optional(read_collection(query)) : std::nullopt;
}

base::Result<std::vector<LogCollection>> LogCollections::list() const {
    auto query = database_.prepare(
        "SELECT id, description, created FROM adu_log_collection ORDER BY created DESC, id");
    return read_rows<LogCollection>(query, read_collection);
}

base::Result<std::vector<LogDevice>> LogCollections::devices(std::string_view id) const {
    auto query = database_.prepare(
        "SELECT device, module, status, result_code, extended, updated FROM adu_log_device "
        "WHERE collection = ? ORDER BY device, module");
    query.bind(id);
    return read_rows<LogDevice>(query, [](const auto& row) {
        return LogDevice{row.text(0), row.text(1), row.text(2),
                         row.text(3), row.text(4), {row.integer(5)}};
    });
}

base::Status LogCollections::follow(hub::TwinName name, std::string_view diagnostics) {
    MITRAL_TRY(const auto said, parse_json(diagnostics));
    const auto* code = member(said, "resultCode");
    if (code == nullptr || !code->is_number_integer())
        return {};
    const auto operation = text_member(said, "operationId");
    MITRAL_TRY(const auto known, devices(operation));
    for (const auto& device : known)
        if (device.device == name.device && device.module == name.module)
            return save(operation, {.device = device.device,
                                    .module = device.module,
                                    .status = *code == diagnostics_success ? "Succeeded" : "Failed",
                                    .result_code = dump(*code),
                                    .extended_code = code_text(said, "extendedResultCode")});
    return {};
}

}  // namespace mitral::cloud::adu
