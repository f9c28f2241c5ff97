/* SPDX-License-Identifier: MIT */
#ifndef TDM_BASE_CPU_H
#define TDM_BASE_CPU_H

/*
 * What vector instructions beyond the architecture's baseline the processor has and the system
 * lets a program use. A routine with vector variants keeps them in a table, plainest first: each
 * row names what it needs, the first row is plain C and needs nothing. The routine calls the last
 * row that may run; tests and bench/micro run them all against the first.
 *
 * On x86-64 the baseline is SSE2. Elsewhere there is only plain C so far.
 */

#include <stdbool.h>
#include <stdint.h>

#if defined(__x86_64__) && defined(__GNUC__)
#define TDM_CPU_X86 1
/** Before a function whose body may use these instructions, e.g. TDM_TARGET("avx2"). */
#define TDM_TARGET(features) __attribute__((target(features)))
#else
#define TDM_CPU_X86 0
#endif

enum tdm_cpu {
    TDM_CPU_SSSE3 = 1,
    TDM_CPU_AVX2 = 2,
    TDM_CPU_GFNI = 4, /* As vectors of 256 bits: with AVX2. */
};

/** A set of enum tdm_cpu. A few loads: the answer was found before main. */
uint32_t tdm_cpu_features(void);

/** May a variant run that needs this set? */
static inline bool tdm_cpu_has(uint32_t needs)
{
    return !(needs & ~tdm_cpu_features());
}

#endif
