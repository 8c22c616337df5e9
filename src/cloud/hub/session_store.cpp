#include "cloud/hub/session_store.hpp"

namespace mitral::cloud::hub {

base::Result<SessionStore::Opened> SessionStore::open(std::string_view client, bool clean) {
    if (clean) {
        MITRAL_CHECK(forget(client));
        return Opened{};
    }
    auto insert = database_.prepare("INSERT OR IGNORE INTO session (client) VALUES (?)");
    MITRAL_TRY(const auto created, insert.bind(client).run());
    Opened opened{.present = created == 0};
    if (opened.present) {
        MITRAL_TRY(opened.filters, filters(client));
    }
    return opened;
}

base::Status SessionStore::add(std::string_view client, std::string_view filter, std::uint8_t qos) {
    auto insert = database_.prepare(
        "INSERT OR REPLACE INTO subscription (client, filter, qos) VALUES (?, ?, ?)");
    MITRAL_TRY(const auto changed, insert.bind(client).bind(filter).bind(std::int64_t{qos}).run());
    (void)changed;
    return {};
}

base::Status SessionStore::remove(std::string_view client, std::string_view filter) {
    auto statement = database_.prepare("DELETE FROM subscription WHERE client = ? AND filter = ?");
    MITRAL_TRY(const auto changed, statement.bind(client).bind(filter).run());
    (void)changed;
    return {};
}

base::Result<std::vector<std::string>> SessionStore::filters(std::string_view client) const {
    auto query = database_.prepare("SELECT filter FROM subscription WHERE client = ?");
    query.bind(client);
    std::vector<std::string> found;
    for (;;) {
        MITRAL_TRY(const bool row, query.step());
        if (!row)
            return found;
        found.push_back(query.text(0));
    }
}

base::Status SessionStore::forget(std::string_view client) {
    MITRAL_TRY(const auto subscriptions,
               database_.prepare("DELETE FROM subscription WHERE client = ?").bind(client).run());
    MITRAL_TRY(const auto sessions,
               database_.prepare("DELETE FROM session WHERE client = ?").bind(client).run());
    (void)subscriptions;
    (void)sessions;
    return {};
}

}  // namespace mitral::cloud::hub
