#include "mitral/secret_files.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <string_view>

#include "base/encoding.hpp"
#include "base/errors.hpp"
#include "base/file.hpp"
#include "vault/pseudonym.hpp"

namespace mitral::cli {
namespace {

constexpr std::size_t max_key_file = 4096;

std::unexpected<base::Error> unusable(const std::string& path, std::string_view why) {
    return base::fail(base::BaseError::invalid_setting, path + " " + std::string(why));
}

base::Result<base::Secret> read_private(const std::string& path) {
    MITRAL_TRY(const auto fd, base::open_file(path, O_RDONLY));
    struct stat status{};
    if (fstat(fd.get(), &status) != 0)
        return base::fail_errno("stat " + path);
    if ((status.st_mode & (S_IRWXG | S_IRWXO)) != 0)
        return unusable(path, "can be read by others; chmod 600 it");
    return base::read_secret_file(path, max_key_file);
}

// Text without the white space around and inside it, still on protected pages.
base::Secret without_spaces(std::string_view text) {
    base::Secret out(text.size());
    std::size_t size = 0;
    for (const char c : text) {
        if (c != '\n' && c != '\r' && c != ' ' && c != '\t')
            out.bytes()[size++] = static_cast<std::uint8_t>(c);
    }
    out.shrink(size);
    return out;
}

base::Result<base::Secret> decode(const std::string& path, std::string_view text) {
    const auto compact = without_spaces(text);
    auto bytes = base::secret_from_base64(base::as_text(compact.view()));
    if (!bytes)
        return unusable(path, "is not base64");
    return bytes;
}

// RFC 8410 §7: one fixed prefix, then the key.
constexpr std::array<std::uint8_t, 16> pkcs8_prefix{0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06,
                                                    0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20};
constexpr std::size_t ed25519_size = 32;

base::Result<base::Secret> decode_pem(const std::string& path, std::string_view text) {
    constexpr std::string_view begin = "-----BEGIN PRIVATE KEY-----";
    constexpr std::string_view end = "-----END PRIVATE KEY-----";
    const auto from = text.find(begin);
    const auto to = text.find(end);
    if (from == std::string_view::npos || to == std::string_view::npos || to < from)
        return unusable(path, "is no unencrypted PEM private key");
    MITRAL_TRY(const auto der,
               decode(path, text.substr(from + begin.size(), to - from - begin.size())));
    if (der.size() != pkcs8_prefix.size() + ed25519_size ||
        !std::ranges::equal(pkcs8_prefix, der.view().first(pkcs8_prefix.size())))
        return unusable(path, "is no Ed25519 private key");
    return base::Secret(der.view().subspan(pkcs8_prefix.size()));
}

}  // namespace

base::Result<base::Secret> read_station_key(const std::string& path) {
    MITRAL_TRY(const auto file, read_private(path));
    const auto text = base::as_text(file.view());
    if (text.starts_with("-----"))
        return decode_pem(path, text);
    MITRAL_TRY(auto key, decode(path, text));
    if (key.size() != ed25519_size)
        return unusable(path, "is no Ed25519 private key (32 bytes)");
    return key;
}

base::Result<base::Secret> read_group_key(const std::string& path) {
    constexpr std::size_t shortest = 16;
    constexpr std::size_t longest = 64;
    MITRAL_TRY(const auto file, read_private(path));
    MITRAL_TRY(auto key, decode(path, base::as_text(file.view())));
    if (key.size() < shortest || key.size() > longest)
        return unusable(path, "is no group key (16 to 64 bytes)");
    return key;
}

base::Result<base::Secret> read_subject_key(const std::string& path) {
    MITRAL_TRY(const auto file, read_private(path));
    MITRAL_TRY(auto key, decode(path, base::as_text(file.view())));
    if (key.size() != vault::subject_key_size)
        return unusable(path, "is no subject key (32 bytes)");
    return key;
}

base::Result<base::Ed25519PublicKey> read_public_key(const std::string& path) {
    MITRAL_TRY(auto text, base::read_text_file(path, max_key_file));
    text.erase(text.find_last_not_of(" \r\n") + 1);
    const auto bytes = base::from_base64(text);
    base::Ed25519PublicKey key{};
    if (!bytes || bytes->size() != key.size())
        return unusable(path, "is no Ed25519 public key (32 bytes in base64)");
    std::ranges::copy(*bytes, key.begin());
    return key;
}

}  // namespace mitral::cli
