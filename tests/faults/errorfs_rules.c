#include "errorfs_rules.h"

#include <errno.h>
#include <fnmatch.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MOST_RULES 64
#define NAME_SIZE 64
#define GLOB_SIZE 256

struct rule {
    char name[NAME_SIZE];
    char glob[GLOB_SIZE];
    enum operation op;
    int error;       /* 0: none */
    ssize_t partial; /* bytes of a write that take place; -1: all */
    bool torn;       /* nothing works after that write */
    long delay_ms;
    unsigned long nth;   /* strikes from the nth match on */
    unsigned long count; /* so often; 0: without end */
    unsigned long seen;
    unsigned long fired;
};

static const char* const names[OPERATIONS] = {
    "open",   "create",   "read",      "write", "fsync", "fdatasync", "fsyncdir", "rename",
    "unlink", "truncate", "fallocate", "mkdir", "rmdir", "link",      "readdir",  "statfs"};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct rule rules[MOST_RULES];
static size_t rule_count;
static bool dead;

static bool concerns(const struct rule* rule, enum operation op, const char* path,
                     const char* other) {
    return rule->op == op && (fnmatch(rule->glob, path, 0) == 0 ||
                              (other != NULL && fnmatch(rule->glob, other, 0) == 0));
}

static bool fires(struct rule* rule) {
    ++rule->seen;
    if (rule->seen < rule->nth || (rule->count != 0 && rule->fired >= rule->count))
        return false;
    ++rule->fired;
    return true;
}

static void wait_ms(long delay_ms) {
    struct timespec left = {.tv_sec = delay_ms / 1000, .tv_nsec = delay_ms % 1000 * 1000000};
    while (nanosleep(&left, &left) != 0 && errno == EINTR) {
    }
}

int rules_strike(enum operation op, const char* path, const char* other, ssize_t* limit) {
    int error = 0;
    long delay_ms = 0;
    if (limit != NULL)
        *limit = -1;
    pthread_mutex_lock(&lock);
    if (dead)
        error = -EIO;
    for (size_t i = 0; i < rule_count && error == 0; ++i) {
        struct rule* rule = &rules[i];
        if (!concerns(rule, op, path, other) || !fires(rule))
            continue;
        delay_ms += rule->delay_ms;
        error = -rule->error;
        if (rule->partial >= 0 && limit != NULL)
            *limit = rule->partial;
        if (rule->torn)
            dead = true; /* at once: a write of another thread must not follow the torn one */
    }
    pthread_mutex_unlock(&lock);
    wait_ms(delay_ms);
    return error;
}

int rules_alive(void) {
    pthread_mutex_lock(&lock);
    const int error = dead ? -EIO : 0;
    pthread_mutex_unlock(&lock);
    return error;
}

static bool number(const char* text, unsigned long maximum, unsigned long* value) {
    char* end = NULL;
    errno = 0;
    *value = strtoul(text, &end, 10);
    return *text >= '0' && *text <= '9' && *end == '\0' && errno == 0 && *value <= maximum;
}

static bool take_effect(struct rule* rule, const char* key, const char* text) {
    unsigned long value = 0;
    if (!number(text, 1000000000, &value))
        return false;
    if (strcmp(key, "errno") == 0 && value > 0 && value < 4096)
        rule->error = (int)value;
    else if (strcmp(key, "short") == 0 && rule->op == OP_WRITE)
        rule->partial = (ssize_t)value;
    else if (strcmp(key, "torn") == 0 && rule->op == OP_WRITE)
        rule->partial = (ssize_t)value, rule->torn = true;
    else if (strcmp(key, "delay_ms") == 0 && value <= 600000)
        rule->delay_ms = (long)value;
    else if (strcmp(key, "nth") == 0 && value > 0)
        rule->nth = value;
    else if (strcmp(key, "count") == 0)
        rule->count = value;
    else
        return false;
    return true;
}

static bool take_operation(struct rule* rule, const char* name) {
    for (rule->op = 0; rule->op < OPERATIONS; ++rule->op)
        if (strcmp(names[rule->op], name) == 0)
            return true;
    return false;
}

static const char* read_rule(struct rule* rule, char** rest) {
    const char* name = strtok_r(NULL, " ", rest);
    const char* operation = strtok_r(NULL, " ", rest);
    const char* glob = strtok_r(NULL, " ", rest);
    if (glob == NULL || strlen(name) >= NAME_SIZE || strlen(glob) >= GLOB_SIZE)
        return "add takes NAME OPERATION GLOB";
    if (!take_operation(rule, operation))
        return "no operation has this name";
    strcpy(rule->name, name);
    strcpy(rule->glob, glob);
    rule->partial = -1;
    rule->nth = 1;
    for (char* word = strtok_r(NULL, " ", rest); word != NULL; word = strtok_r(NULL, " ", rest)) {
        char* equals = strchr(word, '=');
        if (equals == NULL)
            return "an effect is KEY=NUMBER";
        *equals = '\0';
        if (!take_effect(rule, word, equals + 1))
            return "this effect or number does not exist for this operation";
    }
    if (rule->error == 0 && rule->partial < 0 && rule->delay_ms == 0)
        return "the rule has no effect: errno, short, torn or delay_ms";
    return NULL;
}

static const char* add(char** rest) {
    struct rule rule = {0};
    const char* refusal = read_rule(&rule, rest);
    if (refusal != NULL)
        return refusal;
    for (size_t i = 0; i < rule_count; ++i)
        if (strcmp(rules[i].name, rule.name) == 0)
            return "a rule has this name already";
    if (rule_count == MOST_RULES)
        return "too many rules";
    rules[rule_count++] = rule;
    return NULL;
}

static void clear(const char* name) {
    size_t kept = 0;
    for (size_t i = 0; i < rule_count; ++i)
        if (name != NULL && strcmp(rules[i].name, name) != 0)
            rules[kept++] = rules[i];
    rule_count = kept;
    dead = false;
}

void rules_obey(char* order, FILE* answer) {
    char* rest = NULL;
    const char* refusal = NULL;
    const char* verb = strtok_r(order, " ", &rest);
    pthread_mutex_lock(&lock);
    if (verb != NULL && strcmp(verb, "add") == 0)
        refusal = add(&rest);
    else if (verb != NULL && strcmp(verb, "clear") == 0)
        clear(strtok_r(NULL, " ", &rest));
    else if (verb != NULL && strcmp(verb, "list") == 0)
        for (size_t i = 0; i < rule_count; ++i)
            fprintf(answer, "%s %lu %lu\n", rules[i].name, rules[i].seen, rules[i].fired);
    else
        refusal = "orders are add, clear and list";
    pthread_mutex_unlock(&lock);
    if (refusal != NULL)
        fprintf(answer, "error %s\n", refusal);
    else
        fprintf(answer, "ok\n");
}
