#include "cloud/api/devicebound_api.hpp"

#include "cloud/api/json.hpp"
#include "cloud/api/service_calls.hpp"
#include "cloud/error.hpp"

namespace mitral::cloud::api {
namespace {

using http::Captures;
using http::Method;
using http::Request;
using http::Response;
using HeaderList = std::vector<std::pair<std::string, std::string>>;

Response refused(const base::Error& error) {
    if (error.code == CloudError::stale_etag)
        return service_refusal(412, "DeviceMessageLockLost", error.context);
    if (error.code == CloudError::queue_full)
        return service_refusal(403, "DeviceMaximumQueueDepthExceeded", error.context);
    return refusal_of(error);
}

// A header is one line: what would end it is left out.
void add_header(HeaderList& headers, std::string name, std::string_view value) {
    const auto harmful = [](char c) { return static_cast<unsigned char>(c) < ' ' || c == 0x7f; };
    if (!value.empty() && std::none_of(value.begin(), value.end(), harmful) &&
        name.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                               "!#$%&'*+-.^_`|~") == std::string::npos)
        headers.emplace_back(std::move(name), value);
}

Response to_response(const std::string& device, hub::DeviceboundDelivery delivery) {
    Response response;
    auto& message = delivery.message;
    auto& headers = response.headers;
    add_header(headers, "ETag", "\"" + delivery.lock_token + "\"");
    add_header(headers, "iothub-sequencenumber", std::to_string(delivery.sequence));
    add_header(headers, "iothub-deliverycount", std::to_string(delivery.deliveries - 1));
    add_header(headers, "iothub-enqueuedtime", base::to_iso8601(delivery.enqueued));
    add_header(headers, "iothub-expiry", base::to_iso8601(delivery.expires));
    add_header(headers, "iothub-to", "/devices/" + device + "/messages/devicebound");
    add_header(headers, "iothub-messageid", message.message_id);
    add_header(headers, "iothub-correlationid", message.correlation_id);
    add_header(headers, "iothub-userid", message.user_id);
    add_header(headers, "iothub-contenttype", message.content_type);
    add_header(headers, "iothub-contentencoding", message.content_encoding);
    for (const auto& property : message.properties)
        add_header(headers, "iothub-app-" + property.name, property.value.value_or(""));
    response.content_type = "application/octet-stream";
    response.body = std::move(message.body);
    return response;
}

Response receive(DeviceboundApi& api, const Captures& at) {
    auto delivery = api.queue.take(at[0]);
    if (!delivery)
        return refused(delivery.error());
    return *delivery ? to_response(at[0], **std::move(delivery)) : no_content();
}

Response settled(const base::Status& done) {
    return done ? no_content() : refused(done.error());
}

Response remove(DeviceboundApi& api, const Request& request, const Captures& at) {
    return settled(request.query.contains("reject") ? api.queue.reject(at[0], at[1])
                                                    : api.queue.complete(at[0], at[1]));
}

Response abandon(DeviceboundApi& api, const Captures& at) {
    const auto done = api.queue.abandon(at[0], at[1]);
    if (done)
        api.channel.wake(at[0]);
    return settled(done);
}

Response purge(DeviceboundApi& api, const Captures& at) {
    const auto purged = api.queue.purge(at[0]);
    if (!purged)
        return refused(purged.error());
    return json_response(
        200, {{"totalMessagesPurged", *purged}, {"deviceId", at[0]}, {"moduleId", nullptr}});
}

base::Result<hub::FeedbackWish> read_ack(std::string_view text) {
    if (text.empty() || text == "none")
        return hub::FeedbackWish::none;
    if (text == "positive")
        return hub::FeedbackWish::positive;
    if (text == "negative")
        return hub::FeedbackWish::negative;
    if (text == "full")
        return hub::FeedbackWish::full;
    return base::fail(CloudError::invalid_argument, "ack is none, positive, negative or full");
}

// The body of the request is the message's; what belongs to it stands in the query. Parameters
// that begin with "p." are the application's properties.
base::Result<hub::DeviceboundMessage> read_message(const Request& request) {
    hub::DeviceboundMessage message{.message_id = std::string(request.parameter("mid")),
                                    .correlation_id = std::string(request.parameter("cid")),
                                    .user_id = std::string(request.parameter("uid")),
                                    .content_type = std::string(request.parameter("ct")),
                                    .content_encoding = std::string(request.parameter("ce")),
                                    .body = request.body};
    MITRAL_TRY(message.ack, read_ack(request.parameter("ack")));
    if (const auto ttl = request.parameter("ttl_s"); !ttl.empty()) {
        if (ttl.size() > 6 || ttl.find_first_not_of("0123456789") != std::string_view::npos)
            return base::fail(CloudError::invalid_argument, "ttl_s is no number");
        message.time_to_live = base::Seconds(std::stol(std::string(ttl)));
    }
    for (const auto& [name, value] : request.query)
        if (name.starts_with("p."))
            message.properties.emplace_back(std::string_view(name).substr(2), value);
    return message;
}

Response send(DeviceboundAdminApi& api, const Request& request, const std::string& device) {
    auto message = read_message(request);
    if (!message)
        return refused(message.error());
    const auto sequence = api.queue.send(device, *std::move(message));
    if (!sequence)
        return refused(sequence.error());
    api.channel.wake(device);
    return json_response(200, {{"sequence", *sequence}});
}

Response feedback(DeviceboundAdminApi& api, const Request& request) {
    const auto from = request.parameter("from");
    if (from.size() > 18 || from.find_first_not_of("0123456789") != std::string_view::npos)
        return service_refusal(400, "ArgumentInvalid", "from is no number");
    constexpr std::size_t page = 10'000;
    const auto records = api.queue.feedback(from.empty() ? 0 : std::stol(std::string(from)), page);
    if (!records)
        return refused(records.error());
    Response response;
    response.content_type = "application/x-ndjson";
    for (const auto& record : *records)
        response.body += Json{{"sequence", record.sequence},
                              {"enqueuedTimeUtc", base::to_iso8601(record.at)},
                              {"originalMessageId", record.message_id},
                              {"deviceId", record.device},
                              {"deviceGenerationId", record.generation},
                              {"statusCode", record.outcome}}
                             .dump(-1, ' ', false, Json::error_handler_t::replace) +
                         "\n";
    return response;
}

}  // namespace

