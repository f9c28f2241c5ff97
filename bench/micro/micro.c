/* SPDX-License-Identifier: MIT */
/*
 * Checks and times hot routines in one loop (micro.h).
 *
 *     micro [--only TEXT] [--seconds S] [--seed N] [--json FILE] [--check]
 *
 * TEXT is part of a routine's name. S is for each routine, 0.4 by default. Rounds go through all
 * variants of a routine, so that whatever else the machine does meets all of them; a sample is some
 * runs behind one another, checked once. With --check nothing is timed, and many sizes, alignments
 * and strides are gone through instead. Ends with 1 when a variant is wrong.
 */
#include "bench/micro/micro.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SAMPLE_NS    200000.0 /* As long should a sample take. */
#define RUNS_MAX     100000
#define ROUNDS_MAX   2000
#define CHECK_CASES  60
#define ROUTINES_MAX 64
#define FILL         0xa5

struct samples {
    double ns[MICRO_VARIANTS_MAX][ROUNDS_MAX];
    double ratios[ROUNDS_MAX];
    size_t runs[MICRO_VARIANTS_MAX];
};

static double now_ns(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static void drop_case(const struct micro_routine *routine, struct micro_case *c)
{
    if (routine->drop)
        routine->drop(c);
    for (size_t i = 0; i < c->block_count; i++)
        free(c->blocks[i]);
}

static void make_case(const struct micro_routine *routine, struct micro_case *c, uint64_t seed,
                      bool timed)
{
    *c = (struct micro_case){.rng = tdm_rng_of(seed), .timed = timed};
    if (!routine->make(c)) {
        fprintf(stderr, "micro: %s cannot be set up\n", routine->name);
        exit(1);
    }
}

static void prepare(const struct micro_routine *routine, struct micro_case *c, size_t variant)
{
    memset(c->out, FILL, c->out_size);
    if (routine->prepare)
        routine->prepare(c, variant);
}

/* Runs a variant once and says whether it did right. Variant 0 first: it leaves `reference`. */
static bool check_one(const struct micro_routine *routine, struct micro_case *c, size_t variant,
                      uint8_t *reference)
{
    prepare(routine, c, variant);
    routine->run(c, variant);
    if (variant == 0)
        memcpy(reference, c->out, c->out_size);
    return routine->right ? routine->right(c, variant, reference)
                          : !memcmp(c->out, reference, c->out_size);
}

static uint8_t *reference_for(const struct micro_case *c)
{
    uint8_t *reference = malloc(c->out_size + 1);

    if (!reference) {
        fprintf(stderr, "micro: no memory\n");
        exit(1);
    }
    return reference;
}

static size_t variants_of(const struct micro_routine *routine, struct micro_variant *variants)
{
    size_t count = 0;

    while (count < MICRO_VARIANTS_MAX && routine->variant(count, &variants[count]))
        count++;
    return count;
}

static bool check_case(const struct micro_routine *routine, uint64_t seed)
{
    struct micro_variant variants[MICRO_VARIANTS_MAX];
    size_t count = variants_of(routine, variants);
    struct micro_case c;
    bool good = true;

    make_case(routine, &c, seed, false);
    uint8_t *reference = reference_for(&c);

    for (size_t i = 0; i < count; i++) {
        if (!variants[i].runs || check_one(routine, &c, i, reference))
            continue;
        printf("micro: %s: %s is wrong with --seed %llu\n", routine->name, variants[i].name,
               (unsigned long long)seed);
        good = false;
    }
    free(reference);
    drop_case(routine, &c);
    return good;
}

/* One sample: ns of a run. */
static double time_runs(const struct micro_routine *routine, struct micro_case *c, size_t variant,
                        size_t runs)
{
    prepare(routine, c, variant);
    double start = now_ns();

    for (size_t i = 0; i < runs; i++)
        routine->run(c, variant);
    return (now_ns() - start) / (double)runs;
}

static size_t runs_for(const struct micro_routine *routine, struct micro_case *c, size_t variant)
{
    size_t runs = 1;

    if (routine->once)
        return 1;
    while (runs < RUNS_MAX && time_runs(routine, c, variant, runs) * (double)runs < SAMPLE_NS)
        runs *= 2;
    return runs;
}

static void sum_up(const char *name, struct samples *s, size_t variant, size_t rounds,
                   struct micro_times *times)
{
    for (size_t i = 0; i < rounds; i++)
        s->ratios[i] = s->ns[0][i] / s->ns[variant][i];
    qsort(s->ratios, rounds, sizeof *s->ratios, by_value);
    *times = (struct micro_times){.variant = name,
                                  .ratio = s->ratios[rounds / 2],
                                  .rounds = rounds,
                                  .runs = s->runs[variant]};
    for (size_t i = 0; i < rounds; i++)
        s->ratios[i] = s->ns[variant][i];
    qsort(s->ratios, rounds, sizeof *s->ratios, by_value);
    times->min_ns = s->ratios[0];
    times->median_ns = s->ratios[rounds / 2];
    times->max_ns = s->ratios[rounds - 1];
}

/* The loop: each round checks each variant and then times it. */
static bool time_routine(const struct micro_routine *routine, const struct micro_options *options,
                         struct micro_result *result)
{
    static struct samples s; /* Too large for the stack; one routine at a time. */
    struct micro_variant variants[MICRO_VARIANTS_MAX];
    size_t count = variants_of(routine, variants), rounds = 0;
    struct micro_case c;
    bool good = true;

    make_case(routine, &c, options->seed, true);
    uint8_t *reference = reference_for(&c);

    for (size_t i = 0; i < count; i++)
        s.runs[i] = variants[i].runs ? runs_for(routine, &c, i) : 0;
    for (double start = now_ns(); good && rounds < ROUNDS_MAX; rounds++) {
        if (rounds >= 5 && now_ns() - start > options->seconds * 1e9)
            break;
        for (size_t i = 0; good && i < count; i++) {
            if (!variants[i].runs)
                continue;
            good = check_one(routine, &c, i, reference);
            if (!good)
                printf("micro: %s: %s is wrong\n", routine->name, variants[i].name);
            s.ns[i][rounds] = time_runs(routine, &c, i, s.runs[i]);
        }
    }
    *result = (struct micro_result){.routine = routine, .bytes = c.bytes, .items = c.items};
    for (size_t i = 0; good && i < count; i++)
        if (variants[i].runs)
            sum_up(variants[i].name, &s, i, rounds, &result->times[result->count++]);
    free(reference);
    drop_case(routine, &c);
    return good;
}

void *micro_take(struct micro_case *c, size_t size, size_t lead)
{
    void *block = NULL;

    if (c->block_count == MICRO_BLOCKS_MAX ||
        posix_memalign(&block, 64, size + lead > 0 ? size + lead : 1)) {
        fprintf(stderr, "micro: no memory\n");
        exit(1);
    }
    memset(block, 0, size + lead);
    c->blocks[c->block_count++] = block;
    return (uint8_t *)block + lead;
}

uint8_t *micro_bytes(struct micro_case *c, size_t size)
{
    uint8_t *bytes = micro_take(c, size, c->timed ? 0 : tdm_rng_below(&c->rng, 64));

    for (size_t i = 0; i < size; i++)
        bytes[i] = (uint8_t)tdm_rng_u32(&c->rng);
    return bytes;
}

uint32_t micro_between(struct micro_case *c, uint32_t low, uint32_t high)
{
    return c->timed ? high : low + tdm_rng_below(&c->rng, high - low + 1);
}

double micro_psnr(const uint8_t *a, const uint8_t *b, size_t size)
{
    double sum = 0;

    for (size_t i = 0; i < size; i++)
        sum += (a[i] - b[i]) * (a[i] - b[i]);
    return sum > 0 ? 10 * log10(255.0 * 255.0 * (double)size / sum) : 99;
}

static bool numbers(const char *text, double *value)
{
    char *end;

    *value = strtod(text, &end);
    return end != text && !*end && *value >= 0 && *value < 1e15;
}

static bool parse(struct micro_options *options, int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : NULL;
        double number;

        if (strcmp(argv[i], "--check") == 0) {
            options->check = true;
            continue;
        }
        if (!value)
            return false;
        i++;
        if (strcmp(argv[i - 1], "--only") == 0)
            options->only = value;
        else if (strcmp(argv[i - 1], "--json") == 0)
            options->json = value;
        else if (strcmp(argv[i - 1], "--seconds") == 0 && numbers(value, &number))
            options->seconds = number;
        else if (strcmp(argv[i - 1], "--seed") == 0 && numbers(value, &number))
            options->seed = (uint64_t)number;
        else
            return false;
    }
    return true;
}

