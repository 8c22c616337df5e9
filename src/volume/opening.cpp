#include "volume/opening.hpp"

#include <fmt/format.h>

#include "trusted/protocol.h"
#include "vault/errors.hpp"
#include "volume/header.hpp"

namespace mitral::volume {
namespace {

struct Key {
    base::Secret key;
    base::Bytes wrapped;
};

struct Answer {
    std::uint8_t status = TRUSTED_FAILURE;
    Key given;  // with TRUSTED_OK
};

base::Result<Answer> ask(vault::optee::Channel& trust_zone, base::ByteView wrapped) {
    MITRAL_TRY(const auto reply,
               trust_zone.invoke(TRUSTED_VOLUME_KEY, base::ByteWriter().block16(wrapped).bytes()));
    base::ByteReader in(reply.view());
    Answer answer;
    answer.status = in.u8().value_or(TRUSTED_FAILURE);
    if (answer.status != TRUSTED_OK)
        return answer;
    const auto key = in.block16();
    const auto sealed = in.block16();
    if (!key || key->size() != TRUSTED_VOLUME_KEY_SIZE || !sealed || sealed->empty() || !in.done())
        return base::fail(vault::VaultError::backend_failure,
                          "the trust zone's reply does not parse");
    answer.given = {base::Secret(*key), {sealed->begin(), sealed->end()}};
    return answer;
}

auto no_key(std::uint8_t status) {
    return base::fail(vault::VaultError::backend_failure,
                      fmt::format("the trust zone gave no key: status {}", status));
}

// The header comes last: a volume that was not made to its end is made again.
base::Result<Opened> make(vault::optee::Channel& trust_zone, Partition& partition, Opened result) {
    MITRAL_TRY(const auto answer, ask(trust_zone, {}));
    if (answer.status == TRUSTED_STATE_REFUSED)
        return Opened::in_doubt;
    if (answer.status != TRUSTED_OK)
        return no_key(answer.status);
    MITRAL_CHECK(partition.map(answer.given.key.view()));
    MITRAL_CHECK(partition.make_file_system());
    MITRAL_CHECK(partition.write_header(write_header(answer.given.wrapped)));
    return result;
}

}  // namespace

std::string_view describe(Opened opened) {
    switch (opened) {
        case Opened::as_it_was:
            return "opened";
        case Opened::made:
            return "made";
        case Opened::replaced:
            return "made anew: its key is gone, or was another unit's";
        case Opened::in_doubt:
            return "closed: the trust zone doubts its own state, the unit belongs to the line";
        case Opened::damaged:
            return "closed: its header is damaged, the unit belongs to the line";
    }
    return "";
}

base::Result<Opened> open(vault::optee::Channel& trust_zone, Partition& partition) {
    MITRAL_TRY(const auto bytes, partition.read_header());
    const auto header = read_header(bytes);
    if (header.state == HeaderState::damaged)
        return Opened::damaged;
    if (header.state == HeaderState::empty)
        return make(trust_zone, partition, Opened::made);
    MITRAL_TRY(const auto answer, ask(trust_zone, header.wrapped));
    switch (answer.status) {
        case TRUSTED_OK:
            MITRAL_CHECK(partition.map(answer.given.key.view()));
            return Opened::as_it_was;
        case TRUSTED_KEY_REFUSED:
            MITRAL_CHECK(partition.write_header(base::Bytes(header_size)));
            return make(trust_zone, partition, Opened::replaced);
        case TRUSTED_STATE_REFUSED:
            return Opened::in_doubt;
        default:
            return no_key(answer.status);
    }
}

}  // namespace mitral::volume
