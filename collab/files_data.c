/* SPDX-License-Identifier: MIT */
/* The stream of content: frames out of slots that the disk filled, and into slots for the disk. */
#include "collab/files_state.h"

#include <string.h>

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Takes what comes out of the ranges that are on their way; false when nobody wants it. */
static bool take_out(struct tdm_transfer *t, const struct tdm_file_frame *frame)
{
    uint64_t covers = frame->encoding == TDM_FILE_ZEROS ? (uint64_t)1 << frame->height : 1;

    for (uint32_t i = 0; i < t->out_said; i++) {
        struct tdm_file_range *range = &t->out[i];

        if (range->first != frame->index || covers > range->count)
            continue;
        range->first += (uint32_t)covers;
        range->count -= (uint32_t)covers;
        if (range->count == 0) {
            memmove(range, range + 1, (t->out_count - i - 1) * sizeof *range);
            t->out_count--;
            t->out_said--;
        }
        return true;
    }
    return false;
}

static bool is_wanted(struct tdm_files *f, const struct tdm_file_frame *frame,
                      struct tdm_transfer **whose)
{
    bool signatures = frame->kind == TDM_FILE_SIGNATURES;
    struct tdm_transfer *t = tdm_files_find_id(f, frame->id, signatures);

    *whose = t;
    if (!t || t->state == TDM_FILES_ENDED)
        return false;
    if (signatures && frame->index == t->chunks_seen && frame->proof_count == 0) {
        t->chunks_seen += frame->size / TDM_DELTA_SIGNATURE_BYTES;
        return true;
    }
    return !signatures && take_out(t, frame);
}

/* A head is whole: a slot for what follows, or a step over it. False: no slot is free. */
static bool begin_frame(struct tdm_files *f)
{
    struct tdm_file_frame frame;
    struct tdm_transfer *t;
    struct tdm_slot *slot = tdm_files_free_slot(f->rx);

    if (tdm_file_frame_parse(&frame, f->head) != TDM_OK) {
        tdm_files_fail(f, "content that does not follow its format");
        return true;
    }
    if (!slot)
        return false;
    f->head_size = 0;
    if (!is_wanted(f, &frame, &t)) {
        f->data_skip = tdm_file_frame_body(&frame);
        return true;
    }
    slot->state = TDM_SLOT_FILLING;
    slot->stale = false;
    slot->transfer = t->number;
    slot->frame = frame;
    f->receiving = slot;
    f->receiving_at = 0;
    if (!t->sending)
        t->writing++;
    return true;
}

static void end_frame(struct tdm_files *f)
{
    struct tdm_slot *slot = f->receiving;
    struct tdm_transfer *t = tdm_files_find(f, slot->transfer);

    f->receiving = NULL;
    slot->order = f->order++;
    slot->state = t && t->state != TDM_FILES_ENDED ? TDM_SLOT_READY : TDM_SLOT_FREE;
    if (t)
        t->wire_bytes += TDM_FILE_FRAME_HEAD + tdm_file_frame_body(&slot->frame);
}

size_t tdm_files_take_data(struct tdm_files *f, const uint8_t *data, size_t size)
{
    size_t at = 0, step;

    while (!f->failed) {
        if (f->receiving) {
            size_t body = tdm_file_frame_body(&f->receiving->frame);

            step = least(body - f->receiving_at, size - at);
            if (step)
                memcpy(f->receiving->data + f->receiving_at, data + at, step);
            f->receiving_at += step;
            if (f->receiving_at == body)
                end_frame(f);
            else if (at + step == size)
                return size;
        } else if (f->data_skip) {
            step = least(f->data_skip, size - at);
            f->data_skip -= step;
        } else if (f->head_size == TDM_FILE_FRAME_HEAD) {
            if (!begin_frame(f))
                return at;
            continue;
        } else {
            step = least(TDM_FILE_FRAME_HEAD - f->head_size, size - at);
            if (step)
                memcpy(f->head + f->head_size, data + at, step);
            f->head_size += step;
        }
        at += step;
        if (at == size && f->head_size < TDM_FILE_FRAME_HEAD && !f->receiving)
            return at;
    }
    return at;
}

/* The oldest that the disk has filled; what ended meanwhile is let go. */
static struct tdm_slot *next_slot(struct tdm_files *f)
{
    struct tdm_slot *next = NULL;

    for (int i = 0; i < TDM_FILES_SLOTS; i++) {
        struct tdm_slot *slot = &f->tx[i];
        struct tdm_transfer *t = tdm_files_find(f, slot->transfer);

        if (slot->state != TDM_SLOT_READY)
            continue;
        if (!t || t->state == TDM_FILES_ENDED)
            slot->state = TDM_SLOT_FREE;
        else if (!next || (int32_t)(slot->order - next->order) < 0)
            next = slot;
    }
    return next;
}

static void end_sending(struct tdm_files *f)
{
    struct tdm_slot *slot = f->sending;
    struct tdm_transfer *t = tdm_files_find(f, slot->transfer);

    if (t) {
        t->wire_bytes += TDM_FILE_FRAME_HEAD + tdm_file_frame_body(&slot->frame);
        if (slot->frame.kind == TDM_FILE_BLOCK)
            t->sent_blocks += (uint32_t)1 << slot->frame.height;
    }
    slot->state = TDM_SLOT_FREE;
    f->sending = NULL;
}

size_t tdm_files_fill_data(struct tdm_files *f, uint8_t *room, size_t size)
{
    uint8_t head[TDM_FILE_FRAME_HEAD];
    size_t at = 0;

    while (at < size) {
        if (!f->sending) {
            f->sending = next_slot(f);
            f->sending_at = 0;
            if (!f->sending)
                break;
        }
        size_t body = tdm_file_frame_body(&f->sending->frame);
        bool in_head = f->sending_at < TDM_FILE_FRAME_HEAD;
        const uint8_t *from = f->sending->data + f->sending_at - TDM_FILE_FRAME_HEAD;
        size_t left = TDM_FILE_FRAME_HEAD + body - f->sending_at;

        if (in_head) {
            tdm_file_frame_write(&f->sending->frame, head);
            from = head + f->sending_at;
            left = TDM_FILE_FRAME_HEAD - f->sending_at;
        }
        size_t step = least(left, size - at);

        memcpy(room + at, from, step);
        at += step;
        f->sending_at += step;
        if (f->sending_at == TDM_FILE_FRAME_HEAD + body)
            end_sending(f);
    }
    return at;
}

bool tdm_files_has_data(const struct tdm_files *f)
{
    if (f->sending)
        return true;
    for (int i = 0; i < TDM_FILES_SLOTS; i++)
        if (f->tx[i].state == TDM_SLOT_READY)
            return true;
    return false;
}
