/* SPDX-License-Identifier: MIT */
#include "engine/wire/channel_record.h"

#define VARINT_MAX           ((UINT64_C(1) << 62) - 1)
#define CAPABILITY_WINDOW    1
#define CAPABILITY_COUNT_MAX 64
#define PREFACE_FLAG_RESUMES 0x01
#define RESUME_FLAG_FIN      0x01

size_t tdm_varint_size(uint64_t value)
{
    return value < 1u << 6 ? 1 : value < 1u << 14 ? 2 : value < 1u << 30 ? 4 : 8;
}

void tdm_varint_write(struct tdm_writer *w, uint64_t value)
{
    size_t size = tdm_varint_size(value);
    uint64_t form = size == 1 ? 0 : size == 2 ? 1 : size == 4 ? 2 : 3;

    assert(value <= VARINT_MAX);
    tdm_write_uint(w, form << (8 * size - 2) | value, size);
}

uint64_t tdm_varint_read(struct tdm_reader *r)
{
    uint8_t first = tdm_read_u8(r);
    size_t size = (size_t)1 << (first >> 6);
    uint64_t value = (uint64_t)(first & 0x3f) << 8 * (size - 1) | tdm_read_uint(r, size - 1);

    if (r->ok && tdm_varint_size(value) != size)
        r->ok = false;
    return r->ok ? value : 0;
}

/* A varint at `data` is longer than it need be, or its value over `max`: no byte more mends that.
 */
static bool hopeless(const uint8_t *data, size_t size, uint64_t max)
{
    struct tdm_reader r = tdm_reader_of(data, size);

    if (size == 0 || size < (size_t)1 << (data[0] >> 6))
        return false;
    uint64_t value = tdm_varint_read(&r);

    return !r.ok || value > max;
}

enum tdm_err tdm_record_head_parse(struct tdm_record_head *head, size_t *head_size,
                                   const uint8_t *data, size_t size)
{
    struct tdm_reader r = tdm_reader_of(data, size);

    head->type = tdm_read_u8(&r);
    head->flags = tdm_read_u8(&r);
    if (r.ok && hopeless(r.at, tdm_reader_left(&r), UINT32_MAX))
        return TDM_E_MALFORMED;
    head->stream = (uint32_t)tdm_varint_read(&r);
    if (r.ok && hopeless(r.at, tdm_reader_left(&r), TDM_CHANNEL_BODY_MAX))
        return TDM_E_MALFORMED;
    head->body_size = (uint32_t)tdm_varint_read(&r);
    *head_size = size - tdm_reader_left(&r);
    return r.ok ? TDM_OK : TDM_E_AGAIN;
}

void tdm_record_head_write(struct tdm_writer *w, const struct tdm_record_head *head)
{
    tdm_write_u8(w, head->type);
    tdm_write_u8(w, head->flags);
    tdm_varint_write(w, head->stream);
    tdm_varint_write(w, head->body_size);
}

size_t tdm_record_head_size(const struct tdm_record_head *head)
{
    return 2 + tdm_varint_size(head->stream) + tdm_varint_size(head->body_size);
}

static enum tdm_err whole(const struct tdm_reader *r)
{
    return r->ok && tdm_reader_left(r) == 0 ? TDM_OK : TDM_E_MALFORMED;
}

static void read_capability(struct tdm_preface *p, struct tdm_reader *r)
{
    uint64_t type = tdm_varint_read(r);
    uint64_t size = tdm_varint_read(r);
    struct tdm_reader value = tdm_read_sub(r, (size_t)size);

    if (type != CAPABILITY_WINDOW)
        return;
    p->stream_window_bytes = tdm_varint_read(&value);
    r->ok = r->ok && whole(&value) == TDM_OK;
}

enum tdm_err tdm_preface_parse(struct tdm_preface *p, const uint8_t *body, size_t size)
{
    struct tdm_reader r = tdm_reader_of(body, size);

    *p = (struct tdm_preface){0};
    uint32_t magic = tdm_read_u32(&r);
    p->version_min = tdm_read_u8(&r);
    p->version_max = tdm_read_u8(&r);
    p->resumes = tdm_read_u8(&r) & PREFACE_FLAG_RESUMES;
    const uint8_t *token = tdm_read_bytes(&r, TDM_CHANNEL_TOKEN_BYTES);
    const uint8_t *resume_token = tdm_read_bytes(&r, p->resumes ? TDM_CHANNEL_TOKEN_BYTES : 0);

