#include "vault/open_backend.hpp"

#include <linux/tee.h>

#include "base/errors.hpp"
#include "vault/tpm/backend.hpp"
#ifdef MITRAL_OPTEE
#include "vault/optee/backend.hpp"
#endif
#ifndef MITRAL_PRODUCTION
#include "vault/software/backend.hpp"
#endif

namespace mitral::vault {
namespace {

// Of normal-world clients; the supplicant has a device and requests of its own. libteec opens it
// anew after the Trusted Application stopped.
base::Device tee_device() {
    return {"/dev/tee0",
            {TEE_IOC_VERSION, TEE_IOC_OPEN_SESSION, TEE_IOC_INVOKE, TEE_IOC_CANCEL,
             TEE_IOC_CLOSE_SESSION, TEE_IOC_SHM_ALLOC, TEE_IOC_SHM_REGISTER}};
}

}  // namespace

base::Result<base::SandboxPolicy> backend_sandbox(const Settings& settings) {
    base::SandboxPolicy policy;
    policy.user = settings.user;
    policy.writable = {settings.state};
    if (settings.backend == "tpm")
        MITRAL_CHECK(tpm::extend_sandbox(settings.tcti, policy));
    if (settings.backend == "optee")
        policy.devices.push_back(tee_device());
    return policy;
}

base::Result<std::unique_ptr<Backend>> open_backend(const Settings& settings,
                                                    const base::Clock& clock) {
    if (settings.backend == "tpm")
        return tpm::open_backend(settings.state, settings.tcti, settings.station_key, clock);
#ifdef MITRAL_OPTEE
    if (settings.backend == "optee")
        return optee::open_backend(optee::open_tee_channel(), settings.station_key, clock);
#endif
#ifndef MITRAL_PRODUCTION
    if (settings.backend == "software")
        return software::open_backend(settings.state, settings.station_key, clock);
#endif
    return base::fail(base::BaseError::invalid_setting,
                      "this build has no back end '" + settings.backend + "'");
}

}  // namespace mitral::vault
