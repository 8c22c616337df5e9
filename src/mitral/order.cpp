#include "mitral/order.hpp"

#include <algorithm>

#include "azure/ids.hpp"
#include "azure/sas.hpp"
#include "base/encoding.hpp"
#include "base/errors.hpp"
#include "base/file.hpp"
#include "mitral/secret_files.hpp"
#include "vault/client.hpp"
#include "vault/errors.hpp"
#include "vault/station.hpp"

namespace mitral::cli {
namespace {

constexpr std::size_t max_text_file = 8 * 1024;  // bytes; above any order or statement in base64

auto invalid(std::string text) {
    return base::fail(base::BaseError::invalid_setting, std::move(text));
}

base::Result<vault::OrderKind> kind_named(const std::string& name) {
    using enum vault::OrderKind;
    for (const auto kind : {rotate, confirm_rotation, policy, quarantine, release, wipe})
        if (vault::to_string(kind) == name)
            return kind;
    return invalid("--kind is rotate, confirm-rotation, policy, quarantine, release or wipe");
}

base::Result<base::Bytes> read_base64(const std::string& file, std::string_view what) {
    MITRAL_TRY(auto text, base::read_text_file(file, max_text_file));
    text.erase(text.find_last_not_of(" \r\n") + 1);
    auto bytes = base::from_base64(text);
    if (!bytes)
        return invalid(file + " is no " + std::string(what) + " (one line of base64)");
    return bytes;
}

base::Result<vault::Statement> read_statement(const OrderArguments& arguments) {
    MITRAL_TRY(const auto bytes, read_base64(arguments.statement_file, "statement"));
    return vault::decode_statement(bytes);
}

base::Result<std::vector<vault::WrappedKey>> new_keys(const OrderArguments& arguments) {
    if (arguments.statement_file.empty() || arguments.about.group_key_file.empty())
        return invalid("rotate needs --group-key-file and --statement (mitral order statement)");
    MITRAL_TRY(const auto statement, read_statement(arguments));
    MITRAL_TRY(const auto group_key, read_group_key(arguments.about.group_key_file));
    const auto device_key =
        azure::derive_device_key(group_key.view(), arguments.about.registration_id);
    return vault::wrap_keys(statement, arguments.about.registration_id, device_key.view(),
                            arguments.about.modules);
}

base::Result<base::Bytes> subject_key(const OrderArguments& arguments) {
    if (arguments.about.subject_key_file.empty())
        return base::Bytes{};
    if (arguments.statement_file.empty())
        return invalid("--subject-key needs --statement (mitral order statement)");
    MITRAL_TRY(const auto statement, read_statement(arguments));
    MITRAL_TRY(const auto key, read_subject_key(arguments.about.subject_key_file));
    return vault::wrap_subject_key(statement, arguments.about.registration_id, key.view());
}

base::Status fill(vault::Order& order, const OrderArguments& arguments, const base::Clock& clock) {
    const auto& about = arguments.about;
    MITRAL_CHECK(azure::check_registration_id(about.registration_id));
    const auto now = clock.wall();
    if ((arguments.counter == 0 || arguments.signed_time) &&
        clock.state() == base::ClockState::implausible)
        return base::fail(
            vault::VaultError::clock_refused,
            "this clock is wrong and the order's counter comes from it: set it first");
    order.registration_id = about.registration_id;
    order.counter = arguments.counter != 0 ? arguments.counter : vault::order_counter(now);
    order.reason = arguments.reason;
    if (arguments.signed_time)
        order.time_s = now.unix_seconds();
    if (order.kind == vault::OrderKind::rotate) {
        MITRAL_TRY(order.keys, new_keys(arguments));
    }
    if (order.kind == vault::OrderKind::policy) {
        MITRAL_TRY(order.policy, make_policy(about));
        MITRAL_TRY(order.subject_key, subject_key(arguments));
    } else if (!about.subject_key_file.empty()) {
        return invalid("--subject-key goes with policy (or with mitral provision)");
    }
    return {};
}

}  // namespace

base::Result<std::string> sign_order(const OrderArguments& arguments, const base::Clock& clock) {
    const bool by_fleet = !arguments.fleet_key_file.empty();
    if (by_fleet == !arguments.about.station_key_file.empty())
        return invalid("name one key that signs: --station-key or --fleet-key");
    vault::Order order;
    MITRAL_TRY(order.kind, kind_named(arguments.kind));
    order.signer = by_fleet ? vault::Authority::fleet : vault::Authority::station;
    MITRAL_CHECK(fill(order, arguments, clock));
    MITRAL_TRY(const auto key, read_station_key(by_fleet ? arguments.fleet_key_file
                                                         : arguments.about.station_key_file));
    MITRAL_TRY(const auto bytes, vault::sign_order(order, key));
    return base::to_base64(bytes) + "\n";
}

base::Result<vault::Order> execute_order(const std::string& vault_socket, const std::string& file) {
    MITRAL_TRY(const auto bytes, read_base64(file, "signed order"));
    MITRAL_TRY(const auto parsed, vault::parse_order(bytes));
    MITRAL_TRY(const auto vault, vault::Client::connect(vault_socket));
    MITRAL_CHECK(vault->execute(bytes));
    return parsed.order;
}

base::Result<std::string> print_statement(const std::string& vault_socket) {
    MITRAL_TRY(const auto vault, vault::Client::connect(vault_socket));
    MITRAL_TRY(const auto statement, vault->begin_provisioning());
    return base::to_base64(statement) + "\n";
}

}  // namespace mitral::cli
