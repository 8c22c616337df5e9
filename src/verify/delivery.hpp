// Holds what arrived to the lists beside checkpoints (docs/formats/checkpoint-1.md): what was
// dropped or changed behind the uplink. No I/O.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "verify/judge.hpp"

namespace mitral::verify {

// What a consumer received, by message id.
class Arrivals {
  public:
    void add(std::string_view message_id, base::ByteView body);
    // SHA-256 of each body that came under this id, base64; more than one: somebody added one.
    [[nodiscard]] const std::set<std::string>* find(const std::string& message_id) const;

  private:
    std::map<std::string, std::set<std::string>> digests_;
};

struct LaneList {
    std::string lane;
    std::uint64_t unlisted = 0;
    std::vector<std::string> lines;
};

// `bytes`: a checkpoint that was judged; none that is authentic: empty. Of a lane at most ten
// messages are named.
[[nodiscard]] std::vector<Finding> judge_lists(const Marks& marks, base::ByteView bytes,
                                               const std::vector<LaneList>& lists,
                                               const Arrivals& arrivals);

}  // namespace mitral::verify