    if (!r.ok || magic != TDM_CHANNEL_MAGIC || p->version_min > p->version_max)
        return TDM_E_MALFORMED;
    memcpy(p->token, token, TDM_CHANNEL_TOKEN_BYTES);
    if (p->resumes)
        memcpy(p->resume_token, resume_token, TDM_CHANNEL_TOKEN_BYTES);
    for (int i = 0; i < CAPABILITY_COUNT_MAX && r.ok && tdm_reader_left(&r); i++)
        read_capability(p, &r);
    return whole(&r);
}

void tdm_preface_write(struct tdm_writer *w, const struct tdm_preface *p)
{
    tdm_write_u32(w, TDM_CHANNEL_MAGIC);
    tdm_write_u8(w, p->version_min);
    tdm_write_u8(w, p->version_max);
    tdm_write_u8(w, p->resumes ? PREFACE_FLAG_RESUMES : 0);
    tdm_write_bytes(w, p->token, sizeof p->token);
    if (p->resumes)
        tdm_write_bytes(w, p->resume_token, sizeof p->resume_token);
    tdm_varint_write(w, CAPABILITY_WINDOW);
    tdm_varint_write(w, tdm_varint_size(p->stream_window_bytes));
    tdm_varint_write(w, p->stream_window_bytes);
}

enum tdm_err tdm_open_parse(struct tdm_open *o, const uint8_t *body, size_t size)
{
    struct tdm_reader r = tdm_reader_of(body, size);
    uint64_t kind = tdm_varint_read(&r);

    o->kind = (uint32_t)kind;
    o->cls = tdm_read_u8(&r);
    return kind > UINT32_MAX ? TDM_E_MALFORMED : whole(&r);
}

void tdm_open_write(struct tdm_writer *w, const struct tdm_open *o)
{
    tdm_varint_write(w, o->kind);
    tdm_write_u8(w, o->cls);
}

enum tdm_err tdm_credit_parse(struct tdm_credit *c, const uint8_t *body, size_t size)
{
    struct tdm_reader r = tdm_reader_of(body, size);

    c->received = tdm_varint_read(&r);
    c->limit = tdm_varint_read(&r);
    return whole(&r);
}

void tdm_credit_write(struct tdm_writer *w, const struct tdm_credit *c)
{
    tdm_varint_write(w, c->received);
    tdm_varint_write(w, c->limit);
}

enum tdm_err tdm_ack_parse(struct tdm_ack *a, const uint8_t *body, size_t size)
{
    struct tdm_reader r = tdm_reader_of(body, size);

    a->consumed = tdm_varint_read(&r);
    a->arrived_us = tdm_varint_read(&r);
    a->hold_us = tdm_varint_read(&r);
    return whole(&r);
}

void tdm_ack_write(struct tdm_writer *w, const struct tdm_ack *a)
{
    tdm_varint_write(w, a->consumed);
    tdm_varint_write(w, a->arrived_us);
    tdm_varint_write(w, a->hold_us);
}

enum tdm_err tdm_resume_parse(struct tdm_resume *resume, const uint8_t *body, size_t size)
{
    struct tdm_reader r = tdm_reader_of(body, size);
    uint64_t highest = tdm_varint_read(&r);
    uint64_t count = tdm_varint_read(&r);

    *resume = (struct tdm_resume){.highest = (uint32_t)highest};
    if (!r.ok || highest > UINT32_MAX || count > TDM_CHANNEL_RESUMES_MAX)
        return TDM_E_MALFORMED;
    for (; resume->count < count; resume->count++) {
        struct tdm_resume_entry *e = &resume->entries[resume->count];
        uint64_t stream = tdm_varint_read(&r);

        e->stream = (uint32_t)stream;
        e->fin = tdm_read_u8(&r) & RESUME_FLAG_FIN;
        e->received = tdm_varint_read(&r);
        if (!r.ok || stream > UINT32_MAX)
            return TDM_E_MALFORMED;
    }
    return whole(&r);
}

void tdm_resume_write(struct tdm_writer *w, const struct tdm_resume *resume)
{
    assert(resume->count <= TDM_CHANNEL_RESUMES_MAX);
    tdm_varint_write(w, resume->highest);
    tdm_varint_write(w, resume->count);
    for (uint16_t i = 0; i < resume->count; i++) {
        const struct tdm_resume_entry *e = &resume->entries[i];

        tdm_varint_write(w, e->stream);
        tdm_write_u8(w, e->fin ? RESUME_FLAG_FIN : 0);
        tdm_varint_write(w, e->received);
    }
}
