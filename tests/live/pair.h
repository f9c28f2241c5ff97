/* SPDX-License-Identifier: MIT */
#ifndef TESTS_LIVE_PAIR_H
#define TESTS_LIVE_PAIR_H

/*
 * Two engines in one process that call each other by real SIP and RTP on loopback, for tests. A
 * side keeps what its events said, so that a test may look back; every wait is bounded and fails
 * the test with the side's log when its time is over.
 */

#include "tandem/tandem.h"

/* cmocka.h needs the ones above it. */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#define PAIR_PATIENCE_MS 20000 /* Of one wait; a loaded machine and sanitizers are slow. */
#define PAIR_LOG_MAX     128

struct side {
    const char *name;
    struct tandem *engine;
    struct tandem_call *call; /* The newest. */
    struct tandem_event log[PAIR_LOG_MAX];
    uint32_t log_count, seen; /* `seen`: how much of the log side_wait has passed. */
};

struct pair {
    struct side a, b; /* A calls B. */
    char to[64];      /* B's address. */
};

/** Small moving pictures, chirps each second, sinks that count. */
extern const struct tandem_media pair_media;

/** Two engines; B listens. */
void pair_open(struct pair *p);
/** The same with what differs from the default, of A and of B. */
void pair_open_with(struct pair *p, const struct tandem_config *a, const struct tandem_config *b);
void pair_close(struct pair *p);

/** A dials, B answers, both are up. */
void pair_call(struct pair *p, const struct tandem_media *a, const struct tandem_media *b);

/** Opens and calls. */
void pair_start(struct pair *p, const struct tandem_media *a, const struct tandem_media *b);

/** A hangs up; both sides' ENDED events are taken. Final statistics stay until pair_close. */
void pair_hang_up(struct pair *p);

/** Takes what events wait. */
void side_drain(struct side *s);

/** Waits for the next event of `kind`; fails the test after PAIR_PATIENCE_MS. */
struct tandem_event side_wait(struct side *s, enum tandem_event_kind kind);

/** How many events of `kind` there were so far. */
uint32_t side_count(struct side *s, enum tandem_event_kind kind);

struct tandem_stats side_stats(struct side *s);

/** Waits until `ready(stats, arg)` or fails, saying `what`. Returns the statistics that were. */
typedef bool stats_fn(const struct tandem_stats *stats, uint64_t arg);
struct tandem_stats side_until(struct side *s, stats_fn *ready, uint64_t arg, const char *what);

/** Ready functions: at least so many of each. */
bool shown_at_least(const struct tandem_stats *s, uint64_t count);
bool audio_received_at_least(const struct tandem_stats *s, uint64_t count);
bool is_up(const struct tandem_stats *s, uint64_t unused);
bool is_held(const struct tandem_stats *s, uint64_t unused);

/** Ends the TCP connections of the data channel, as a router does that forgets them. @return how
 *  many there were. */
int pair_break_channel(struct pair *p);

/** Sleeps on the real clock while both sides' events are drained. */
void pair_run(struct pair *p, int ms);

/** A path in the test's own temporary folder, which pair_files_remove empties and removes. */
const char *pair_file(const char *name, char *path, size_t capacity);
int pair_files_remove(void **state);

#endif
