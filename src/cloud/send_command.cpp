#include "cloud/send_command.hpp"

#include <unistd.h>

#include "azure/text.hpp"
#include "base/file.hpp"
#include "cloud/admin_client.hpp"
#include "cloud/error.hpp"

namespace mitral::cloud {

base::Status send_message(const std::string& state, const std::string& device,
                          const SendOrder& order) {
    auto path = "/devices/" + azure::percent_encode(device) + "/messages";
    char joint = '?';
    const auto add = [&](std::string_view name, std::string_view value) {
        if (value.empty())
            return;
        path += std::exchange(joint, '&');
        path += azure::percent_encode(name) + "=" + azure::percent_encode(value);
    };
    add("mid", order.message_id);
    add("ct", order.content_type);
    add("ack", order.ack);
    add("ttl_s", order.ttl_s);
    for (const auto& property : order.properties) {
        const auto equals = property.find('=');
        if (equals == std::string::npos || equals == 0)
            return base::fail(CloudError::invalid_argument,
                              "--property takes name=value, not \"" + property + "\"");
        path += std::exchange(joint, '&');
        path += "p." + azure::percent_encode(property.substr(0, equals)) + "=" +
                azure::percent_encode(property.substr(equals + 1));
    }
    MITRAL_TRY(const auto answer, ask_server(state, "POST", path, order.body));
    return base::write_all(STDOUT_FILENO, base::as_bytes(answer + "\n"));
}

}  // namespace mitral::cloud
