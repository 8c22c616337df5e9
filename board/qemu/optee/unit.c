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

/* The counter that OP-TEE's storage may not fall behind: as many words of this block of the flash
 * as are zero. A word is programmed once (CFI, Intel command set, two 16-bit devices side by side).
 */
#define COUNTER_ADDRESS 0x03f00000
#define COUNTER_WORDS 0x10000
#define PROGRAM_WORD 0x00400040
#define READ_ARRAY 0x00ff00ff

register_phys_mem_pgdir(MEM_AREA_IO_SEC, COUNTER_ADDRESS, COUNTER_WORDS * sizeof(uint32_t));

static volatile uint32_t* counter(void) {
    return phys_to_virt(COUNTER_ADDRESS, MEM_AREA_IO_SEC, COUNTER_WORDS * sizeof(uint32_t));
}

static uint32_t count(const volatile uint32_t* words) {
    uint32_t low = 0;
    uint32_t high = COUNTER_WORDS;
    while (low < high) {
        const uint32_t middle = (low + high) / 2;
        if (words[middle] == 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

TEE_Result nv_counter_get_ree_fs(uint32_t* value) {
    const volatile uint32_t* words = counter();
    if (!words)
        return TEE_ERROR_SECURITY;
    *value = count(words);
    return TEE_SUCCESS;
}

TEE_Result nv_counter_incr_ree_fs_to(uint32_t value) {
    volatile uint32_t* words = counter();
    if (!words || value > COUNTER_WORDS)
        return TEE_ERROR_SECURITY;
    for (uint32_t at = count(words); at < value; at++) {
        words[at] = PROGRAM_WORD;
        words[at] = 0;
        words[at] = READ_ARRAY;
    }
    return count(words) >= value ? TEE_SUCCESS : TEE_ERROR_SECURITY;
}
