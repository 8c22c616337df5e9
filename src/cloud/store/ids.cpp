#include "cloud/store/ids.hpp"

#include <fmt/format.h>

#include <array>

#include "base/crypto.hpp"
#include "base/encoding.hpp"

namespace mitral::cloud::store {

std::string new_key() {
    std::array<std::uint8_t, 32> key{};
    base::fill_random(key);
    return base::to_base64(key);
}

std::string new_etag() {
    const auto text = fmt::format("\"{:016x}\"", base::random_u64());
    return base::to_base64(base::as_bytes(text));
}

std::string new_generation() {
    return fmt::format("{:018}", base::random_u64() % 1'000'000'000'000'000'000);
}

std::string new_id_scope() {
    return fmt::format("0ne{:08X}", static_cast<std::uint32_t>(base::random_u64()));
}

std::string new_operation_id() {
    return fmt::format("4.{:016x}.{:016x}", base::random_u64(), base::random_u64());
}

std::string new_tracking_id() {
    return fmt::format("{:016x}{:016x}", base::random_u64(), base::random_u64());
}

}  // namespace mitral::cloud::store
