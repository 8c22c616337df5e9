// Stands in for base/aes_gcm.cpp: plain bytes and an empty tag, so that the format is the same.
#include "base/crypto.hpp"
#include "base/errors.hpp"
#include "bench/plain/marker.hpp"

namespace mitral::base {

struct Aes256Gcm::State {};

Aes256Gcm::Aes256Gcm(std::unique_ptr<State> state) noexcept : state_(std::move(state)) {}
Aes256Gcm::Aes256Gcm(Aes256Gcm&&) noexcept = default;
Aes256Gcm& Aes256Gcm::operator=(Aes256Gcm&&) noexcept = default;
Aes256Gcm::~Aes256Gcm() = default;

Result<Aes256Gcm> Aes256Gcm::create(ByteView) {
    return Aes256Gcm(std::make_unique<State>());
}

Status Aes256Gcm::seal(const Nonce&, ByteView, ByteView plain, Bytes& out) {
    out.insert(out.end(), plain.begin(), plain.end());
    out.resize(out.size() + tag_size);
    return {};
}

Status Aes256Gcm::open(const Nonce&, ByteView, ByteView sealed, Bytes& out) {
    if (sealed.size() < tag_size)
        return fail(BaseError::malformed, "no tag");
    const auto plain = sealed.first(sealed.size() - tag_size);
    out.assign(plain.begin(), plain.end());
    return {};
}

}  // namespace mitral::base
