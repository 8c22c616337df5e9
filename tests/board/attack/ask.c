/* Whoever is root may become the vault's user and speak to the Trusted Application himself:
 *     ask UID COMMAND REQUEST_IN_HEX
 * Prints the result of the call and the reply, both in hexadecimal. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tee_client_api.h>
#include <unistd.h>

#include "trusted/protocol.h"

static unsigned char request[TRUSTED_MAX_REQUEST];
static unsigned char reply[TRUSTED_MAX_REPLY];

static size_t from_hex(const char* digits) {
    size_t size = 0;
    unsigned byte = 0;
    while (size < sizeof request && sscanf(digits + 2 * size, "%2x", &byte) == 1)
        request[size++] = (unsigned char)byte;
    return size;
}

int main(int argc, char** argv) {
    const TEEC_UUID uuid = TRUSTED_UUID;
    TEEC_Context context;
    TEEC_Session session;
    TEEC_Operation operation;
    uint32_t origin = 0;
    if (argc != 4 || setuid((uid_t)strtoul(argv[1], NULL, 10)) != 0 ||
        TEEC_InitializeContext(NULL, &context) != TEEC_SUCCESS)
        return 2;
    TEEC_Result result =
        TEEC_OpenSession(&context, &session, &uuid, TEEC_LOGIN_USER, NULL, NULL, &origin);
    size_t size = 0;
    if (result == TEEC_SUCCESS) {
        memset(&operation, 0, sizeof operation);
        operation.paramTypes =
            TEEC_PARAM_TYPES(TEEC_MEMREF_TEMP_INPUT, TEEC_MEMREF_TEMP_OUTPUT, TEEC_NONE, TEEC_NONE);
        operation.params[0].tmpref.buffer = request;
        operation.params[0].tmpref.size = from_hex(argv[3]);
        operation.params[1].tmpref.buffer = reply;
        operation.params[1].tmpref.size = sizeof reply;
        result =
            TEEC_InvokeCommand(&session, (uint32_t)strtoul(argv[2], NULL, 10), &operation, &origin);
        size = result == TEEC_SUCCESS ? operation.params[1].tmpref.size : 0;
        TEEC_CloseSession(&session);
    }
    TEEC_FinalizeContext(&context);
    printf("%08x ", result);
    for (size_t i = 0; i < size; i++)
        printf("%02x", reply[i]);
    printf("\n");
    return 0;
}