void DeviceboundApi::mount(http::Router& router) {
    const auto own = [self = *this](auto action) {
        return [self, action](const Request& request, const Captures& at) mutable {
            const auto allowed = self.authenticator.request(at[0], {}, credential_of(request));
            return allowed ? action(self, request, at) : unauthorised(request, allowed.error());
        };
    };
    router.add(Method::get, "/devices/{device}/messages/devicebound",
               own([](DeviceboundApi& api, const Request&, const Captures& at) {
                   return receive(api, at);
               }));
    router.add(Method::remove, "/devices/{device}/messages/devicebound/{lock}",
               own([](DeviceboundApi& api, const Request& request, const Captures& at) {
                   return remove(api, request, at);
               }));
    router.add(Method::post, "/devices/{device}/messages/devicebound/{lock}/abandon",
               own([](DeviceboundApi& api, const Request&, const Captures& at) {
                   return abandon(api, at);
               }));
    router.add(Method::remove, "/devices/{device}/commands",
               guarded(authenticator, hub::service_connect,
                       [self = *this](const Request&, const Captures& at) mutable {
                           return purge(self, at);
                       }));
}

void DeviceboundAdminApi::mount(http::Router& router) {
    router.add(Method::post, "/devices/{device}/messages",
               [self = *this](const Request& request, const Captures& at) mutable {
                   return send(self, request, at[0]);
               });
    router.add(Method::get, "/feedback",
               [self = *this](const Request& request, const Captures&) mutable {
                   return feedback(self, request);
               });
}

}  // namespace mitral::cloud::api
