/* Knocks at the Trusted Application with everything but what it takes: mitral-board-abuse UID
 * UID is the vault's user. Prints one line for each kind of knock, `abuse: KIND tried N refused N`,
 * and what was answered wrongly; ends with 0 when all was refused and the vault is served still. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <tee_client_api.h>
#include <unistd.h>

#include "trusted/protocol.h"

enum { LARGEST = 1 << 16, KINDS = 7, REFUSALS_AT = 1 + 1 + 8 };

static unsigned char buffers[4][LARGEST];
static const uint32_t commands[] = {0, 1,  2,  3,  4,  5,    6,          7,         8,
                                    9, 10, 11, 13, 14, 0xff, 0x80000001, 0xffffffff};
static const uint32_t kinds[KINDS] = {TEEC_NONE,
                                      TEEC_VALUE_INPUT,
                                      TEEC_VALUE_OUTPUT,
                                      TEEC_VALUE_INOUT,
                                      TEEC_MEMREF_TEMP_INPUT,
                                      TEEC_MEMREF_TEMP_OUTPUT,
                                      TEEC_MEMREF_TEMP_INOUT};
static const size_t sizes[] = {0, 1, 2, 7, 8, 15, 16, 31, 32, 33, 63, 64, 255, 1024, 4095, 4096};

struct tally {
    const char* kind;
    unsigned tried;
    unsigned refused;
};

static void count(struct tally* tally, bool refused, uint32_t command, uint32_t detail) {
    tally->tried++;
    if (refused)
        tally->refused++;
    else
        printf("abuse: %s: command %u, %08x: not refused\n", tally->kind, command, detail);
}

static bool tell(const struct tally* tally) {
    printf("abuse: %s tried %u refused %u\n", tally->kind, tally->tried, tally->refused);
    return tally->tried > 0 && tally->tried == tally->refused;
}

static uint32_t next_random(uint32_t* state) { /* xorshift: the same bytes in every run */
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

static TEEC_Result invoke(TEEC_Session* session, uint32_t command, const uint32_t shape[4],
                          const size_t size[4]) {
    TEEC_Operation operation;
    uint32_t origin = 0;
    memset(&operation, 0, sizeof operation);
    operation.paramTypes = TEEC_PARAM_TYPES(shape[0], shape[1], shape[2], shape[3]);
    for (int i = 0; i < 4; i++)
        if (shape[i] >= TEEC_MEMREF_TEMP_INPUT) {
            operation.params[i].tmpref.buffer = buffers[i];
            operation.params[i].tmpref.size = size[i];
        }
    return TEEC_InvokeCommand(session, command, &operation, &origin);
}

static TEEC_Result ask(TEEC_Session* session, uint32_t command, size_t request, size_t reply) {
    const uint32_t shape[4] = {TEEC_MEMREF_TEMP_INPUT, TEEC_MEMREF_TEMP_OUTPUT, TEEC_NONE,
                               TEEC_NONE};
    const size_t size[4] = {request, reply, 0, 0};
    memset(buffers[1], 0xff, TRUSTED_MAX_REPLY);
    return invoke(session, command, shape, size);
}

static bool right_shape(const uint32_t shape[4]) {
    return shape[0] == TEEC_MEMREF_TEMP_INPUT && shape[1] == TEEC_MEMREF_TEMP_OUTPUT &&
           shape[2] == TEEC_NONE && shape[3] == TEEC_NONE;
}

static bool wrong_shapes(TEEC_Session* session) {
    struct tally tally = {"shape", 0, 0};
    const size_t size[4] = {64, TRUSTED_MAX_REPLY, 64, 64};
    for (size_t c = 0; c < sizeof commands / sizeof commands[0]; c++)
        for (int pair = 0; pair < 2; pair++)
            for (int a = 0; a < KINDS; a++)
                for (int b = 0; b < KINDS; b++) {
                    uint32_t shape[4] = {TEEC_MEMREF_TEMP_INPUT, TEEC_MEMREF_TEMP_OUTPUT, TEEC_NONE,
                                         TEEC_NONE};
                    shape[2 * pair] = kinds[a];
                    shape[2 * pair + 1] = kinds[b];
                    if (right_shape(shape))
                        continue;
                    const TEEC_Result result = invoke(session, commands[c], shape, size);
                    count(&tally, result == TEEC_ERROR_BAD_PARAMETERS, commands[c], result);
                }
    return tell(&tally);
}

static bool wrong_sizes(TEEC_Session* session) {
    struct tally tally = {"size", 0, 0};
    static const size_t small[] = {0, 1, 4095};
    static const size_t large[] = {4097, 8192, LARGEST};
    for (size_t c = 0; c < sizeof commands / sizeof commands[0]; c++)
        for (int i = 0; i < 3; i++) {
            TEEC_Result result = ask(session, commands[c], 0, small[i]);
            count(&tally, result == TEEC_ERROR_SHORT_BUFFER, commands[c], result);
            result = ask(session, commands[c], large[i], TRUSTED_MAX_REPLY);
            count(&tally, result == TEEC_ERROR_BAD_PARAMETERS, commands[c], result);
        }
    return tell(&tally);
}

