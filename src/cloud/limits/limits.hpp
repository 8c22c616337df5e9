#pragma once

#include <array>
#include <optional>

#include "cloud/limits/bucket.hpp"
#include "cloud/limits/tier.hpp"
#include "cloud/store/database.hpp"

namespace mitral::cloud::limits {

enum class Limit : std::uint8_t {
    daily_quota,
    connects,
    sends,
    devicebound,
    registry,
    queries,
    twin_reads,
    twin_updates,
    methods,
};
inline constexpr std::array<std::string_view, 9> limit_names{
    "daily-quota", "connects",   "sends",        "devicebound", "registry",
    "queries",     "twin-reads", "twin-updates", "methods"};

// The quota and the rates of one hub. A day begins at 00:00 UTC of `clock`; what was used of it is
// kept in the database.
class Limits {
  public:
    // How long a message may wait for its acknowledgement before it is refused.
    static constexpr base::Milliseconds send_queue{1'000};

    [[nodiscard]] static base::Result<Limits> open(const Figures& figures,
                                                   store::Database& database,
                                                   const base::Clock& clock);

    // Whether a message of so many bytes is still in the day's quota; then it counts.
    [[nodiscard]] bool take_message(std::size_t bytes);
    // How long it has to wait; none: refused. `cost` in what the limit counts.
    [[nodiscard]] std::optional<base::Milliseconds> take(Limit limit, std::int64_t cost = 1);
    // A call that was taken and then refused, by its credential for one, used nothing.
    void give_back_message(std::size_t bytes);
    void give_back(Limit limit, std::int64_t cost = 1);
    // Writes down what was used since the last time; once a pass is enough.
    [[nodiscard]] base::Status save();

    [[nodiscard]] std::int64_t used();
    [[nodiscard]] const Figures& figures() const noexcept { return figures_; }
    [[nodiscard]] std::uint64_t refusals(Limit limit) const noexcept {
        return refused_[static_cast<std::size_t>(limit)];
    }

  private:
    Limits(const Figures& figures, store::Database& database, const base::Clock& clock);
    void turn_the_day();
    [[nodiscard]] std::int64_t cost_of(std::size_t bytes) const;
    [[nodiscard]] std::int64_t today() const;

    Figures figures_;
    store::Database* database_;
    const base::Clock* clock_;
    std::array<Bucket, limit_names.size()> buckets_;  // that of the quota is never asked
    std::array<std::uint64_t, limit_names.size()> refused_{};
    std::int64_t day_ = 0;  // since 1970
    std::int64_t used_ = 0;
    bool unsaved_ = false;
};

}  // namespace mitral::cloud::limits
