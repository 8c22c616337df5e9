// One token bucket for each monitor at each address, which outlives a connection: who connects anew
// gains nothing by it.
#pragma once

#include <map>
#include <memory>
#include <utility>

#include "intake/hl7/monitors.hpp"
#include "intake/hl7/token_bucket.hpp"
#include "net/address.hpp"

namespace mitral::intake::hl7 {

class Paces {
  public:
    static constexpr std::size_t kept = 1024;  // beyond it those that are full again are forgotten

    explicit Paces(std::int64_t messages_per_s) noexcept : messages_per_s_(messages_per_s) {}

    [[nodiscard]] std::shared_ptr<TokenBucket> of(const Monitor& monitor,
                                                  const net::Address& address,
                                                  base::MonotonicTime now) {
        if (buckets_.size() >= kept)
            std::erase_if(buckets_, [&](const auto& entry) {
                return entry.second.use_count() == 1 && entry.second->full(now);
            });
        auto& bucket = buckets_[{&monitor, address}];
        if (bucket == nullptr)
            bucket = std::make_shared<TokenBucket>(messages_per_s_);
        return bucket;
    }

  private:
    std::int64_t messages_per_s_;
    std::map<std::pair<const Monitor*, net::Address>, std::shared_ptr<TokenBucket>> buckets_;
};

}  // namespace mitral::intake::hl7
