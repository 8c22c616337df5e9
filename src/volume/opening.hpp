// Opens the volume of the gateway's state with the key the trust zone gives, or makes it
// (docs/decisions/0027-a-volume-the-trust-zone-opens.md).
#pragma once

#include <string_view>

#include "base/result.hpp"
#include "base/secret.hpp"
#include "vault/optee/channel.hpp"

namespace mitral::volume {

// The partition under the volume.
class Partition {
  public:
    virtual ~Partition() = default;

    // header_size bytes (volume/header.hpp).
    [[nodiscard]] virtual base::Result<base::Bytes> read_header() = 0;
    // On disk when it returns.
    [[nodiscard]] virtual base::Status write_header(base::ByteView header) = 0;
    // From here on the volume is there, under this key (64 bytes, AES-256-XTS).
    [[nodiscard]] virtual base::Status map(base::ByteView key) = 0;
    // On the mapped volume; what was there is gone.
    [[nodiscard]] virtual base::Status make_file_system() = 0;

  protected:
    Partition() = default;
};

enum class Opened {
    as_it_was,
    made,      // the partition was empty
    replaced,  // its key is lost for good: the unit was wiped, or this was another's
    in_doubt,  // not open: the trust zone doubts its own state, nothing was written over
    damaged    // not open: the header is no header, nothing was written over
};
[[nodiscard]] std::string_view describe(Opened opened);

// Fails when something did not work; the volume is not open then, and another start may find it.
[[nodiscard]] base::Result<Opened> open(vault::optee::Channel& trust_zone, Partition& partition);

}  // namespace mitral::volume
