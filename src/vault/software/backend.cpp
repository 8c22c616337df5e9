#include "vault/software/backend.hpp"

#include "base/log.hpp"
#include "vault/custody.hpp"
#include "vault/software/store.hpp"

#ifdef MITRAL_PRODUCTION
#error "the software back end is no part of a production build"
#endif

namespace mitral::vault::software {

base::Result<std::unique_ptr<Backend>> open_backend(const std::string& directory,
                                                    const base::Ed25519PublicKey& station_key,
                                                    const base::Clock& clock) {
    MITRAL_TRY(auto store, Store::open(directory));
    base::log_security("software-key-store", {{"boundary", store->boundary()},
                                              {"remedy", "set backend = \"tpm\" for real data"}});
    return Custody::open(std::move(store), station_key, clock);
}

}  // namespace mitral::vault::software
