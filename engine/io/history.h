/* SPDX-License-Identifier: MIT */
#ifndef TDM_IO_HISTORY_H
#define TDM_IO_HISTORY_H

/*
 * What was said, in one SQLite file: texts of both sides by contact, edits, and how far each of
 * ours got, so that what was not delivered is sent again in the next call. Whoever holds it calls
 * from one thread at a time; a call lasts as long as a disk write. Survives a kill at any moment.
 */

#include "engine/base/err.h"
#include "engine/io/identity.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum tdm_history_state {
    TDM_HISTORY_RECEIVED, /* Not ours. */
    TDM_HISTORY_WAITING,  /* Ours, and nobody confirmed it yet. */
    TDM_HISTORY_DELIVERED,
    TDM_HISTORY_READ,
    TDM_HISTORY_FAILED,
    TDM_HISTORY_STORED, /* A server keeps it until they are there. */
};

struct tdm_history_entry {
    const char *contact; /* "user@host" */
    uint64_t id;         /* Made by the author. */
    int64_t sent_ms;     /* Unix time. */
    enum tdm_history_state state;
    bool edited, file; /* file: the text is a file's name. */
    const char *text;  /* UTF-8. */
    bool peer_known;
    uint8_t peer[TDM_FINGERPRINT_BYTES]; /* The certificate of whom it was said to. */
};

struct tdm_history;

/** NULL: in memory. TDM_E_SYSTEM, TDM_E_MALFORMED with a cause: the file is left as it is. */
enum tdm_err tdm_history_open(struct tdm_history **history, const char *path,
                              struct tdm_cause *cause);
void tdm_history_close(struct tdm_history *history);

/** Adds; an entry of that contact and id that is there stays, and *known says so (may be NULL). */
enum tdm_err tdm_history_add(struct tdm_history *history, const struct tdm_history_entry *entry,
                             bool *known, struct tdm_cause *cause);
/** Never back: a text that was read is not only delivered. TDM_E_GONE: there is none. */
enum tdm_err tdm_history_mark(struct tdm_history *history, const char *contact, uint64_t id,
                              enum tdm_history_state state);
enum tdm_err tdm_history_edit(struct tdm_history *history, const char *contact, uint64_t id,
                              bool ours, const char *text);

struct tdm_history_rows {
    uint32_t count;
    struct tdm_history_entry *entries; /* With their texts. */
};

/** Oldest first, the last `limit` that fit: of `contact` (NULL: all; unless `exact`, a host stands
 *  for everybody there), with each word of `words` in them (NULL: any), in `state` (-1: any). Free
 *  with tdm_history_free. */
enum tdm_err tdm_history_find(struct tdm_history *history, const char *contact, bool exact,
                              const char *words, int state, uint32_t limit,
                              struct tdm_history_rows *rows, struct tdm_cause *cause);
/** The text of ours with that id, as the only row; none: there is none. */
enum tdm_err tdm_history_get(struct tdm_history *history, uint64_t id,
                             struct tdm_history_rows *rows);
void tdm_history_free(struct tdm_history_rows *rows);

#endif
