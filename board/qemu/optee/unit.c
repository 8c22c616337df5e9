/* What differs from unit to unit on QEMU's `virt`: the last page of the flash that only the secure
 * world sees stands in for fuses (hardware key) and for a source of randomness (seed). QEMU has no
 * such source there: numbers drawn on this machine are for tests. */
#include <arm.h>
#include <crypto/crypto.h>
#include <kernel/nv_counter.h>
#include <kernel/panic.h>
#include <kernel/tee_common_otp.h>
#include <mm/core_memprot.h>
#include <mm/core_mmu.h>
#include <string.h>
#include <string_ext.h>

#define UNIT_ADDRESS 0x03fff000

struct unit {
    uint8_t hardware_key[HW_UNIQUE_KEY_LENGTH];
    uint8_t seed[32];
};

register_phys_mem_pgdir(MEM_AREA_IO_SEC, UNIT_ADDRESS, SMALL_PAGE_SIZE);

/* Fails for flash that is erased or was never written. */
static TEE_Result read_unit(struct unit* unit) {
    const volatile uint8_t* flash =
        phys_to_virt(UNIT_ADDRESS, MEM_AREA_IO_SEC, sizeof(struct unit));
    uint8_t* to = (uint8_t*)unit;
    uint8_t any = 0;
    uint8_t all = 0xff;
    if (!flash)
        return TEE_ERROR_SECURITY;
    for (size_t i = 0; i < sizeof(*unit); i++)
        to[i] = flash[i];
    for (size_t i = 0; i < sizeof(unit->hardware_key); i++) {
        any |= unit->hardware_key[i];
        all &= unit->hardware_key[i];
    }
    return any == 0 || all == 0xff ? TEE_ERROR_SECURITY : TEE_SUCCESS;
}

TEE_Result tee_otp_get_hw_unique_key(struct tee_hw_unique_key* key) {
    struct unit unit;
    const TEE_Result result = read_unit(&unit);
    memcpy(key->data, unit.hardware_key, sizeof(key->data));
    memzero_explicit(&unit, sizeof(unit));
    return result;
}

void plat_rng_init(void) {
    struct {
        struct unit unit;
        uint64_t count;
    } start;
    if (read_unit(&start.unit) != TEE_SUCCESS)
        panic("no hardware key: this unit was never made");
    start.count = barrier_read_counter_timer();
    if (crypto_rng_init(&start, sizeof(start)) != TEE_SUCCESS)
        panic("no randomness");
    memzero_explicit(&start, sizeof(start));
}

/* There is no counter here that only goes up: an older copy of the storage is taken for the newest.
 * The Trusted Application's documentation says so, and the unit's status must. */
TEE_Result nv_counter_get_ree_fs(uint32_t* value) {
    *value = 0;
    return TEE_SUCCESS;
}

TEE_Result nv_counter_incr_ree_fs_to(uint32_t value __unused) {
    return TEE_SUCCESS;
}
