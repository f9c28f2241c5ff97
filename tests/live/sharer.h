/* SPDX-License-Identifier: MIT */
#ifndef TESTS_LIVE_SHARER_H
#define TESTS_LIVE_SHARER_H

/*
 * Two engines in one process (tests/live/pair.h), one of which shares its screen with the other.
 * Every wait is bounded and fails the test.
 */

#include "tandem/share.h"
#include "tests/live/pair.h"

/* One side's share, and what its events said. */
struct sharer {
    struct tandem_share *share;
    struct tandem_share_event log[512];
    uint32_t count, seen;
};

extern struct pair sharers;
extern struct sharer host, viewer; /* A gives, B looks. */

/** What differs from the default, of A and of B; NULL: nothing. */
extern const struct tandem_config *sharers_config[2];

/** A call without sound and picture, or with `media`, in which A gives `desktop`. */
void sharers_start(const char *desktop, const struct tandem_share_offer *offer);
void sharers_start_with(const char *desktop, const struct tandem_share_offer *offer,
                        const struct tandem_media *media);
void sharers_stop(void);

/** Until something happens, or 50 ms. */
void sharers_wait(void);

/** The next event of `kind`; what came before it is passed. */
const struct tandem_share_event *sharer_next(struct sharer *s, enum tandem_share_event_kind kind);

/** Waits for a picture that is exact and newer than `number`; returns its number. */
uint64_t sharer_exact_after(uint64_t number);

/** A source where there was none offers the sound by itself. */
void sharer_talk(struct side *s, bool again);

/** For side_until. */
bool sharer_no_audio(const struct tandem_stats *s, uint64_t unused);

int64_t sharer_now_ms(void);

#endif
