#include "cloud/adu/key_ring.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/crypto.hpp"
#include "base/encoding.hpp"
#include "base/file.hpp"
#include "cloud/error.hpp"
#include "cloud/json.hpp"

namespace mitral::cloud::adu {
namespace {

// Members stay in the order in which they are written: signatures go over the text.
using Ordered = nlohmann::ordered_json;

constexpr std::string_view fact_name = "adu-keys";

std::string encoded(const Ordered& value) {
    return to_base64url(base::as_bytes(value.dump()));
}

// RFC 7515 §7.1.
base::Result<std::string> jws(const Ordered& header, const Ordered& payload, const RsaKey& key) {
    auto text = encoded(header) + "." + encoded(payload);
    MITRAL_TRY(const auto signature, key.sign(base::as_bytes(text)));
    return text + "." + to_base64url(signature);
}

base::Result<Ordered> root_entry(const RsaKey& key) {
    MITRAL_TRY(const auto modulus, key.modulus());
    return Ordered{{"keyType", "RSA"}, {"n", modulus}, {"e", RsaKey::exponent}};
}

}  // namespace

// What is remembered beside the key files.
struct KeyRing::Facts {
    std::int64_t version = 0;  // of the root-key package; grows with every change
    std::int64_t published_s = 0;
    std::vector<std::string> roots{};  // names of their files are the kids
    std::vector<std::string> disabled_roots{};
    std::int64_t signing_key = 0;                      // number of its file
    std::vector<std::string> disabled_signing_keys{};  // hashes
};

base::Result<KeyRing::Facts> KeyRing::facts() const {
    MITRAL_TRY(const auto text, database_.fact(fact_name));
    Facts found;
    if (!text)
        return found;
    const auto json = nlohmann::json::parse(*text, nullptr, false);
    if (!json.is_object())
        return base::fail(CloudError::storage, "the facts of the update keys are damaged");
    found.version = json.value("version", std::int64_t{0});
    found.published_s = json.value("published", std::int64_t{0});
    found.roots = json.value("roots", found.roots);
    found.disabled_roots = json.value("disabledRoots", found.disabled_roots);
    found.signing_key = json.value("signingKey", std::int64_t{0});
    found.disabled_signing_keys = json.value("disabledSigningKeys", found.disabled_signing_keys);
    return found;
}

base::Status KeyRing::remember(Facts facts) {
    ++facts.version;
    facts.published_s = clock_.wall().unix_seconds();
    const Ordered json{{"version", facts.version},
                       {"published", facts.published_s},
                       {"roots", facts.roots},
                       {"disabledRoots", facts.disabled_roots},
                       {"signingKey", facts.signing_key},
                       {"disabledSigningKeys", facts.disabled_signing_keys}};
    MITRAL_CHECK(database_.set_fact(fact_name, json.dump()));
    return load(facts);
}

std::string KeyRing::file(const std::string& name) const {
    return directory_ + "/" + name + ".key";
}

base::Result<RsaKey> KeyRing::make(const std::string& name) const {
    MITRAL_CHECK(base::make_directory(directory_, 0700));
    MITRAL_TRY(auto key, RsaKey::generate());
    MITRAL_CHECK(key.save(file(name)));
    return key;
}

base::Status KeyRing::ensure() {
    if (!roots_.empty())
        return {};
    MITRAL_TRY(auto known, facts());
    if (!known.roots.empty())
        return load(known);
    known.roots = {"MITRAL.1.R"};
    known.signing_key = 1;
    MITRAL_TRY(const auto root, make(known.roots.front()));
    MITRAL_TRY(const auto signing, make("signing-1"));
    (void)root;
    (void)signing;
    return remember(std::move(known));
}

base::Status KeyRing::load(const Facts& facts) {
    std::vector<Root> roots;
    for (const auto& kid : facts.roots) {
        MITRAL_TRY(auto key, RsaKey::load(file(kid)));
        roots.push_back({kid, std::move(key)});
    }
    const auto name = "signing-" + std::to_string(facts.signing_key);
    MITRAL_TRY(auto signing, RsaKey::load(file(name)));
    MITRAL_TRY(const auto modulus, signing.modulus());
    const Ordered jwk{{"kty", "RSA"},
                      {"n", modulus},
                      {"e", "AQAB"},
                      {"alg", "RS256"},
                      {"kid", "MITRAL." + std::to_string(facts.signing_key) + ".S"}};
    const Ordered header{{"alg", "RS256"}, {"kid", roots.back().kid}};
    MITRAL_TRY(signed_key_, jws(header, jwk, roots.back().key));
    roots_ = std::move(roots);
    signing_key_.clear();
    signing_key_.push_back(std::move(signing));
    return {};
}

base::Result<std::string> KeyRing::sign(std::string_view manifest) {
    MITRAL_CHECK(ensure());
    const auto digest = base::sha256(base::as_bytes(manifest));
    return jws({{"alg", "RS256"}, {"sjwk", signed_key_}}, {{"sha256", base::to_base64(digest)}},
               signing_key_.front());
}

base::Result<std::string> KeyRing::trusted_roots() {
    MITRAL_CHECK(ensure());
    Ordered roots = Ordered::object();
    for (const auto& root : roots_) {
        MITRAL_TRY(roots[root.kid], root_entry(root.key));
    }
    return roots.dump();
}

base::Result<std::string> KeyRing::package() {
    MITRAL_CHECK(ensure());
    MITRAL_TRY(const auto known, facts());
    Ordered disabled = Ordered::array();
    for (const auto& hash : known.disabled_signing_keys)
        disabled.push_back({{"alg", "SHA256"}, {"hash", hash}});
    Ordered protected_part{{"isTest", true},
                           {"version", known.version},
                           {"published", known.published_s},
                           {"disabledRootKeys", known.disabled_roots},
                           {"disabledSigningKeys", std::move(disabled)},
                           {"rootKeys", Ordered::object()}};
    for (const auto& root : roots_) {
        MITRAL_TRY(protected_part["rootKeys"][root.kid], root_entry(root.key));
    }
    const auto text = protected_part.dump();
    Ordered signatures = Ordered::array();
    for (const auto& root : roots_) {
        MITRAL_TRY(const auto signature, root.key.sign(base::as_bytes(text)));
        signatures.push_back({{"alg", "RS256"}, {"sig", to_base64url(signature)}});
    }
    return R"({"protected":)" + text + R"(,"signatures":)" + signatures.dump() + "}";
}

base::Status KeyRing::rotate_root() {
    MITRAL_CHECK(ensure());
    MITRAL_TRY(auto known, facts());
    known.roots.push_back("MITRAL." + std::to_string(known.roots.size() + 1) + ".R");
    MITRAL_TRY(const auto made, make(known.roots.back()));
    (void)made;
    return remember(std::move(known));
}

base::Status KeyRing::disable_root(std::string_view kid) {
    MITRAL_CHECK(ensure());
    MITRAL_TRY(auto known, facts());
    const auto has = [&](const std::vector<std::string>& list) {
        return std::find(list.begin(), list.end(), kid) != list.end();
    };
    if (!has(known.roots))
        return base::fail(CloudError::not_found, "root " + std::string(kid));
    if (kid == known.roots.back())
        return base::fail(CloudError::invalid_argument, "this root signs: rotate it first");
    if (has(known.disabled_roots))
        return {};
    known.disabled_roots.emplace_back(kid);
    return remember(std::move(known));
}

base::Status KeyRing::rotate_signing_key() {
    MITRAL_CHECK(ensure());
    MITRAL_TRY(auto known, facts());
    MITRAL_TRY(auto hash, signing_key_.front().public_hash());
    known.disabled_signing_keys.push_back(std::move(hash));
    ++known.signing_key;
    MITRAL_TRY(const auto made, make("signing-" + std::to_string(known.signing_key)));
    (void)made;
    return remember(std::move(known));
}

}  // namespace mitral::cloud::adu
