/* A trust zone of files and OpenSSL, for tests and fuzzing: what it keeps is as safe as the process
 * it runs in. Never part of a production build. */
#pragma once

#include "trusted/core/zone.h"

#ifdef MITRAL_PRODUCTION
#error "the host zone is no part of a production build"
#endif

#ifdef __cplusplus
extern "C" {
#endif

struct trusted_host {
    char directory[512];
    uint8_t hardware_key[32]; /* what the fuses hold on a board */
    int deletes_damaged;      /* as OP-TEE does: an object that is not authentic is gone at once */
};

/* Sealed objects lie in `directory`, which exists. 0 when its name is too long. `host` must
 * outlive the zone; the rest of it is the caller's. */
int trusted_host_zone(struct trusted_host* host, const char* directory,
                      const uint8_t hardware_key[32], struct trusted_zone* zone);

#ifdef __cplusplus
}
#endif
