#include "vault/rights.hpp"

#include <algorithm>

namespace mitral::vault {
namespace {

template <typename T>
bool contains(const std::vector<T>& values, const T& value) {
    return std::find(values.begin(), values.end(), value) != values.end();
}

bool grants(const PeerRights& rights, const Request& request) {
    if (!contains(rights.may, request.operation))
        return false;
    return request.operation != Operation::mint_hub ||
           contains(rights.identities, request.module_id);
}

}  // namespace

bool RightsTable::allows(uid_t uid, const Request& request) const {
    return std::any_of(peers_.begin(), peers_.end(), [&](const PeerRights& rights) {
        return rights.uid == uid && grants(rights, request);
    });
}

bool RightsTable::knows(uid_t uid) const {
    return std::any_of(peers_.begin(), peers_.end(),
                       [uid](const PeerRights& rights) { return rights.uid == uid; });
}

}  // namespace mitral::vault
