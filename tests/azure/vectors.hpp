// Tokens computed by Microsoft's Node SDK and, independently, by Python's hmac module. The keys are
// public test patterns: the bytes 00…1f, and 3, 10, 17, … mod 256.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "base/bytes.hpp"

namespace mitral::test {

constexpr std::int64_t vector_expiry_s = 1'767'225'600;  // 2026-01-01T00:00:00Z

inline base::Bytes vector_key(int number) {
    base::Bytes key;
    if (number == 1) {
        for (std::uint8_t i = 0; i < 32; ++i)
            key.push_back(i);
    } else {
        for (unsigned i = 0; i < 64; ++i)
            key.push_back(static_cast<std::uint8_t>(3 + 7 * i));
    }
    return key;
}

struct SasVector {
    std::string_view name;
    int key;
    std::string_view resource;
    std::string_view policy;
    std::string_view token;
    bool resource_encoded = true;  // as Mitral writes it
};

constexpr std::array<SasVector, 8> sas_vectors{{
    {"V1", 1, "contoso.azure-devices.net/devices/dev-01", "",
     "SharedAccessSignature sr=contoso.azure-devices.net%2Fdevices%2Fdev-01"
     "&sig=v4gios6SrIAP%2FbN8W4K%2BLLyi09Hh6k8jAU4aTMz881M%3D&se=1767225600"},
    {"V2", 1, "contoso.azure-devices.net/devices/dev-01/modules/DeviceUpdate", "",
     "SharedAccessSignature "
     "sr=contoso.azure-devices.net%2Fdevices%2Fdev-01%2Fmodules%2FDeviceUpdate"
     "&sig=3PYWByLIVAxikfcpdNqfZprXuW1OgsemMwVDzhcdhRw%3D&se=1767225600"},
    {"V3", 2, "contoso.azure-devices.net/devices/dev-01", "device",
     "SharedAccessSignature sr=contoso.azure-devices.net%2Fdevices%2Fdev-01"
     "&sig=rEzsYsK%2FLyxwzNgK2sVWsQxewwoTdOq%2BTTVa3kOs6q4%3D&skn=device&se=1767225600"},
    {"V4", 1, "0ne000A0A0A/registrations/dev-01", "registration",
     "SharedAccessSignature sr=0ne000A0A0A/registrations/dev-01"
     "&sig=AZaQaKTNavkj07mMQYhcAjRAJK19%2BuzLPHS81N9iTmM%3D&skn=registration&se=1767225600",
     false},
    {"V5", 1, "0ne000A0A0A/registrations/dev-01", "registration",
     "SharedAccessSignature sr=0ne000A0A0A%2Fregistrations%2Fdev-01"
     "&sig=Nu0QCWprv8d38QES8BqRvGEOP8Xl8Um5LUwwZ7Z5vVU%3D&skn=registration&se=1767225600"},
    {"V6", 2, "contoso.azure-devices.net", "iothubowner",
     "SharedAccessSignature sr=contoso.azure-devices.net"
     "&sig=3dzm%2FlDGW5ITnJa4giArEACCaKVX7pmSsS3zPmkhVEw%3D&skn=iothubowner&se=1767225600"},
    {"V7", 2, "contoso-dps.azure-devices-provisioning.net", "provisioningserviceowner",
     "SharedAccessSignature sr=contoso-dps.azure-devices-provisioning.net"
     "&sig=gCEJqXoHVarHApgvlAHuxqt6mDs4KmUDiKhxG4jKJt4%3D&skn=provisioningserviceowner"
     "&se=1767225600"},
    {"V8", 1, "localhost:8883/devices/a%b c+(x)", "",
     "SharedAccessSignature sr=localhost%3A8883%2Fdevices%2Fa%25b%20c%2B%28x%29"
     "&sig=sO5jSv%2F3Dt2mCMVrxLFfW2Syo1MBqSCAzR%2FPh6QZnqc%3D&se=1767225600"},
}};

}  // namespace mitral::test
