/* SPDX-License-Identifier: MIT */
#ifndef APPS_BENCH_FILE_H
#define APPS_BENCH_FILE_H

/*
 * A file that is written after minutes of work: whether it can be is known before. It stands beside
 * its place under another name, with its room reserved, until it is whole; an older file of that
 * name stays until then.
 */

#include <stdbool.h>
#include <stdio.h>

struct bench_file {
    const char *path; /* NULL: nothing is wanted. */
    char part[4096];  /* Where it is while it grows; "" when written in place (a device, a pipe). */
    FILE *file;
};

/** Says on stderr what is wrong and returns false. `path` NULL or "-" opens nothing. */
bool bench_file_open(struct bench_file *f, const char *path);

/** Puts the text in place. Says what is wrong and returns false. */
bool bench_file_write(struct bench_file *f, const char *text);

/** Leaves nothing behind of a file that was not written. */
void bench_file_close(struct bench_file *f);

/** The whole file as text, or NULL after saying why. Free it. */
char *bench_file_read(const char *path);

#endif
