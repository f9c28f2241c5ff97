/* SPDX-License-Identifier: MIT */
#include "collab/chat.h"

#include "engine/base/bytes.h"

#include <string.h>

void tdm_chat_init(struct tdm_chat *c)
{
    memset(c, 0, sizeof *c);
    c->typing_until = TDM_NEVER;
}

static void ring_in(struct tdm_chat *c, const uint8_t *data, size_t size)
{
    size_t at = (size_t)(c->put % TDM_CHAT_OUT_BYTES);
    size_t first = size < TDM_CHAT_OUT_BYTES - at ? size : TDM_CHAT_OUT_BYTES - at;

    if (data) {
        memcpy(c->out + at, data, first);
        memcpy(c->out, data + first, size - first);
    }
    c->put += size;
}

static size_t room(const struct tdm_chat *c)
{
    return TDM_CHAT_OUT_BYTES - (size_t)(c->put - c->acked);
}

enum tdm_err tdm_chat_put(struct tdm_chat *c, const struct tdm_chat_message *m)
{
    uint8_t head[64];
    struct tdm_chat_message without_text = *m;
    size_t size = tdm_chat_size(m);

    if (m->size > TDM_CHAT_TEXT_MAX || size > room(c))
        return TDM_E_SPACE;
    without_text.size = 0;
    size_t head_size = tdm_chat_size(&without_text);
    enum tdm_err err = tdm_chat_write(&without_text, head, sizeof head);

    if (err != TDM_OK)
        return err;
    struct tdm_writer w = tdm_writer_of(head, sizeof head);

    tdm_write_u32(&w, (uint32_t)(size - 4));
    ring_in(c, head, head_size);
    ring_in(c, (const uint8_t *)m->text, size - head_size);
    return TDM_OK;
}

bool tdm_chat_has(const struct tdm_chat *c)
{
    return c->pulled < c->put;
}

size_t tdm_chat_pull(struct tdm_chat *c, uint8_t *to, size_t max)
{
    uint64_t waiting = c->put - c->pulled;
    size_t size = waiting < max ? (size_t)waiting : max;
    size_t at = (size_t)(c->pulled % TDM_CHAT_OUT_BYTES);
    size_t first = size < TDM_CHAT_OUT_BYTES - at ? size : TDM_CHAT_OUT_BYTES - at;

    memcpy(to, c->out + at, first);
    memcpy(to + first, c->out, size - first);
    c->pulled += size;
    return size;
}

void tdm_chat_acked(struct tdm_chat *c, uint64_t offset)
{
    if (offset > c->acked && offset <= c->pulled)
        c->acked = offset;
}

void tdm_chat_rewind(struct tdm_chat *c, uint64_t offset)
{
    if (offset >= c->acked && offset <= c->put)
        c->pulled = offset;
}

void tdm_chat_restart(struct tdm_chat *c)
{
    c->acked = c->pulled = c->put = 0;
    c->in_size = c->skip = 0;
    c->in_broken = false;
    c->typing_until = TDM_NEVER;
}

static bool seen(struct tdm_chat *c, uint64_t id)
{
    for (uint32_t i = 0; i < TDM_CHAT_SEEN; i++)
        if (c->seen[i] == id)
            return true;
    c->seen[c->seen_next++ % TDM_CHAT_SEEN] = id;
    return false;
}

static void whole(struct tdm_chat *c, tdm_time now, struct tdm_chat_message *m, bool *again)
{
    if (tdm_chat_parse(m, c->in + 4, c->in_size - 4) != TDM_OK) {
        *m = (struct tdm_chat_message){.kind = TDM_CHAT_OTHER};
        c->refused++;
        return;
    }
    if (m->kind == TDM_CHAT_TYPING)
        c->typing_until = m->seconds ? now + m->seconds * TDM_S : TDM_NEVER;
    if (m->kind != TDM_CHAT_TEXT && m->kind != TDM_CHAT_FILE)
        return;
    c->typing_until = TDM_NEVER;
    *again = seen(c, m->id);
    /* Without room the text counts as undelivered there, and comes again: no harm. */
    (void)tdm_chat_put(c, &(struct tdm_chat_message){.kind = TDM_CHAT_RECEIPT,
                                                     .id = m->id,
                                                     .receipt = TDM_CHAT_DELIVERED});
}

/* How large the message in `in` is, as far as that is known. */
static uint64_t wanted(const struct tdm_chat *c)
{
    if (c->in_size < 4)
        return 4;
    struct tdm_reader r = tdm_reader_of(c->in, 4);

    return 4 + (uint64_t)tdm_read_u32(&r);
}

size_t tdm_chat_take(struct tdm_chat *c, tdm_time now, const uint8_t *data, size_t size,
                     struct tdm_chat_message *m, bool *again)
{
    size_t taken = 0;

    *m = (struct tdm_chat_message){.kind = TDM_CHAT_OTHER};
    *again = false;
    if (c->in_size >= 4 && c->in_size == wanted(c))
        c->in_size = 0; /* The one that the last call gave. */
    while (taken < size && !c->in_broken) {
        if (c->skip) {
            size_t step = size - taken < c->skip ? size - taken : c->skip;

            c->skip -= (uint32_t)step;
            taken += step;
            continue;
        }
        uint64_t want = wanted(c);
        uint64_t missing = want - c->in_size;
        size_t step = missing < size - taken ? (size_t)missing : size - taken;

        memcpy(c->in + c->in_size, data + taken, step);
        c->in_size += (uint32_t)step;
        taken += step;
        if (c->in_size < 4 || c->in_size < want)
            continue;
        want = wanted(c);
        if (want == 4 || want > sizeof c->in) {
            c->refused++;
            c->in_broken = want == 4; /* No message is empty. */
            c->skip = (uint32_t)(want - 4);
            c->in_size = 0;
        } else if (c->in_size == want) {
            whole(c, now, m, again);
            return taken;
        }
    }
    return c->in_broken ? size : taken;
}

bool tdm_chat_typing(const struct tdm_chat *c, tdm_time now)
{
    return c->typing_until != TDM_NEVER && now < c->typing_until;
}
