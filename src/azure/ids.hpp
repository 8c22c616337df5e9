// The rules of names on the Azure side; the same code judges them in the trust zone
// (azure/sas_core.h).
#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"

namespace mitral::azure {

// Each fails with AzureError::invalid_name and says what was wrong with which name.

// Lower-case DNS name or address, optionally ":port"; ≤ 255 bytes.
[[nodiscard]] base::Status check_host(std::string_view text);
// IoT Hub device and module ids, ≤ 128 bytes, case-sensitive; '+' and '#' are refused (MQTT
// wildcards).
[[nodiscard]] base::Status check_device_id(std::string_view text);
// DPS registration ids, ≤ 128 bytes. DPS compares them without regard to case: see
// normal_registration_id().
[[nodiscard]] base::Status check_registration_id(std::string_view text);
[[nodiscard]] base::Status check_id_scope(std::string_view text);

[[nodiscard]] std::string normal_registration_id(std::string_view text);  // lower case

}  // namespace mitral::azure
