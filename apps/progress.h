/* SPDX-License-Identifier: MIT */
#ifndef APPS_PROGRESS_H
#define APPS_PROGRESS_H

/* How far a transfer is, as a line. Pure: time and numbers go in, text comes out. */

#include <stddef.h>
#include <stdint.h>

/** Speed as people read it: over the last seconds, not since the start. */
struct progress_speed {
    double at_s, bytes_per_s;
    uint64_t bytes;
    int samples;
};

/** Call now and then with the bytes so far. */
void progress_sample(struct progress_speed *s, double now_s, uint64_t bytes);

struct progress {
    const char *name;
    uint64_t done, total;
    double bytes_per_s; /* 0: not known. */
    const char *state;  /* Instead of speed and time: "paused"; NULL: it runs. */
};

/** One line of at most `columns` columns (names in wide scripts may take more); returns `out`. */
const char *progress_line(char *out, size_t room, int columns, const struct progress *p);

/** "1.4 GB", "312 kB", "17 bytes": powers of 1000. */
const char *progress_size(char *out, size_t room, uint64_t bytes);
/** "0:09", "12:40", "3:05:00"; "-:--" for what nobody can know. */
const char *progress_time(char *out, size_t room, double seconds);

#endif
