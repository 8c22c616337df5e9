/* The doors of the Trusted Application: who may come in, and in what shape. */
#include <string.h>
#include <tee_internal_api.h>
#include <tee_internal_api_extensions.h>

#include "trusted/core/commands.h"
#include "trusted/optee/zone.h"

static struct trusted custody;
static bool is_open;
/* The normal world can change shared memory at any time: nothing is read or built there. */
static uint8_t request[TRUSTED_MAX_REQUEST];
static uint8_t reply[TRUSTED_MAX_REPLY];

TEE_Result TA_CreateEntryPoint(void) {
    return TEE_SUCCESS;
}

void TA_DestroyEntryPoint(void) {
    trusted_close(&custody);
}

/* The kernel of the normal world says who asks. That keeps out every user but the vault's; a kernel
 * that lies is root, and is held by the rules of custody alone. */
static bool is_vault(void) {
    static const TEE_UUID vault = TRUSTED_CLIENT;
    TEE_Identity client;
    return TEE_GetPropertyAsIdentity(TEE_PROPSET_CURRENT_CLIENT, "gpd.client.identity", &client) ==
               TEE_SUCCESS &&
           client.login == TEE_LOGIN_USER &&
           TEE_MemCompare(&client.uuid, &vault, sizeof vault) == 0;
}

TEE_Result TA_OpenSessionEntryPoint(uint32_t types, TEE_Param params[TEE_NUM_PARAMS],
                                    void** session) {
    (void)params;
    (void)session;
    if (types != TEE_PARAM_TYPES(TEE_PARAM_TYPE_NONE, TEE_PARAM_TYPE_NONE, TEE_PARAM_TYPE_NONE,
                                 TEE_PARAM_TYPE_NONE))
        return TEE_ERROR_BAD_PARAMETERS;
    if (!is_vault())
        return TEE_ERROR_ACCESS_DENIED;
    if (!is_open)
        is_open = trusted_open(&custody, &trusted_optee_zone) == TRUSTED_OK;
    return is_open ? TEE_SUCCESS : TEE_ERROR_STORAGE_NOT_AVAILABLE;
}

void TA_CloseSessionEntryPoint(void* session) {
    (void)session;
}

TEE_Result TA_InvokeCommandEntryPoint(void* session, uint32_t command, uint32_t types,
                                      TEE_Param params[TEE_NUM_PARAMS]) {
    (void)session;
    if (types != TEE_PARAM_TYPES(TEE_PARAM_TYPE_MEMREF_INPUT, TEE_PARAM_TYPE_MEMREF_OUTPUT,
                                 TEE_PARAM_TYPE_NONE, TEE_PARAM_TYPE_NONE))
        return TEE_ERROR_BAD_PARAMETERS;
    const size_t size = params[0].memref.size;
    if (size > sizeof request)
        return TEE_ERROR_BAD_PARAMETERS;
    if (params[1].memref.size < sizeof reply) {
        params[1].memref.size = sizeof reply;
        return TEE_ERROR_SHORT_BUFFER;
    }
    if (size > 0)
        TEE_MemMove(request, params[0].memref.buffer, size);
    const struct span input = {request, size};
    const size_t written = trusted_answer(&custody, command, input, reply);
    TEE_MemMove(params[1].memref.buffer, reply, written);
    params[1].memref.size = written;
    trusted_wipe(request, size);
    trusted_wipe(reply, written);
    return TEE_SUCCESS;
}
