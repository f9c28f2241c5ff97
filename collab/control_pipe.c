/* SPDX-License-Identifier: MIT */
#include "collab/control_pipe.h"

#include <assert.h>
#include <string.h>

void tdm_control_pipe_init(struct tdm_control_pipe *p)
{
    p->acked = p->pulled = p->put = 0;
    p->in_size = p->skip = 0;
    p->refused = 0;
}

size_t tdm_control_pipe_room(const struct tdm_control_pipe *p)
{
    return TDM_CONTROL_PIPE_BYTES - (size_t)(p->put - p->acked);
}

/* `size` bytes between `bytes` and the ring at stream offset `offset`. */
static void copy_in(struct tdm_control_pipe *p, uint64_t offset, const uint8_t *bytes, size_t size)
{
    size_t at = (size_t)(offset % TDM_CONTROL_PIPE_BYTES);
    size_t first = size < TDM_CONTROL_PIPE_BYTES - at ? size : TDM_CONTROL_PIPE_BYTES - at;

    memcpy(p->out + at, bytes, first);
    memcpy(p->out, bytes + first, size - first);
}

enum tdm_err tdm_control_pipe_put(struct tdm_control_pipe *p, const struct tdm_control_record *rec)
{
    uint8_t bytes[TDM_CONTROL_RECORD_MAX];
    size_t size;
    enum tdm_err err = tdm_control_write(rec, bytes, sizeof bytes, &size);

    if (err)
        return err;
    if (size > tdm_control_pipe_room(p))
        return TDM_E_SPACE;
    copy_in(p, p->put, bytes, size);
    p->put += size;
    return TDM_OK;
}

bool tdm_control_pipe_has(const struct tdm_control_pipe *p)
{
    return p->pulled < p->put;
}

size_t tdm_control_pipe_pull(struct tdm_control_pipe *p, uint8_t *room, size_t max)
{
    size_t at = (size_t)(p->pulled % TDM_CONTROL_PIPE_BYTES);
    size_t size = (size_t)(p->put - p->pulled) < max ? (size_t)(p->put - p->pulled) : max;
    size_t first = size < TDM_CONTROL_PIPE_BYTES - at ? size : TDM_CONTROL_PIPE_BYTES - at;

    memcpy(room, p->out + at, first);
    memcpy(room + first, p->out, size - first);
    p->pulled += size;
    return size;
}

void tdm_control_pipe_acked(struct tdm_control_pipe *p, uint64_t offset)
{
    if (offset > p->acked && offset <= p->pulled)
        p->acked = offset;
}

void tdm_control_pipe_rewind(struct tdm_control_pipe *p, uint64_t offset)
{
    if (offset >= p->acked && offset <= p->pulled)
        p->pulled = offset;
}

size_t tdm_control_pipe_take(struct tdm_control_pipe *p, const uint8_t *data, size_t size,
                             struct tdm_control_record *rec)
{
    *rec = (struct tdm_control_record){.kind = TDM_CONTROL_OTHER};
    if (p->skip) {
        size_t step = size < p->skip ? size : p->skip;

        p->skip -= (uint32_t)step;
        return step;
    }
    size_t want = p->in_size < 2 ? 2 : 2 + ((size_t)p->in[0] << 8 | p->in[1]);
    size_t step = want - p->in_size < size ? want - p->in_size : size;

    memcpy(p->in + p->in_size, data, step);
    p->in_size += (uint32_t)step;
    if (p->in_size < want)
        return step;
    if (want == 2) {
        size_t body = (size_t)p->in[0] << 8 | p->in[1];

        if (body + 2 > sizeof p->in) {
            p->refused++;
            p->skip = (uint32_t)body;
            p->in_size = 0;
        } else if (body == 0) {
            p->refused++;
            p->in_size = 0;
        }
        return step;
    }
    p->in_size = 0;
    if (tdm_control_parse(rec, p->in + 2, want - 2))
        p->refused++;
    return step;
}
