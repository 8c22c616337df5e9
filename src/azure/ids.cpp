#include "azure/ids.hpp"

#include <fmt/format.h>

#include "azure/errors.hpp"
#include "azure/sas_core.h"
#include "azure/text.hpp"

namespace mitral::azure {
namespace {

// The name itself is shown only when it is short and printable: it may be hostile.
base::Status judge(mitral_sas_status status, std::string_view text, std::string_view rule) {
    if (status == MITRAL_SAS_OK)
        return {};
    return base::fail(AzureError::invalid_name, fmt::format("\"{}\": {}", shown(text), rule));
}

}  // namespace

base::Status check_host(std::string_view text) {
    return judge(mitral_sas_check_host(text.data(), text.size()), text,
                 "a host name is lower-case letters, digits, '-' and '.', with an optional :port");
}

base::Status check_device_id(std::string_view text) {
    return judge(mitral_sas_check_device_id(text.data(), text.size()), text,
                 "a device id is 1 to 128 ASCII letters, digits and -:.%_*?!(),=@;$'");
}

base::Status check_registration_id(std::string_view text) {
    return judge(
        mitral_sas_check_registration_id(text.data(), text.size()), text,
        "a registration id is 1 to 128 ASCII letters, digits and -._: and ends with a letter, "
        "a digit or '-'");
}

base::Status check_id_scope(std::string_view text) {
    return judge(mitral_sas_check_id_scope(text.data(), text.size()), text,
                 "an id scope is 1 to 32 ASCII letters, digits and '-'");
}

std::string normal_registration_id(std::string_view text) {
    return to_lower(text);
}

}  // namespace mitral::azure
