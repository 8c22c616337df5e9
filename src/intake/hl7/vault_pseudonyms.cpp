#include "intake/hl7/vault_pseudonyms.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <memory>
#include <utility>

#include "base/crypto.hpp"
#include "base/encoding.hpp"
#include "base/log.hpp"
#include "intake/store/keyed_hash.hpp"
#include "vault/client.hpp"

namespace mitral::intake::hl7 {
namespace {

constexpr base::Milliseconds longest_question{500};
constexpr std::int64_t full_credit_ns = 500'000'000;
constexpr std::int64_t share = 4;  // one part of so many of the time may go to questions

// RFC 4648 §5 without padding: 22 characters.
std::string to_base64url(const vault::Pseudonym& pseudonym) {
    auto text = base::to_base64(pseudonym);
    text.erase(text.find_last_not_of('=') + 1);
    std::ranges::replace(text, '+', '-');
    std::ranges::replace(text, '/', '_');
    return text;
}

}  // namespace

AskVault ask_vault(std::string socket_path) {
    return [path = std::move(socket_path), client = std::shared_ptr<vault::Client>()](
               const vault::Patient& patient) mutable -> base::Result<vault::Pseudonym> {
        if (!client) {
            MITRAL_TRY(client, vault::Client::connect(path, longest_question));
        }
        return client->pseudonym(patient);
    };
}

VaultPseudonyms::VaultPseudonyms(AskVault ask, const base::Clock& clock, std::size_t entries)
    : ask_(std::move(ask)),
      clock_(clock),
      entries_(std::clamp<std::size_t>(entries, 1, max_entries)),
      hash_key_(2 * sizeof(KeyedHash::Key)),
      paused_until_(clock.monotonic()),
      credit_ns_(full_credit_ns),
      credited_(clock.monotonic()) {
    base::fill_random(hash_key_.bytes());
    by_key_.reserve(entries_);
}

std::optional<std::string> VaultPseudonyms::of(std::string_view patient_id,
                                               std::string_view authority) {
    if (patient_id.size() > vault::max_patient_text || authority.size() > vault::max_patient_text)
        return std::nullopt;
    const vault::Patient patient{std::string(patient_id), std::string(authority)};
    if (!vault::is_nameable(patient))
        return std::nullopt;
    const Key key = key_of(patient);
    if (const auto* known = find(key))
        return *known;
    if (!may_ask())
        return std::nullopt;
    const auto answer = ask(patient);
    if (!answer) {
        note_failure(answer.error());
        return std::nullopt;
    }
    note_success();
    remember(key, to_base64url(*answer));
    return recent_.front().pseudonym;
}

// 128 bits of SipHash, each half under a key of its own: two patients must not meet.
VaultPseudonyms::Key VaultPseudonyms::key_of(const vault::Patient& patient) const noexcept {
    Key key{};
    for (std::size_t half = 0; half < key.size(); ++half) {
        KeyedHash::Key secret;
        std::memcpy(&secret, hash_key_.view().data() + half * sizeof secret, sizeof secret);
        KeyedHash hash(secret);
        base::wipe({reinterpret_cast<std::uint8_t*>(&secret), sizeof secret});
        hash.absorb(patient.authority);
        hash.absorb(patient.id);
        key[half] = hash.finish();
    }
    return key;
}

const std::string* VaultPseudonyms::find(const Key& key) {
    const auto found = by_key_.find(key);
    if (found == by_key_.end())
        return nullptr;
    recent_.splice(recent_.begin(), recent_, found->second);
    return &found->second->pseudonym;
}

void VaultPseudonyms::remember(const Key& key, std::string pseudonym) {
    if (recent_.size() == entries_) {
        by_key_.erase(recent_.back().key);
        recent_.pop_back();
    }
    recent_.push_front({key, std::move(pseudonym)});
    by_key_.emplace(key, recent_.begin());
}

bool VaultPseudonyms::may_ask() {
    const auto now = clock_.monotonic();
    if (now < paused_until_)
        return false;
    const auto idle_ns = std::min(full_credit_ns * share, now.ns - credited_.ns);
    credit_ns_ = std::min(full_credit_ns, credit_ns_ + idle_ns / share);
    credited_ = now;
    return credit_ns_ > 0;
}

base::Result<vault::Pseudonym> VaultPseudonyms::ask(const vault::Patient& patient) {
    auto answer = ask_(patient);
    const auto now = clock_.monotonic();
    credit_ns_ -= now.ns - credited_.ns;
    credited_ = now;
    return answer;
}

void VaultPseudonyms::note_failure(const base::Error& error) {
    if (pause_ == base::Milliseconds::zero())
        base::log(base::Severity::warning, "pseudonyms-unavailable",
                  {{"cause", error.message()}, {"done", "readings go without a subject"}});
    pause_ = std::clamp(pause_ * 2, first_pause, longest_pause);
    paused_until_ = clock_.monotonic() + pause_;
}

void VaultPseudonyms::note_success() {
    if (std::exchange(pause_, base::Milliseconds::zero()) != base::Milliseconds::zero())
        base::log(base::Severity::notice, "pseudonyms-available");
}

}  // namespace mitral::intake::hl7
