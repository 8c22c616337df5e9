// Pseudonyms from the vault, asked for once a patient. Acquisition never waits for long: a vault
// that does not answer costs one bounded wait and is then left alone for a while; one that is slow
// (a TPM takes tens of milliseconds) gets a quarter of the time. Meanwhile readings go without a
// subject.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <list>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "base/secret.hpp"
#include "intake/hl7/pseudonyms.hpp"
#include "vault/pseudonym.hpp"

namespace mitral::intake::hl7 {

// Asks over the vault's socket; connects when first used and again when the connection is lost. One
// question takes at most half a second.
using AskVault = std::function<base::Result<vault::Pseudonym>(const vault::Patient&)>;
[[nodiscard]] AskVault ask_vault(std::string socket_path);

class VaultPseudonyms final : public Pseudonyms {
  public:
    static constexpr std::size_t max_entries = 4096;             // patients remembered
    static constexpr base::Milliseconds first_pause{10'000};     // after a refusal or no answer
    static constexpr base::Milliseconds longest_pause{300'000};  // doubled up to this

    // The clock must outlive this. Not thread-safe.
    VaultPseudonyms(AskVault ask, const base::Clock& clock, std::size_t entries = max_entries);

    [[nodiscard]] std::optional<std::string> of(std::string_view patient_id,
                                                std::string_view authority) override;

  private:
    // No identifier is kept: a patient is known by a hash under a key of this process, which is
    // wiped with it.
    using Key = std::array<std::uint64_t, 2>;
    struct Hash {
        std::size_t operator()(const Key& key) const noexcept { return key[0]; }
    };
    struct Entry {
        Key key;
        std::string pseudonym;
    };

    [[nodiscard]] Key key_of(const vault::Patient& patient) const noexcept;
    [[nodiscard]] const std::string* find(const Key& key);
    void remember(const Key& key, std::string pseudonym);
    [[nodiscard]] bool may_ask();
    [[nodiscard]] base::Result<vault::Pseudonym> ask(const vault::Patient& patient);
    void note_failure(const base::Error& error);
    void note_success();

    AskVault ask_;
    const base::Clock& clock_;
    std::size_t entries_;
    base::Secret hash_key_;
    std::list<Entry> recent_;  // the last used in front
    std::unordered_map<Key, std::list<Entry>::iterator, Hash> by_key_;

    base::Milliseconds pause_{};  // zero: the last question was answered
    base::MonotonicTime paused_until_;
    std::int64_t credit_ns_;  // of time for questions
    base::MonotonicTime credited_;
};

}  // namespace mitral::intake::hl7
