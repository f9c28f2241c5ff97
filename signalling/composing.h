/* SPDX-License-Identifier: MIT */
#ifndef TDM_SIGNALLING_COMPOSING_H
#define TDM_SIGNALLING_COMPOSING_H

/*
 * "Is typing" in SIP messages (RFC 3994): the document, what we say while somebody types here, and
 * what we believe of the other side. Pure.
 */

#include "engine/base/err.h"
#include "engine/base/time.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TDM_COMPOSING_TYPE    "application/im-iscomposing+xml"
#define TDM_COMPOSING_REFRESH 90           /* Seconds; at least 60 by section 3.2. */
#define TDM_COMPOSING_IDLE    (15 * TDM_S) /* No key for so long: not typing any more. */

struct tdm_composing {
    bool active;
    uint32_t refresh_s; /* 0: not said. */
};

/** TDM_E_SPACE when it does not fit. */
enum tdm_err tdm_composing_write(const struct tdm_composing *c, char *xml, size_t capacity,
                                 size_t *size);
enum tdm_err tdm_composing_parse(struct tdm_composing *c, const void *xml, size_t size);

/** What we say to one person. */
struct tdm_composing_out {
    bool active;
    tdm_time last_key, refresh_at;
};

/** A key was pressed (true), or the text was sent or deleted (false). @return whether a document
 *  that says `out->active` is due. */
bool tdm_composing_typed(struct tdm_composing_out *out, tdm_time now, bool typing);
/** The same when only time has passed; *wake_at: when to call again. */
bool tdm_composing_step(struct tdm_composing_out *out, tdm_time now, tdm_time *wake_at);

/** What one person said to us: types until this time; a text of his ends it (0). */
tdm_time tdm_composing_until(const struct tdm_composing *c, tdm_time now);

#endif
