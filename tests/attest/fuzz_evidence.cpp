// What a unit, or whoever stands between, may send as evidence. The bytes are signed here, so that
// what is behind the signature is reached.
#include <algorithm>

#include "attest/read.hpp"

namespace {

using namespace mitral;

const base::P256KeyPair& unit() {
    static const base::P256KeyPair pair = *base::p256_new_key();
    return pair;
}

// The fuzzer's bytes behind the label and the key, which it could not guess.
base::Bytes signed_over(std::string_view label, std::size_t before_key, base::ByteView bytes) {
    base::Bytes out(label.begin(), label.end());
    out.insert(out.end(), bytes.begin(), bytes.end());
    const auto at = label.size() + before_key;
    if (out.size() >= at + unit().key.size())
        std::copy(unit().key.begin(), unit().key.end(),
                  out.begin() + static_cast<std::ptrdiff_t>(at));
    const auto signature = *base::p256_sign(unit(), base::sha256(out));
    out.insert(out.end(), signature.begin(), signature.end());
    return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const base::ByteView bytes(data, size);
    const auto checkpoint = attest::read_checkpoint(
        signed_over({EVIDENCE_CHECKPOINT_LABEL, sizeof EVIDENCE_CHECKPOINT_LABEL}, 0, bytes),
        unit().key);
    if (checkpoint) {
        // One meaning, one encoding: the report stands at the end.
        const auto report = encode(checkpoint->report);
        if (report.size() > size || !std::equal(report.rbegin(), report.rend(), bytes.rbegin()))
            __builtin_trap();
    }
    (void)attest::read_first_attestation(
        signed_over({EVIDENCE_ATTESTATION_LABEL, sizeof EVIDENCE_ATTESTATION_LABEL},
                    EVIDENCE_NONCE_SIZE, bytes),
        {});
    (void)attest::read_checkpoint(bytes, unit().key);
    if (evidence_is_report(data, size) && size > EVIDENCE_MAX_REPORT)
        __builtin_trap();
    return 0;
}
