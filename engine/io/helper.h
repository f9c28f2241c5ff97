/* SPDX-License-Identifier: MIT */
#ifndef TDM_IO_HELPER_H
#define TDM_IO_HELPER_H

/*
 * Another program that turns one file into bytes: started by its name without a shell, with nothing
 * but that file and a pipe, and with limits of time, memory and output. For work on hostile files,
 * and for programs whose licence is not ours. Blocks until it ends.
 */

#include "engine/base/err.h"
#include "engine/base/time.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tdm_helper {
    const char *const
        *words;     /* The program, found along PATH, and its arguments; NULL ends them. */
    int input;      /* What it reads as its standard input, from its begin; borrowed. */
    tdm_time limit; /* How long it may take. */
    size_t memory_max, output_max;
};

/**
 * @param output  What it wrote to its standard output, to be freed; at least one byte more is
 * there, a zero.
 *
 * @return TDM_E_UNSUPPORTED: there is no such program; TDM_E_MALFORMED: it failed; TDM_E_SPACE: it
 *         needed more than the limits; TDM_E_SYSTEM. With a cause.
 */
enum tdm_err tdm_helper_run(const struct tdm_helper *helper, uint8_t **output, size_t *size,
                            struct tdm_cause *cause);

/** Whether there is such a program along PATH. */
bool tdm_helper_there(const char *program);

#endif
