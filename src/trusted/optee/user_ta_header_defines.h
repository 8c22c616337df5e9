/* What OP-TEE's kit asks of every Trusted Application. One instance for all the time the unit runs:
 * opening a sealed object costs many times what a token does. One session, for the one vault. */
#pragma once

#include "trusted/protocol.h"

#define TA_UUID TRUSTED_UUID
#define TA_FLAGS (TA_FLAG_SINGLE_INSTANCE | TA_FLAG_INSTANCE_KEEP_ALIVE)
#define TA_STACK_SIZE (16 * 1024)
#define TA_DATA_SIZE (32 * 1024)
#define TA_DESCRIPTION "Mitral custody: keys, rules, tokens"
#define TA_VERSION "1"
