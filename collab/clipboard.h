/* SPDX-License-Identifier: MIT */
#ifndef TDM_COLLAB_CLIPBOARD_H
#define TDM_COLLAB_CLIPBOARD_H

/*
 * One side of a clipboard that two machines share. What a user copies is only announced (formats
 * and sizes); it is fetched when somebody pastes it on the other side. Pure: changes of our own
 * clipboard, wishes of our programs and records of the other side go in; records, and what our
 * desktop shall do, come out, one of each a step.
 *
 * It decides what may pass: by the scopes that hold at each step (never without CLIPBOARD_IN or
 * _OUT by direction, files with FILES alone), by size limits of each direction, and once only: what
 * came from the other side is never announced back to it, however many programs copied it between.
 * It keeps no content: that is the desktop's, which hands it over as a whole to be sent, and gets
 * it piece by piece.
 */

#include "collab/control_wire.h"
#include "engine/base/time.h"

#define TDM_CLIPBOARD_BYTES_DEFAULT (16u << 20)
#define TDM_CLIPBOARD_WAIT          (20 * TDM_S)   /* Content that stops coming is given up. */
#define TDM_CLIPBOARD_BURST         8              /* Announcements or fetches at once, */
#define TDM_CLIPBOARD_PERIOD        (2 * TDM_S)    /* then one in this time. */
#define TDM_CLIPBOARD_TAKEOVER      (300 * TDM_MS) /* Who copies so soon after them is a manager. */

struct tdm_clipboard_config {
    bool host;                            /* Which scope counts for which direction. */
    uint64_t origin;                      /* Random, of this machine and session. */
    uint32_t in_bytes_max, out_bytes_max; /* Of one content. [16 MiB] */
};

enum tdm_clipboard_input {
    TDM_CLIPBOARD_RECORD,  /* record: CLIP_* of the other side */
    TDM_CLIPBOARD_CHANGED, /* A program here copied: formats, origin (0: unknown), secret */
    TDM_CLIPBOARD_WISH,    /* A program here pastes what the other side offered: format */
    TDM_CLIPBOARD_CONTENT, /* The answer to DESK_FETCH: format, content, size; content NULL: there
                              is none. Stays the desktop's until DESK_DONE. */
    TDM_CLIPBOARD_ROOM,    /* The bulk stream has room: another piece, if there is one */
    TDM_CLIPBOARD_DOWN,    /* The connection broke: nothing is under way any more. */
};

struct tdm_clipboard_in {
    enum tdm_clipboard_input kind;
    const struct tdm_control_record *record;
    uint8_t format_count;
    struct tdm_clip_entry formats[TDM_CONTROL_FORMATS_MAX];
    uint64_t origin;
    bool secret; /* Marked so by a password manager: not told. */
    uint8_t format;
    const uint8_t *content;
    uint32_t size;
};

/** What the desktop shall do, after the record was sent. */
enum tdm_clipboard_desk {
    TDM_CLIPBOARD_DESK_NONE,
    TDM_CLIPBOARD_DESK_OFFER, /* formats, origin: own the clipboard with these; none: give it up */
    TDM_CLIPBOARD_DESK_FETCH, /* format: read our own clipboard; what was fetched before is no
                                 longer needed */
    TDM_CLIPBOARD_DESK_DONE,  /* The content of the last FETCH is no longer needed. */
    TDM_CLIPBOARD_DESK_PIECE, /* format, offset, data, size, fin: for the program that pastes */
    TDM_CLIPBOARD_DESK_NEVER, /* format: what was wished for does not come */
};

struct tdm_clipboard_out {
    bool send;                        /* `record` is to be sent; CLIP_DATA on the bulk stream. */
    struct tdm_control_record record; /* Borrows from the content. */
    enum tdm_clipboard_desk desk;
    uint8_t format, format_count;
    struct tdm_clip_entry formats[TDM_CONTROL_FORMATS_MAX];
    uint64_t origin;
    uint32_t offset, size;
    const uint8_t *data;
    bool fin;
    bool more;        /* ROOM will give another piece. */
    bool refused;     /* Something was not allowed, or too large. */
    tdm_time wake_at; /* <= now: step again, there is more to do. */
};

struct tdm_clipboard {
    struct tdm_clipboard_config config;
    /* What we announced last. */
    uint32_t serial;
    uint8_t ours_count;
    struct tdm_clip_entry ours[TDM_CONTROL_FORMATS_MAX];
    /* What the other side announced last. */
    uint32_t their_serial;
    uint64_t their_origin;
    uint8_t theirs_count;
    struct tdm_clip_entry theirs[TDM_CONTROL_FORMATS_MAX];
    bool held; /* Our desktop owns the clipboard for them. */
    tdm_time held_at;
    /* Coming: one content at a time. */
    bool wished;
    uint8_t wish_format;
    uint32_t wish_serial, wish_offset;
    tdm_time wish_until;
    /* Going. */
    bool wanted, want_dead;
    uint8_t want_format;
    uint32_t want_serial, want_offset, want_size;
    const uint8_t *want_content;
    /* Announcements, ours and theirs, and fetches of ours. */
    uint32_t tokens[3];
    tdm_time tokens_at[3];
    uint64_t refused;
};

/** What holds at this moment: tdm_consent_scopes and its number; at the helper, as the host told.
 */
struct tdm_clipboard_rights {
    uint16_t scopes; /* enum tdm_scope */
    uint32_t seq;
};

void tdm_clipboard_init(struct tdm_clipboard *c, const struct tdm_clipboard_config *config,
                        tdm_time now);
/** `in` NULL: time has passed, or the rights have changed. */
void tdm_clipboard_step(struct tdm_clipboard *c, tdm_time now,
                        const struct tdm_clipboard_rights *rights,
                        const struct tdm_clipboard_in *in, struct tdm_clipboard_out *out);

#endif
