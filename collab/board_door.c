/* SPDX-License-Identifier: MIT */
#include "collab/board_door.h"

#include "engine/base/bytes.h"

#include <string.h>

static const uint8_t magic[4] = {'T', 'D', 'B', 'P'};

enum { VERSION = 1, CONTACTS = 0, DOCUMENT = 1 };

size_t tdm_door_preface_write(const struct tdm_door_preface *preface,
                              uint8_t bytes[TDM_DOOR_PREFACE_MAX])
{
    struct tdm_writer w = tdm_writer_of(bytes, TDM_DOOR_PREFACE_MAX);
    size_t size = strlen(preface->name);

    tdm_write_bytes(&w, magic, sizeof magic);
    tdm_write_u8(&w, VERSION);
    tdm_write_u8(&w, preface->document ? DOCUMENT : CONTACTS);
    tdm_write_bytes(&w, preface->id, sizeof preface->id);
    tdm_write_u8(&w, (uint8_t)size);
    tdm_write_bytes(&w, preface->name, size);
    return tdm_writer_size(&w);
}

/* False: it is none. */
static bool parse(struct tdm_door_preface *p, const uint8_t *bytes, size_t size)
{
    struct tdm_reader r = tdm_reader_of(bytes, size);
    const uint8_t *head = tdm_read_bytes(&r, sizeof magic);
    uint8_t version = tdm_read_u8(&r), which = tdm_read_u8(&r);
    const uint8_t *id = tdm_read_bytes(&r, sizeof p->id);
    uint8_t length = tdm_read_u8(&r);
    const uint8_t *name = tdm_read_bytes(&r, length);

    if (!r.ok || memcmp(head, magic, sizeof magic) != 0 || version != VERSION || which > DOCUMENT ||
        length > TDM_DOOR_NAME_MAX)
        return false;
    *p = (struct tdm_door_preface){.document = which == DOCUMENT};
    memcpy(p->id, id, sizeof p->id);
    /* Shown to a person: what is no plain text of one line is not. */
    for (size_t i = 0; i < length; i++)
        p->name[i] = (char)(name[i] < ' ' || name[i] == 0x7f ? '?' : name[i]);
    return true;
}

void tdm_door_init(struct tdm_board_door *d, const struct tdm_door_preface *ours)
{
    *d = (struct tdm_board_door){.file = ours != NULL};
    if (ours)
        d->ours = *ours;
}

const struct tdm_door_preface *tdm_door_meant(const struct tdm_board_door *d)
{
    if (d->file)
        return &d->ours;
    return d->heard && d->theirs.document ? &d->theirs : NULL;
}

/* The streams of both are gone. */
static void forget_streams(struct tdm_board_door *d)
{
    d->opened = d->heard = d->streams = d->asking = d->looking = d->joined = d->broken = false;
    d->size = 0;
}

static void close_all(struct tdm_board_door *d, struct tdm_door_out *out)
{
    if (d->asking)
        out->acts |= TDM_DOOR_FORGET;
    if (d->opened || d->streams)
        out->acts |= TDM_DOOR_CLOSE;
    forget_streams(d);
}

/* Both have named a document, and not the same one. */
static bool differ(const struct tdm_board_door *d)
{
    return d->file && d->heard && d->theirs.document &&
           memcmp(d->ours.id, d->theirs.id, sizeof d->ours.id) != 0;
}

/* What the state makes possible. */
static void go_on(struct tdm_board_door *d, struct tdm_door_out *out)
{
    if (!d->up || d->joined)
        return;
    if (differ(d)) {
        d->wish = false;
        out->acts |= TDM_DOOR_REFUSED;
        out->why = "the other side has another board open: close one of them, or merge the files";
        close_all(d, out);
        return;
    }
    if (!d->wish) {
        if (d->heard && !d->looking && !d->asking) {
            d->looking = true;
            out->acts |= TDM_DOOR_LOOK_UP;
        }
        return;
    }
    if (!d->ready) {
        if (!d->opening)
            out->acts |= TDM_DOOR_OPEN;
        d->opening = true;
        return;
    }
    if (!d->streams) {
        d->streams = true;
        out->acts |= TDM_DOOR_STREAMS;
    }
    if (d->heard) {
        d->joined = true;
        out->acts |= TDM_DOOR_JOINED;
    }
}

