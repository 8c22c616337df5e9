#include "cloud/api/admin_api.hpp"

#include <fmt/format.h>

#include <charconv>
#include <optional>

#include "cloud/api/faults_api.hpp"
#include "cloud/api/registry_api.hpp"
#include "cloud/log/tail.hpp"

namespace mitral::cloud::api {
namespace {

using http::BodySource;
using http::Captures;
using http::Method;
using http::Request;
using http::Response;

constexpr std::size_t list_limit = 1'000'000;

// The log as NDJSON; with `follow` it goes on with what is still to come.
class LogStream final : public BodySource {
  public:
    LogStream(const log::MessageLog& log, log::Broadcast& news, std::uint64_t from, bool follow)
        : tail_(log, from), news_(news), follow_(follow) {}

    base::Result<Piece> next(std::size_t limit) override {
        MITRAL_TRY(auto lines, tail_.next(limit));
        if (!lines.empty())
            return Piece{State::more, std::move(lines)};
        return Piece{follow_ ? State::waiting : State::finished, {}};
    }

    void on_more(std::function<void()> wake) override { news_.wait(std::move(wake)); }

  private:
    log::Tail tail_;
    log::Broadcast& news_;
    bool follow_;
};

std::optional<std::int64_t> number(std::string_view text, std::int64_t maximum) {
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size() || value < 0 || value > maximum)
        return std::nullopt;
    return value;
}

Response plain(unsigned status, std::string body, std::string type = "application/json") {
    Response response;
    response.status = status;
    response.body = std::move(body);
    response.content_type = std::move(type);
    return response;
}

Response bad_parameter(std::string_view what) {
    return plain(400,
                 fmt::format("{{\"Message\":\"parameter {} is missing or out of range\"}}", what));
}

Response log_tail(const AdminApi& api, const Request& request) {
    const auto wanted = request.parameter("from");
    const auto from = wanted.empty() ? std::optional<std::int64_t>(0)
                                     : number(wanted, std::numeric_limits<std::int64_t>::max());
    if (!from)
        return bad_parameter("from");
    Response response;
    response.content_type = "application/x-ndjson";
    response.source = std::make_unique<LogStream>(
        api.log, api.news, static_cast<std::uint64_t>(*from), request.parameter("follow") == "1");
    return response;
}

// A hub may have more devices than fit the output queue of a connection.
class DeviceLines final : public BodySource {
  public:
    DeviceLines(std::vector<hub::Device> devices, const hub::Service& hub)
        : devices_(std::move(devices)), hub_(hub) {}

    base::Result<Piece> next(std::size_t limit) override {
        Piece piece{State::more, {}};
        for (; told_ < devices_.size() && piece.data.size() < limit; ++told_) {
            const auto& device = devices_[told_];
            fmt::format_to(std::back_inserter(piece.data),
                           R"({{"deviceId":"{}","status":"{}","connected":{}}})"
                           "\n",
                           device.id, device.enabled ? "enabled" : "disabled",
                           hub_.is_connected(device.id));
        }
        if (told_ == devices_.size())
            piece.state = State::finished;
        return piece;
    }
    void on_more(std::function<void()>) override {}  // it never waits

  private:
    std::vector<hub::Device> devices_;
    const hub::Service& hub_;
    std::size_t told_ = 0;
};

// Of `top` devices, or all.
Response devices(const AdminApi& api, const Request& request) {
    const auto wanted = request.parameter("top");
    const auto top = wanted.empty() ? std::optional<std::int64_t>(list_limit)
                                    : number(wanted, static_cast<std::int64_t>(list_limit));
    if (!top)
        return bad_parameter("top");
    auto found = api.registry.list(static_cast<std::size_t>(*top));
    if (!found)
        return plain(500, R"({"Message":"storage failed"})");
    Response response;
    response.content_type = "application/x-ndjson";
    response.source = std::make_unique<DeviceLines>(*std::move(found), api.hub);
    return response;
}

}  // namespace

void AdminApi::mount(http::Router& router) {
    const auto with = [self = *this](auto action) {
        return [self, action](const Request& request, const Captures&) mutable {
            return action(self, request);
        };
    };
    router.add(Method::get, "/ready",
               with([](AdminApi&, const Request&) { return plain(200, R"({"ready":true})"); }));
    router.add(Method::get, "/log",
               with([](AdminApi& api, const Request& request) { return log_tail(api, request); }));
    router.add(Method::get, "/devices",
               with([](AdminApi& api, const Request& request) { return devices(api, request); }));
    FaultsApi{faults, hub}.mount(router);
}

}  // namespace mitral::cloud::api
