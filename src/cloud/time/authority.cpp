#include "cloud/time/authority.hpp"

#include <algorithm>

#include "base/encoding.hpp"
#include "base/file.hpp"
#include "cloud/error.hpp"
#include "cloud/time/merkle.hpp"

namespace mitral::cloud::time {
namespace {

constexpr std::size_t key_size = 32;
// Seconds. Without word of leap seconds no server may claim less than 3; a clock that nobody
// disciplines claims more.
constexpr std::uint32_t radius_synchronised = 3;
constexpr std::uint32_t radius_free_running = 10;
// The zero byte at the end is signed too.
constexpr std::string_view delegation_context("RoughTime v1 delegation signature\0", 34);
constexpr std::string_view response_context("RoughTime v1 response signature\0", 32);

base::Result<base::Secret> load_or_make_key(const std::string& path) {
    auto key = base::read_secret_file(path, key_size);
    if (key && key->size() == key_size)
        return key;
    if (key || key.error().code != std::errc::no_such_file_or_directory)
        return base::fail(CloudError::storage,
                          path + " cannot be read or is no key; remove it to get a new one");
    auto made = base::ed25519_new_key();
    MITRAL_CHECK(base::replace_file(path, made.view(), 0600));
    return made;
}

base::Bytes bytes_of(base::ByteView view) {
    return {view.begin(), view.end()};
}

base::Result<base::Bytes> sign(const base::Secret& key, std::string_view context,
                               base::ByteView value) {
    auto signed_bytes = base::to_bytes(context);
    signed_bytes.insert(signed_bytes.end(), value.begin(), value.end());
    MITRAL_TRY(const auto signature, base::ed25519_sign(key, signed_bytes));
    return bytes_of(signature);
}

base::Bytes supported_versions() {
    auto list = u32(version_1);
    const auto drafts = u32(version_drafts);
    list.insert(list.end(), drafts.begin(), drafts.end());
    return list;
}

}  // namespace

Authority::Authority(base::Secret long_term, base::Secret delegated,
                     base::Ed25519PublicKey public_key, const base::Clock& clock)
    : long_term_(std::move(long_term)),
      delegated_(std::move(delegated)),
      public_key_(public_key),
      clock_(&clock) {
    constexpr std::array<std::uint8_t, 1> server{0xff};
    srv_ = digest({server, public_key_});
}

base::Result<Authority> Authority::open(const std::string& directory, const base::Clock& clock) {
    MITRAL_CHECK(base::make_directory(directory, 0755));
    MITRAL_TRY(auto long_term, load_or_make_key(directory + "/long-term.key"));
    MITRAL_TRY(auto delegated, load_or_make_key(directory + "/delegated.key"));
    MITRAL_TRY(const auto public_key, base::ed25519_public_key(long_term));
    const auto told = base::to_base64(public_key) + "\n";
    MITRAL_CHECK(base::replace_file(directory + "/public.key", base::as_bytes(told), 0644));
    return Authority(std::move(long_term), std::move(delegated), public_key, clock);
}

base::Status Authority::delegate(std::int64_t now) {
    MITRAL_TRY(const auto online_key, base::ed25519_public_key(delegated_));
    const auto begin = std::max<std::int64_t>(0, now - delegation_before.count());
    const auto end = now + delegation_after.count();
    const auto dele = write_message({{tags::mint, u64(static_cast<std::uint64_t>(begin))},
                                     {tags::maxt, u64(static_cast<std::uint64_t>(end))},
                                     {tags::pubk, bytes_of(online_key)}});
    MITRAL_TRY(auto signature, sign(long_term_, delegation_context, dele));
    certificate_ = write_message({{tags::dele, dele}, {tags::sig, std::move(signature)}});
    not_before_ = begin;
    not_after_ = end;
    return {};
}

base::Result<std::vector<base::Bytes>> Authority::answer(std::span<const Request> requests) {
    if (requests.size() > max_batch)
        return base::fail(CloudError::too_large, "too many requests for one signature");
    const auto now = std::max<std::int64_t>(0, clock_->wall().unix_seconds());
    // Early enough that a client's certificate does not end in its hands, and again when the clock
    // was set.
    if (now < not_before_ || now > not_after_ - delegation_after.count() / 2)
        MITRAL_CHECK(delegate(now));
    std::vector<base::Bytes> answers(requests.size());
    for (const auto version : {version_1, version_drafts})
        MITRAL_CHECK(answer_in(version, requests, now, answers));
    return answers;
}

base::Status Authority::answer_in(std::uint32_t version, std::span<const Request> requests,
                                  std::int64_t now, std::vector<base::Bytes>& answers) {
    std::vector<Digest> leaves;
    for (const auto& request : requests)
        if (request.version == version)
            leaves.push_back(request.leaf);
    if (leaves.empty())
        return {};
    const MerkleTree tree(std::move(leaves));
    const auto radius = clock_->state() == base::ClockState::synchronised ? radius_synchronised
                                                                          : radius_free_running;
    const auto srep = write_message({{tags::ver, u32(version)},
                                     {tags::radi, u32(radius)},
                                     {tags::midp, u64(static_cast<std::uint64_t>(now))},
                                     {tags::vers, supported_versions()},
                                     {tags::root, bytes_of(tree.root())}});
    MITRAL_TRY(const auto signature, sign(delegated_, response_context, srep));
    std::uint32_t leaf = 0;
    for (std::size_t i = 0; i < requests.size(); ++i) {
        if (requests[i].version != version)
            continue;
        answers[i] = write_packet(write_message({{tags::sig, signature},
                                                 {tags::nonc, bytes_of(requests[i].nonce)},
                                                 {tags::type, u32(1)},
                                                 {tags::path, tree.path(leaf)},
                                                 {tags::srep, srep},
                                                 {tags::cert, certificate_},
                                                 {tags::indx, u32(leaf)}}));
        ++leaf;
    }
    return {};
}

}  // namespace mitral::cloud::time
