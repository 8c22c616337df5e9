#include "cloud/hub/method_body.hpp"

#include "cloud/error.hpp"

namespace mitral::cloud::hub {
namespace {

base::Result<base::Seconds> timeout(const Json& body, std::string_view name, std::int64_t fallback,
                                    std::int64_t least) {
    const auto* given = member(body, name);
    if (given == nullptr || given->is_null())
        return base::Seconds(fallback);
    constexpr std::int64_t most = 300;
    if (!given->is_number_integer() || given->get<std::int64_t>() < least ||
        given->get<std::int64_t>() > most)
        return base::fail(CloudError::invalid_argument, std::string(name) + " is out of range");
    return base::Seconds(given->get<std::int64_t>());
}

}  // namespace

base::Result<MethodCall> read_method_call(const Json& body, std::string client_id) {
    MethodCall call{.client_id = std::move(client_id), .name = text_member(body, "methodName")};
    if (call.name.empty() || call.name.size() > max_method_name)
        return base::fail(CloudError::invalid_argument, "methodName is 1 to 256 bytes");
    MITRAL_TRY(call.response_timeout, timeout(body, "responseTimeoutInSeconds", 30, 5));
    MITRAL_TRY(call.connect_timeout, timeout(body, "connectTimeoutInSeconds", 0, 0));
    const auto* payload = member(body, "payload");
    call.payload = payload == nullptr
                       ? std::string("null")
                       : payload->dump(-1, ' ', false, Json::error_handler_t::replace);
    if (call.payload.size() > max_method_payload)
        return base::fail(CloudError::too_large, "payload above 128 KiB");
    return call;
}

}  // namespace mitral::cloud::hub