static void take_up(struct tdm_board_door *d, bool resumed, struct tdm_door_out *out)
{
    d->up = true;
    if (resumed) {
        if (d->joined && d->broken)
            out->acts |= TDM_DOOR_GO_ON;
        d->broken = false;
        return;
    }
    if (d->asking)
        out->acts |= TDM_DOOR_FORGET;
    if (d->joined && !d->broken)
        out->acts |= TDM_DOOR_BROKEN;
    forget_streams(d);
}

static void take_bytes(struct tdm_board_door *d, const struct tdm_door_in *in,
                       struct tdm_door_out *out)
{
    while (!d->heard && out->consumed < in->size) {
        d->bytes[d->size++] = in->data[out->consumed++];
        size_t whole = d->size < TDM_DOOR_PREFACE_HEAD
                           ? TDM_DOOR_PREFACE_HEAD
                           : TDM_DOOR_PREFACE_HEAD + (size_t)d->bytes[TDM_DOOR_PREFACE_HEAD - 1];

        if (whole > TDM_DOOR_PREFACE_MAX ||
            (d->size == whole && !parse(&d->theirs, d->bytes, whole))) {
            d->wish = false;
            out->acts |= TDM_DOOR_REFUSED;
            out->why = "the other side's board is of a newer version: update Tandem";
            close_all(d, out);
            out->consumed = in->size;
            return;
        }
        d->heard = d->size == whole;
    }
    /* The board of the contacts gives way to the document that the other side shows. */
    if (d->heard && d->theirs.document && !d->file && !d->joined)
        d->ready = d->opening = false;
}

static void end(struct tdm_board_door *d, const char *why, struct tdm_door_out *out)
{
    bool joined = d->joined, waited = d->streams && !d->joined;

    d->wish = false;
    close_all(d, out);
    out->acts |= joined ? TDM_DOOR_LEFT : waited ? TDM_DOOR_REFUSED : 0;
    out->why = why;
}

static void answer(struct tdm_board_door *d, bool yes, struct tdm_door_out *out)
{
    d->asking = d->looking = false;
    d->wish = yes;
    if (!yes)
        close_all(d, out);
}

void tdm_door_step(struct tdm_board_door *d, const struct tdm_door_in *in, struct tdm_door_out *out)
{
    *out = (struct tdm_door_out){.why = ""};
    switch (in->kind) {
    case TDM_DOOR_UP:
        take_up(d, in->resumed, out);
        break;
    case TDM_DOOR_DOWN:
        if (d->joined && !d->broken)
            out->acts |= TDM_DOOR_BROKEN;
        d->broken = d->joined;
        d->up = false;
        break;
    case TDM_DOOR_OVER:
        if (d->asking)
            out->acts |= TDM_DOOR_FORGET;
        if (d->joined)
            out->acts |= TDM_DOOR_LEFT;
        out->why = "the call is over";
        forget_streams(d);
        /* Who comes next is somebody else, and is asked anew. */
        d->up = d->wish = d->ready = d->opening = false;
        break;
    case TDM_DOOR_INVITE:
        if (d->asking)
            out->acts |= TDM_DOOR_FORGET;
        d->wish = true;
        d->asking = d->looking = false;
        break;
    case TDM_DOOR_LEAVE:
        end(d, "ended here", out);
        break;
    case TDM_DOOR_OPENED:
        d->opened = true;
        break;
    case TDM_DOOR_BYTES:
        if (d->opened)
            take_bytes(d, in, out);
        break;
    case TDM_DOOR_RESET:
        end(d, d->joined ? "the other side has left the board" : "the other side did not want to",
            out);
        break;
    case TDM_DOOR_RULE:
        if (!d->looking || d->asking)
            break;
        if (in->rule == TDM_DOOR_ASKS) {
            d->asking = true;
            out->acts |= TDM_DOOR_ASK;
        } else {
            answer(d, in->rule == TDM_DOOR_ALWAYS, out);
        }
        break;
    case TDM_DOOR_ANSWER:
        if (d->asking)
            answer(d, in->yes, out);
        break;
    case TDM_DOOR_READY:
        d->ready = true;
        d->opening = false;
        break;
    case TDM_DOOR_FAILED:
        d->ready = d->opening = false;
        end(d, "the board could not be opened", out);
        out->acts |= TDM_DOOR_REFUSED;
        break;
    }
    go_on(d, out);
}
