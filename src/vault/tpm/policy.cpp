#include "vault/tpm/policy.hpp"

namespace mitral::vault::tpm {
namespace {

constexpr std::uint32_t command_policy_nv = 0x149;
constexpr std::uint32_t command_policy_command_code = 0x16C;
constexpr std::uint16_t offset_zero = 0;
constexpr std::uint16_t operation_equal = 0;

}  // namespace

base::Sha256Digest key_policy(const Generation& generation, Command command) {
    base::ByteWriter comparison;
    comparison.u64(generation.value).u16(offset_zero).u16(operation_equal);
    base::ByteWriter nv;
    nv.raw(base::Sha256Digest{}).u32(command_policy_nv);
    nv.raw(base::sha256(comparison.bytes())).raw(generation.counter_name);
    base::ByteWriter code;
    code.raw(base::sha256(nv.bytes())).u32(command_policy_command_code);
    code.u32(static_cast<std::uint32_t>(command));
    return base::sha256(code.bytes());
}

}  // namespace mitral::vault::tpm
