// The property bags of a feed's messages (docs/adapters and docs/formats say what each means). Most
// of a bag is the same from message to message, and is encoded once. No I/O.
#pragma once

#include <string>
#include <string_view>

#include "spool/lane.hpp"

namespace mitral::uplink {

struct FeedName {
    std::string writer;  // last part of the spool directory: "lines"
    spool::Lane lane = spool::Lane::vitals;
};

// Of constants: kept by reference.
struct ContentKind {
    std::string_view type;
    std::string_view encoding;  // may be empty
    std::string_view schema;
    std::string_view id_suffix;  // tells two messages that begin with the same record apart
};

class MessageProperties {
  public:
    explicit MessageProperties(const FeedName& feed);

    // The bag of the message that begins with record `first`. Its id is made of writer, lane,
    // stream and sequence: the same whenever the message is sent again. `source` may be empty.
    [[nodiscard]] std::string bag(spool::RecordId first, const ContentKind& kind,
                                  std::string_view source);

  private:
    void learn(const ContentKind& kind);

    spool::Lane lane_;
    std::string before_stream_;
    std::string schema_;  // of the kind that after_id_ belongs to
    std::string after_id_;
};

}  // namespace mitral::uplink
