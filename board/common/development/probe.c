/* Asks the Trusted Application, as the user given, for a statement: mitral-board-probe UID
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
    ATTESTATION_KEY_AT = UNIT_ID_AT + TRUSTED_UNIT_ID_SIZE
};

static void show(const char* what, const unsigned char* bytes, size_t size) {
    printf("probe: %s ", what);
    for (size_t i = 0; i < size; i++)
        printf("%02x", bytes[i]);
    printf("\n");
}

static int statement(TEEC_Session* session) {
    static unsigned char reply[TRUSTED_MAX_REPLY];
    unsigned char nothing = 0;
    uint32_t origin = 0;
    TEEC_Operation operation;
    memset(&operation, 0, sizeof operation);
    operation.paramTypes =
        TEEC_PARAM_TYPES(TEEC_MEMREF_TEMP_INPUT, TEEC_MEMREF_TEMP_OUTPUT, TEEC_NONE, TEEC_NONE);
    operation.params[0].tmpref.buffer = &nothing;
    operation.params[1].tmpref.buffer = reply;
    operation.params[1].tmpref.size = sizeof reply;
    const TEEC_Result result =
        TEEC_InvokeCommand(session, TRUSTED_BEGIN_PROVISIONING, &operation, &origin);
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
    TEEC_CloseSession(&session);
    TEEC_FinalizeContext(&context);
    return failed;
}
