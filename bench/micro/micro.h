/* SPDX-License-Identifier: MIT */
#ifndef MICRO_H
#define MICRO_H

/*
 * Hot routines, checked and timed in the same loop: for each routine a plain reference and what is
 * meant to be faster, on the same input. The loop knows nothing of what it runs; the rows_*.c files
 * here register routines. Everything random comes from the seed.
 */

#include "engine/base/rng.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MICRO_BLOCKS_MAX   12
#define MICRO_VARIANTS_MAX 6

/** One input of a routine, with room for what comes out. */
struct micro_case {
    struct tdm_rng rng; /* For whoever makes it. */
    bool timed;         /* Of the size that is timed; else of any size, alignment and stride. */
    void *state;        /* The routine's own, usually one of the blocks. */
    uint8_t *out;       /* What a run writes, compared between variants, */
    size_t out_size;    /* all of it, also what should not be touched. */
    double bytes;       /* That one run goes over; 0: says nothing. */
    double items;       /* That one run makes, e.g. packets; 0: only one. */
    void *blocks[MICRO_BLOCKS_MAX];
    size_t block_count;
};

struct micro_variant {
    const char *name;
    bool runs; /* This machine can run it. */
};

struct micro_routine {
    const char *name;  /* PART.VERB, for --only. */
    const char *shape; /* What one timed run works on. */

    /** False behind the last; 0 is the reference. */
    bool (*variant)(size_t at, struct micro_variant *variant);

    /** Fills in all but rng, timed and the blocks; false when a library does not want. */
    bool (*make)(struct micro_case *c);

    /** Before each sample, not timed: puts `out` and the state into the state that a run expects;
     *  `out` is filled with one value before. NULL: nothing to do. */
    void (*prepare)(struct micro_case *c, size_t variant);

    void (*run)(struct micro_case *c, size_t variant);

    /** Is what came out right? `reference` has what variant 0 wrote. NULL: the same bytes. */
    bool (*right)(struct micro_case *c, size_t variant, const uint8_t *reference);

    /** Frees what is not a block; NULL: nothing. */
    void (*drop)(struct micro_case *c);

    bool once; /* Only one run after each prepare. */
};

struct micro_list {
    const struct micro_routine *rows;
    size_t count;
};

extern const struct micro_list micro_base, micro_pixels, micro_sound, micro_hash, micro_srtp,
    micro_quality, micro_screen, micro_board;

/** Zeroed memory that goes with the case and starts `lead` bytes behind an alignment of 64. What
 *  lies behind its end is not ours. Ends the program when there is none. */
void *micro_take(struct micro_case *c, size_t size, size_t lead);

/** As micro_take, from a random alignment when not timed, with random bytes. */
uint8_t *micro_bytes(struct micro_case *c, size_t size);

/** Any number from low to high; the last one when timed. */
uint32_t micro_between(struct micro_case *c, uint32_t low, uint32_t high);

/** Peak signal to noise of two blocks of samples of 8 bits, dB; 99 when they are equal. */
double micro_psnr(const uint8_t *a, const uint8_t *b, size_t size);

/* What the loop found, for the reports (micro_report.c). */
struct micro_times {
    const char *variant;
    double min_ns, median_ns, max_ns; /* Of one run. */
    double ratio;                     /* Reference to this, median over the rounds. */
    size_t rounds, runs;              /* And runs in each. */
};

struct micro_result {
    const struct micro_routine *routine;
    double bytes, items;
    struct micro_times times[MICRO_VARIANTS_MAX];
    size_t count;
};

struct micro_options {
    const char *only, *json;
    double seconds;
    uint64_t seed;
    bool check;
};

void micro_print_head(void);
void micro_print(const struct micro_result *result);

/** False when the file cannot be written. */
bool micro_write_json(const struct micro_options *options, const struct micro_result *results,
                      size_t count);

#endif
