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
    uint8_t station_key[32];  /* what is built into the Trusted Application on a board */
    int has_station_key;      /* 0: any station may provision */
    int refuses_storage;      /* as OP-TEE does what is older than its counter, or gone */
    int deletes_damaged;      /* as OP-TEE does: an object that is not authentic is gone at once */
};

/* Sealed objects lie in `directory`, which exists. 0 when its name is too long. `host` must
 * outlive the zone; what it says beside these is the caller's, and stands before. */
int trusted_host_zone(struct trusted_host* host, const char* directory,
                      const uint8_t hardware_key[32], struct trusted_zone* zone);

#ifdef __cplusplus
}
#endif
