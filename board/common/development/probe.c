/* Asks the Trusted Application, as the user given, for a statement, and for the key of the volume,
 * for which it comes too late: mitral-board-probe UID
 * Prints the unit's id and its attestation key, or the code with which the session was refused. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tee_client_api.h>
#include <unistd.h>

#include "trusted/protocol.h"

/* In the reply to TRUSTED_BEGIN_PROVISIONING, after u8 status, u16 size, "MVS1", u16 5, "optee",
 * u16 size and the X25519 key (32). */
enum {
    UNIT_ID_AT = 1 + 2 + 4 + 2 + 5 + 2 + 32,
    ATTESTATION_KEY_AT = UNIT_ID_AT + TRUSTED_UNIT_ID_SIZE,
    REFUSALS_AT = 1 + 1 + 8
};

static void show(const char* what, const unsigned char* bytes, size_t size) {
    printf("probe: %s ", what);
    for (size_t i = 0; i < size; i++)
        printf("%02x", bytes[i]);
    printf("\n");
}

static unsigned char reply[TRUSTED_MAX_REPLY];

static TEEC_Result ask(TEEC_Session* session, uint32_t command, unsigned char* request,
                       size_t size) {
    uint32_t origin = 0;
    TEEC_Operation operation;
    memset(&operation, 0, sizeof operation);
    operation.paramTypes =
        TEEC_PARAM_TYPES(TEEC_MEMREF_TEMP_INPUT, TEEC_MEMREF_TEMP_OUTPUT, TEEC_NONE, TEEC_NONE);
    operation.params[0].tmpref.buffer = request;
    operation.params[0].tmpref.size = size;
    operation.params[1].tmpref.buffer = reply;
    operation.params[1].tmpref.size = sizeof reply;
    return TEEC_InvokeCommand(session, command, &operation, &origin);
}

static unsigned long refusals(TEEC_Session* session) {
    unsigned char nothing = 0;
    unsigned long number = 0;
    if (ask(session, TRUSTED_STATUS, &nothing, 0) != TEEC_SUCCESS || reply[0] != TRUSTED_OK)
        return 0;
    for (int i = 0; i < 8; i++)
        number = number << 8 | reply[REFUSALS_AT + i];
    return number;
}

static void volume_key(TEEC_Session* session) {
    unsigned char for_a_new_one[2] = {0, 0};
    const unsigned long before = refusals(session);
    const TEEC_Result result =
        ask(session, TRUSTED_VOLUME_KEY, for_a_new_one, sizeof for_a_new_one);
    const unsigned status = result == TEEC_SUCCESS ? reply[0] : 0;
    memset(reply, 0, sizeof reply);
    printf("probe: volume key: 0x%08x, status %u, counted %lu\n", result, status,
           refusals(session) - before);
}

static int statement(TEEC_Session* session) {
    unsigned char nothing = 0;
    const TEEC_Result result = ask(session, TRUSTED_BEGIN_PROVISIONING, &nothing, 0);
    if (result != TEEC_SUCCESS || reply[0] != TRUSTED_OK) {
        printf("probe: no statement: 0x%08x, status %u\n", result, reply[0]);
        return 1;
    }
    show("unit", reply + UNIT_ID_AT, TRUSTED_UNIT_ID_SIZE);
    show("attestation key", reply + ATTESTATION_KEY_AT, 64);
    return 0;
}

int main(int argc, char** argv) {
    const TEEC_UUID uuid = TRUSTED_UUID;
    TEEC_Context context;
    TEEC_Session session;
    uint32_t origin = 0;
    const uid_t user = argc > 1 ? (uid_t)strtoul(argv[1], NULL, 10) : 0;
    if (setuid(user) != 0 || TEEC_InitializeContext(NULL, &context) != TEEC_SUCCESS) {
        printf("probe: user %u has no way to the secure world\n", user);
        return 1;
    }
    const TEEC_Result result =
        TEEC_OpenSession(&context, &session, &uuid, TEEC_LOGIN_USER, NULL, NULL, &origin);
    printf("probe: user %u session 0x%08x\n", user, result);
    if (result != TEEC_SUCCESS)
        return 1;
    const int failed = statement(&session);
    volume_key(&session);
    TEEC_CloseSession(&session);
    TEEC_FinalizeContext(&context);
    return failed;
}
