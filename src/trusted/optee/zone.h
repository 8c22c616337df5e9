/* The trust zone of a real secure world: zone.h over the GP TEE Internal Core API. */
#pragma once

#include "trusted/core/zone.h"

extern const struct trusted_zone trusted_optee_zone;