static size_t wanted(const struct micro_options *options, const struct micro_routine **routines)
{
    const struct micro_list *lists[] = {&micro_base,  &micro_pixels, &micro_screen, &micro_board,
                                        &micro_sound, &micro_hash,   &micro_srtp,   &micro_quality};
    size_t count = 0;

    for (size_t l = 0; l < sizeof lists / sizeof *lists; l++)
        for (size_t i = 0; i < lists[l]->count && count < ROUTINES_MAX; i++)
            if (!options->only || strstr(lists[l]->rows[i].name, options->only))
                routines[count++] = &lists[l]->rows[i];
    return count;
}

static bool check_all(const struct micro_options *options, const struct micro_routine **routines,
                      size_t count)
{
    bool good = true;

    for (size_t i = 0; i < count; i++)
        for (uint64_t k = 0; k < CHECK_CASES; k++)
            good = check_case(routines[i], options->seed + k) && good;
    printf("micro: %zu routines with %d inputs each: %s\n", count, CHECK_CASES,
           good ? "all variants do what the reference does" : "WRONG");
    return good;
}

static bool time_all(const struct micro_options *options, const struct micro_routine **routines,
                     size_t count)
{
    static struct micro_result results[ROUTINES_MAX];
    bool good = true;

    micro_print_head();
    for (size_t i = 0; i < count; i++) {
        good = time_routine(routines[i], options, &results[i]) && good;
        micro_print(&results[i]);
    }
    if (options->json && !micro_write_json(options, results, count)) {
        fprintf(stderr, "micro: cannot write %s\n", options->json);
        return false;
    }
    return good;
}

int main(int argc, char **argv)
{
    static const struct micro_routine *routines[ROUTINES_MAX];
    struct micro_options options = {.seconds = 0.4, .seed = 1};

    if (!parse(&options, argc, argv)) {
        fprintf(stderr,
                "usage: %s [--only TEXT] [--seconds S] [--seed N] [--json FILE] [--check]\n",
                argv[0]);
        return 2;
    }
    size_t count = wanted(&options, routines);

    if (count == 0) {
        fprintf(stderr, "micro: no routine has \"%s\" in its name\n", options.only);
        return 2;
    }
    return (options.check ? check_all : time_all)(&options, routines, count) ? 0 : 1;
}
