#include "net/trust.hpp"

#include <unistd.h>

#include <charconv>
#include <optional>

#include "base/encoding.hpp"
#include "base/errors.hpp"
#include "base/file.hpp"
#include "net/error.hpp"

namespace mitral::net {

using base::fail;
using base::Result;

namespace {

constexpr std::string_view header = "mitral-trust-bundle/1\nversion: ";
constexpr std::string_view signature_label = "\nsignature: ";
constexpr std::string_view certificate_begin = "-----BEGIN CERTIFICATE-----\n";
constexpr std::size_t max_root_file = 64 * 1024;

std::unexpected<base::Error> malformed(const char* what) {
    return fail(base::BaseError::malformed, std::string("trust bundle: ") + what);
}

std::string unsigned_text(const TrustBundle& bundle) {
    std::string text(header);
    text.append(std::to_string(bundle.version)).append("\n").append(bundle.roots_pem);
    while (text.ends_with('\n'))
        text.pop_back();
    return text.append("\n");
}

Result<TrustBundle> parse_signed_part(std::string_view text) {
    if (!text.starts_with(header))
        return malformed("not a mitral-trust-bundle/1");
    text.remove_prefix(header.size());
    TrustBundle bundle;
    const auto [end, error] =
        std::from_chars(text.data(), text.data() + text.size(), bundle.version);
    if (error != std::errc() || bundle.version == 0)
        return malformed("the version is not a number from 1");
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    if (!text.starts_with('\n') || !text.substr(1).starts_with(certificate_begin))
        return malformed("certificates must follow the version");
    bundle.roots_pem = text.substr(1);
    return bundle;
}

Result<base::Ed25519PublicKey> read_public_key(const std::string& file) {
    if (file.empty())
        return fail(base::BaseError::invalid_setting, "a trust bundle needs the key that signs it");
    MITRAL_TRY(auto text, base::read_text_file(file, 1024));
    while (text.ends_with('\n'))
        text.pop_back();
    base::Ed25519PublicKey key{};
    const auto bytes = base::from_base64(text);
    if (!bytes || bytes->size() != key.size())
        return fail(base::BaseError::invalid_setting,
                    file + " is not an Ed25519 public key in base64");
    std::copy(bytes->begin(), bytes->end(), key.begin());
    return key;
}

// nullopt: there is no bundle yet.
Result<std::optional<TrustBundle>> installed_bundle(const TrustSettings& settings) {
    if (settings.bundle_file.empty() || ::access(settings.bundle_file.c_str(), F_OK) != 0)
        return std::optional<TrustBundle>();
    MITRAL_TRY(const auto key, read_public_key(settings.bundle_key_file));
    MITRAL_TRY(const auto text, base::read_text_file(settings.bundle_file, max_bundle_size));
    auto bundle = open_trust_bundle(text, key);
    if (!bundle)
        return base::fail_with(settings.bundle_file, bundle.error());
    return std::optional(std::move(*bundle));
}

}  // namespace

Result<TrustBundle> open_trust_bundle(std::string_view text,
                                      const base::Ed25519PublicKey& authority) {
    if (text.size() > max_bundle_size)
        return fail(base::BaseError::too_large, "trust bundle");
    const auto label = text.rfind(signature_label);
    if (label == std::string_view::npos)
        return malformed("the signature is missing");
    const std::string_view signed_part = text.substr(0, label + 1);
    std::string_view signature_text = text.substr(label + signature_label.size());
    if (signature_text.ends_with('\n'))
        signature_text.remove_suffix(1);
    const auto signature = base::from_base64(signature_text);
    if (!signature)
        return malformed("the signature is not base64");
    // Nothing of the content is looked at before this line.
    if (auto verdict = base::ed25519_verify(authority, base::as_bytes(signed_part), *signature);
        !verdict)
        return base::fail_with("trust bundle", verdict.error());
    return parse_signed_part(signed_part);
}

Result<std::string> sign_trust_bundle(const TrustBundle& bundle,
                                      const base::Secret& authority_key) {
    std::string text = unsigned_text(bundle);
    MITRAL_TRY(const auto checked, parse_signed_part(text));
    MITRAL_TRY(const auto signature, base::ed25519_sign(authority_key, base::as_bytes(text)));
    text.pop_back();
    text.append(signature_label).append(base::to_base64(signature)).append("\n");
    if (text.size() > max_bundle_size)
        return fail(base::BaseError::too_large, "trust bundle");
    return text;
}

Result<std::vector<std::string>> pinned_roots(const TrustSettings& settings) {
    MITRAL_TRY(const auto bundle, installed_bundle(settings));
    if (bundle)
        return std::vector{bundle->roots_pem};
    if (settings.root_files.empty())
        return fail(NetError::trust_store, "no pinned root is configured; set root_files");
    std::vector<std::string> roots;
    for (const std::string& file : settings.root_files) {
        auto pem = base::read_text_file(file, max_root_file);
        if (!pem)
            return fail(NetError::trust_store, "pinned root " + pem.error().message());
        roots.push_back(std::move(*pem));
    }
    return roots;
}

Result<TrustBundle> install_trust_bundle(const TrustSettings& settings, std::string_view text) {
    MITRAL_TRY(const auto key, read_public_key(settings.bundle_key_file));
    MITRAL_TRY(auto bundle, open_trust_bundle(text, key));
    MITRAL_TRY(const auto installed, installed_bundle(settings));
    if (installed && bundle.version <= installed->version)
        return fail(base::BaseError::not_authentic,
                    "trust bundle: version " + std::to_string(bundle.version) +
                        " is not newer than " + std::to_string(installed->version) +
                        ", which is installed");
    MITRAL_CHECK(base::replace_file(settings.bundle_file, base::as_bytes(text), 0644));
    return bundle;
}

}  // namespace mitral::net
