/* From a request to a reply (protocol.h): everything the normal world can make the zone do. */
#pragma once

#include "trusted/core/custody.h"

#ifdef __cplusplus
extern "C" {
#endif

/* `request` and `reply` lie in memory that the normal world cannot reach. Returns the size of the
 * reply, at least 1. Refusals are counted. */
size_t trusted_answer(struct trusted* trusted, uint32_t command, struct span request,
                      uint8_t reply[TRUSTED_MAX_REPLY]);

#ifdef __cplusplus
}
#endif
