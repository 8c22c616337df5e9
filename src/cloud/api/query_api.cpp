#include "cloud/api/query_api.hpp"

#include <algorithm>

#include "cloud/api/json.hpp"
#include "cloud/api/paging.hpp"
#include "cloud/api/service_calls.hpp"
#include "cloud/api/twins_api.hpp"
#include "cloud/error.hpp"
#include "cloud/query/continuation.hpp"
#include "cloud/query/evaluate.hpp"

namespace mitral::cloud::api {
namespace {

using query::Continuation;

constexpr std::size_t batch = 200;

struct Page {
    Json rows = Json::array();
    std::optional<Continuation> next{};
    std::size_t bytes = 0;

    // False when the row belongs to the next page. Fails with too_large when it fits none.
    base::Result<bool> take(Json row) {
        const auto size = dump(row).size();
        if (size > QueryApi::max_page_bytes)
            return base::fail(CloudError::too_large, "a row above 1 MiB; select less");
        if (bytes + size > QueryApi::max_page_bytes)
            return false;
        bytes += size;
        rows.push_back(std::move(row));
        return true;
    }
};

// Documents of a collection one after the other, from a place on.
class Reader {
  public:
    Reader(const QueryApi& api, query::Query::Collection collection, Continuation start)
        : api_(api),
          kind_(collection == query::Query::Collection::modules ? hub::Twins::Of::modules
                                                                : hub::Twins::Of::devices),
          at_(std::move(start)) {}

    // Null at the end. The document lives until the next call.
    base::Result<const Json*> next() {
        if (unread_ == twins_.size()) {
            MITRAL_TRY(twins_, api_.twins.page(kind_, {at_.device, at_.module}, batch));
            unread_ = 0;
            if (twins_.empty())
                return nullptr;
        }
        const auto& twin = twins_[unread_++];
        at_.device = twin.device;
        at_.module = twin.module;
        document_ = Json::parse(twin_json(twin, api_.service.is_connected(client_id(twin.name()))),
                                nullptr, false);
        return &document_;
    }
    [[nodiscard]] const Continuation& place() const noexcept { return at_; }

  private:
    const QueryApi& api_;
    hub::Twins::Of kind_;
    Continuation at_;
    std::vector<hub::Twin> twins_;
    std::size_t unread_ = 0;
    Json document_;
};

base::Result<Page> plain_page(const QueryApi& api, const query::Query& query,
                              const Continuation& start, std::size_t size) {
    const auto left = query.top ? *query.top - std::min<std::size_t>(*query.top, start.given)
                                : std::numeric_limits<std::size_t>::max();
    Page page;
    Reader reader(api, query.collection, start);
    Continuation next = start;
    for (std::size_t scanned = 0;; ++scanned) {
        if (page.rows.size() == left)
            return page;
        if (scanned == QueryApi::max_scanned) {
            next = {reader.place().device, reader.place().module, start.given + page.rows.size()};
            break;
        }
        MITRAL_TRY(const auto* document, reader.next());
        if (document == nullptr)
            return page;
        if (!query::matches(query, *document))
            continue;
        if (page.rows.size() == size)  // one more than the page holds: there is a next one
            break;
        MITRAL_TRY(const bool taken, page.take(query::project(query, *document)));
        if (!taken)
            break;
        next = {reader.place().device, reader.place().module, start.given + page.rows.size()};
    }
    page.next = next;
    return page;
}

base::Result<Page> totals_page(const QueryApi& api, const query::Query& query,
                               const Continuation& start, std::size_t size) {
    query::Groups groups(query);
    Reader reader(api, query.collection, {});
    for (;;) {
        MITRAL_TRY(const auto* document, reader.next());
        if (document == nullptr)
            break;
        if (query::matches(query, *document))
            MITRAL_CHECK(groups.add(*document));
    }
    auto rows = groups.rows();
    if (query.top)
        rows.resize(std::min(rows.size(), *query.top));
    const auto first = std::min<std::size_t>(rows.size(), start.given);
    Page page;
    auto given = first;
    for (; given < rows.size() && page.rows.size() < size; ++given) {
        MITRAL_TRY(const bool taken, page.take(std::move(rows[given])));
        if (!taken)
            break;
    }
    if (given < rows.size())
        page.next = Continuation{.given = given};
    return page;
}

base::Result<http::Response> run(const QueryApi& api, const http::Request& request) {
    MITRAL_TRY(const auto body, parse_json(request.body));
    const auto text = text_member(body, "query");
    if (text.empty())
        return base::fail(CloudError::invalid_argument, "body is {\"query\":\"SELECT …\"}");
    MITRAL_TRY(const auto query, query::parse(text));
    MITRAL_TRY(const auto size, page_size(request));
    MITRAL_TRY(const auto start, query::decode(request.header("x-ms-continuation"), text));
    MITRAL_TRY(const auto page, query.aggregates() ? totals_page(api, query, start, size)
                                                   : plain_page(api, query, start, size));
    auto response = json_response(200, page.rows);
    response.headers.emplace_back("x-ms-item-type", query.everything ? "twin" : "raw");
    if (page.next)
        response.headers.emplace_back("x-ms-continuation", query::encode(*page.next, text));
    return response;
}

}  // namespace

void QueryApi::mount(http::Router& router) const {
    router.add(http::Method::post, "/devices/query",
               guarded(authenticator, hub::service_connect,
                       [self = *this](const http::Request& request, const http::Captures&) {
                           auto response = run(self, request);
                           return response ? *std::move(response) : refusal_of(response.error());
                       }));
}

}  // namespace mitral::cloud::api
