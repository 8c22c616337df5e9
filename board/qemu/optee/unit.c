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

/* Two counters of as many words as are zero, one behind the other in a block of the flash. A word
 * is programmed once (CFI, Intel command set, two 16-bit devices side by side). The first is what
 * OP-TEE's storage may not fall behind, the second counts starts. */
#define COUNTER_ADDRESS 0x03f00000
#define COUNTER_WORDS 0x10000
#define COUNTER_SIZE (COUNTER_WORDS * sizeof(uint32_t))
#define PROGRAM_WORD 0x00400040
#define READ_ARRAY 0x00ff00ff

register_phys_mem_pgdir(MEM_AREA_IO_SEC, COUNTER_ADDRESS, 2 * COUNTER_SIZE);

static volatile uint32_t* counter(paddr_t address) {
    return phys_to_virt(address, MEM_AREA_IO_SEC, COUNTER_SIZE);
}

static volatile uint32_t* storage_counter(void) {
    return counter(COUNTER_ADDRESS);
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

static void raise_to(volatile uint32_t* words, uint32_t value) {
    for (uint32_t at = count(words); at < value && at < COUNTER_WORDS; at++) {
        words[at] = PROGRAM_WORD;
        words[at] = 0;
        words[at] = READ_ARRAY;
    }
}

/* This start's number; the last one again and again when all are used up. */
static uint32_t count_start(void) {
    volatile uint32_t* words = counter(COUNTER_ADDRESS + COUNTER_SIZE);
    if (!words)
        panic("no counter of starts");
    raise_to(words, count(words) + 1);
    return count(words);
}

/* The timer alone may stand at the same value at two starts. */
void plat_rng_init(void) {
    struct {
        struct unit unit;
        uint64_t time;
        uint32_t start;
        uint32_t written;
    } seed;
    if (read_unit(&seed.unit) != TEE_SUCCESS)
        panic("no hardware key: this unit was never made");
    if (nv_counter_get_ree_fs(&seed.written) != TEE_SUCCESS)
        panic("no counter of storage");
    seed.start = count_start();
    seed.time = barrier_read_counter_timer();
    if (crypto_rng_init(&seed, sizeof(seed)) != TEE_SUCCESS)
        panic("no randomness");
    memzero_explicit(&seed, sizeof(seed));
}

TEE_Result nv_counter_get_ree_fs(uint32_t* value) {
    const volatile uint32_t* words = storage_counter();
    if (!words)
        return TEE_ERROR_SECURITY;
    *value = count(words);
    return TEE_SUCCESS;
}

TEE_Result nv_counter_incr_ree_fs_to(uint32_t value) {
    volatile uint32_t* words = storage_counter();
    if (!words || value > COUNTER_WORDS)
        return TEE_ERROR_SECURITY;
    raise_to(words, value);
    return count(words) >= value ? TEE_SUCCESS : TEE_ERROR_SECURITY;
}