static bool takes_no_request(uint32_t command) {
    return command == TRUSTED_NEW_DATA_KEY || command == TRUSTED_STATUS ||
           command == TRUSTED_BEGIN_PROVISIONING || command == TRUSTED_BEGIN_TIME;
}

/* Requests of every size, of random bytes and of bytes that make lengths overrun. */
static bool wrong_requests(TEEC_Session* session) {
    struct tally tally = {"request", 0, 0};
    uint32_t state = 2463534242U;
    for (size_t c = 0; c < sizeof commands / sizeof commands[0]; c++)
        for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++)
            for (int fill = 0; fill < 3; fill++) {
                if (sizes[s] == 0 && takes_no_request(commands[c]))
                    continue;
                for (size_t i = 0; i < sizes[s]; i++)
                    buffers[0][i] = fill == 0   ? 0
                                    : fill == 1 ? 0xff
                                                : (unsigned char)next_random(&state);
                const TEEC_Result result = ask(session, commands[c], sizes[s], TRUSTED_MAX_REPLY);
                count(&tally, result == TEEC_SUCCESS && buffers[1][0] != TRUSTED_OK, commands[c],
                      result);
            }
    return tell(&tally);
}

static uint64_t refusals(TEEC_Session* session, bool* served) {
    *served = ask(session, TRUSTED_STATUS, 0, TRUSTED_MAX_REPLY) == TEEC_SUCCESS &&
              buffers[1][0] == TRUSTED_OK;
    uint64_t number = 0;
    for (int i = 0; i < 8; i++)
        number = number << 8 | buffers[1][REFUSALS_AT + i];
    return number;
}

static TEEC_Result open_as(uid_t user, uint32_t login, TEEC_Context* context,
                           TEEC_Session* session) {
    const TEEC_UUID uuid = TRUSTED_UUID;
    uint32_t group = 0;
    uint32_t origin = 0;
    if (setuid(user) != 0)
        return TEEC_ERROR_GENERIC;
    const TEEC_Result result = TEEC_InitializeContext(NULL, context);
    if (result != TEEC_SUCCESS)
        return result;
    return TEEC_OpenSession(
        context, session, &uuid, login,
        login == TEEC_LOGIN_GROUP || login == TEEC_LOGIN_GROUP_APPLICATION ? &group : NULL, NULL,
        &origin);
}

/* In a process of its own, since a user that was given up is not had again. */
static bool is_refused(uid_t user, uint32_t login) {
    fflush(stdout);
    const pid_t child = fork();
    if (child == 0) {
        TEEC_Context context;
        TEEC_Session session;
        _exit(open_as(user, login, &context, &session) == TEEC_SUCCESS ? 1 : 0);
    }
    int status = 0;
    return child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status) &&
           WEXITSTATUS(status) == 0;
}

static bool wrong_callers(uid_t vault) {
    struct tally tally = {"caller", 0, 0};
    static const uint32_t logins[] = {TEEC_LOGIN_PUBLIC,
                                      TEEC_LOGIN_USER,
                                      TEEC_LOGIN_GROUP,
                                      TEEC_LOGIN_APPLICATION,
                                      TEEC_LOGIN_USER_APPLICATION,
                                      TEEC_LOGIN_GROUP_APPLICATION};
    const uid_t users[] = {0, 1, vault - 1, vault + 1, 65534, vault};
    for (size_t u = 0; u < sizeof users / sizeof users[0]; u++)
        for (size_t l = 0; l < sizeof logins / sizeof logins[0]; l++)
            if (users[u] != vault || logins[l] != TEEC_LOGIN_USER)
                count(&tally, is_refused(users[u], logins[l]), users[u], logins[l]);
    return tell(&tally);
}

int main(int argc, char** argv) {
    if (argc != 2) {
        fprintf(stderr, "usage: mitral-board-abuse UID\n");
        return 2;
    }
    const uid_t vault = (uid_t)strtoul(argv[1], NULL, 10);
    bool good = wrong_callers(vault);
    TEEC_Context context;
    TEEC_Session session;
    const TEEC_Result opened = open_as(vault, TEEC_LOGIN_USER, &context, &session);
    if (opened != TEEC_SUCCESS) {
        printf("abuse: user %u is not served: 0x%08x\n", vault, opened);
        return 1;
    }
    bool served = false;
    const uint64_t before = refusals(&session, &served);
    good = wrong_shapes(&session) && good;
    good = wrong_sizes(&session) && good;
    good = wrong_requests(&session) && good;
    const uint64_t after = refusals(&session, &served);
    printf("abuse: refusals counted %llu, served still: %s\n", (unsigned long long)(after - before),
           served ? "yes" : "no");
    return good && served ? 0 : 1;
}
