/* SPDX-License-Identifier: MIT */
#ifndef TDM_MEASURE_MACHINE_H
#define TDM_MEASURE_MACHINE_H

/* The machine that a figure was measured on, and the calling thread's place on it. Linux. */

#include <sched.h>
#include <stdbool.h>
#include <stdint.h>

struct tdm_machine {
    char cpu[96];
    int cores; /* That this process may use. */
    uint64_t memory_bytes;
    char kernel[96];
    char flags[160];   /* The instruction sets that codecs ask for, separated by blanks. */
    char governor[32]; /* "" where the system does not tell. */
    double load;       /* Average of the last minute. */
};

void tdm_machine_describe(struct tdm_machine *machine);

struct tdm_pin {
    cpu_set_t before;
    bool pinned;
};

/** Keeps the calling thread, and those that it starts from now on, on one core. Where the system
 *  does not allow it nothing changes: see `pinned`. */
void tdm_pin_take(struct tdm_pin *pin);
void tdm_pin_release(struct tdm_pin *pin);

/** Bytes that the program holds on the heap now, by malloc's own count: mapped blocks too. */
uint64_t tdm_heap_bytes(void);

#endif
