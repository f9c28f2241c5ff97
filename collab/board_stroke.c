/* SPDX-License-Identifier: MIT */
#include "collab/board_stroke.h"

#define FOLLOWS  15
#define MIDDLE   7
#define FAR_STEP ((int64_t)2 * TDM_BOARD_FAR)

#define SUM_STEP 16777619u

static bool small(int difference)
{
    return difference >= -MIDDLE && difference < FOLLOWS - MIDDLE;
}

void board_point_write(struct tdm_writer *w, const struct tdm_board_point *from,
                       const struct tdm_board_point *to)
{
    int pressure = to->pressure - from->pressure, pace = to->dt_ms - from->dt_ms;
    uint8_t low = small(pressure) ? (uint8_t)(pressure + MIDDLE) : FOLLOWS;
    uint8_t high = small(pace) ? (uint8_t)(pace + MIDDLE) : FOLLOWS;

    tdm_write_u8(w, (uint8_t)(low | high << 4));
    if (low == FOLLOWS)
        tdm_write_u8(w, to->pressure);
    if (high == FOLLOWS)
        tdm_board_write_v(w, to->dt_ms);
    tdm_board_write_s(w, (int64_t)to->x - from->x);
    tdm_board_write_s(w, (int64_t)to->y - from->y);
}

bool board_point_read(struct tdm_reader *r, struct tdm_board_point *p)
{
    uint8_t how = tdm_read_u8(r);
    uint8_t low = how & 15, high = how >> 4;
    uint64_t pressure = low == FOLLOWS ? tdm_read_u8(r) : (uint64_t)p->pressure + low - MIDDLE;
    uint64_t pace = high == FOLLOWS ? tdm_board_read_v(r) : (uint64_t)p->dt_ms + high - MIDDLE;
    int64_t dx = tdm_board_read_s(r), dy = tdm_board_read_s(r);

    if (!r->ok || dx > FAR_STEP || dx < -FAR_STEP || dy > FAR_STEP || dy < -FAR_STEP ||
        (high == FOLLOWS && pace > UINT16_MAX))
        return false;
    p->pressure = (uint8_t)pressure;
    p->dt_ms = (uint16_t)pace;
    p->x = board_within(p->x + dx);
    p->y = board_within(p->y + dy);
    return true;
}

uint32_t board_ink_count(const uint8_t *data, size_t size)
{
    struct tdm_reader r = tdm_reader_of(data, size);
    struct tdm_board_point p = BOARD_POINT_START;
    uint32_t count = 0;

    while (r.at < r.end) {
        if (!board_point_read(&r, &p))
            return 0;
        count++;
    }
    return count;
}

size_t board_ink_need(size_t size)
{
    return sizeof(struct board_stroke) +
           (size / (BOARD_INK_CHUNK - sizeof(struct board_ink_chunk) - BOARD_POINT_MAX) + 2) *
               BOARD_INK_CHUNK;
}

/* A last chunk with room for one more point. The first ones are small: most strokes are. */
static struct board_ink_chunk *chunk_for(struct tdm_board *b, struct board_stroke *s, size_t size)
{
    if (s->last && (size_t)s->last->room - s->last->size >= size)
        return s->last;
    size_t bytes = s->last ? BOARD_INK_CHUNK : BOARD_INK_CHUNK / 4;
    struct board_ink_chunk *c = tdm_board_take(&b->memory, bytes);

    *c = (struct board_ink_chunk){.room = (uint16_t)(bytes - sizeof *c)};
    if (s->last)
        s->last->next = c;
    else
        s->first = c;
    s->last = c;
    return c;
}

static void append(struct tdm_board *b, struct board_stroke *s, const uint8_t *data, size_t size)
{
    struct board_ink_chunk *c = chunk_for(b, s, size);

    memcpy(c->bytes + c->size, data, size);
    c->size = (uint16_t)(c->size + size);
    c->count++;
    s->count++;
    for (size_t i = 0; i < size; i++)
        s->sum = (s->sum ^ data[i]) * SUM_STEP;
}

static struct board_stroke *stroke_of(struct tdm_board *b, struct tdm_board_object *o)
{
    if (!o->stroke) {
        o->stroke = tdm_board_take(&b->memory, sizeof *o->stroke);
        *o->stroke = (struct board_stroke){.sum = BOARD_INK_SUM, .tail = BOARD_POINT_START};
    }
    return o->stroke;
}

/* What was sealed is sealed; points that only come now (a snapshot in pieces) may complete it. */
static void check_seal(struct board_stroke *s)
{
    s->broken = s->sealed && (s->count != s->seal_count || s->sum != s->seal_sum);
}

enum tdm_err board_ink(struct tdm_board *b, struct tdm_board_object *o, uint32_t seq,
                       uint32_t first, const uint8_t *data, size_t size)
{
    uint32_t count = board_ink_count(data, size), have = o->stroke ? o->stroke->count : 0;

    if (count == 0 || first > have || count > TDM_BOARD_POINTS_MAX ||
        first + count > TDM_BOARD_POINTS_MAX ||
        (o->stroke && o->stroke->sealed && seq > o->stroke->seal_seq))
        return TDM_E_MALFORMED;
    struct board_stroke *s = stroke_of(b, o);
    struct tdm_reader r = tdm_reader_of(data, size);
    struct tdm_board_point skipped = BOARD_POINT_START;

    for (; first < have && r.at < r.end; first++)
        (void)board_point_read(&r, &skipped);
    while (r.at < r.end) {
        const uint8_t *from = r.at;

        (void)board_point_read(&r, &s->tail);
        append(b, s, from, (size_t)(r.at - from));
    }
    if (seq > s->ink_seq)
        s->ink_seq = seq;
    check_seal(s);
    board_touch(b, o);
    return TDM_OK;
}

enum tdm_err board_seal(struct tdm_board *b, struct tdm_board_object *o, uint32_t seq,
                        uint32_t count, uint32_t sum)
{
    struct board_stroke *s = stroke_of(b, o);

    if (s->sealed && s->seal_seq <= seq)
        return s->seal_seq == seq ? TDM_OK : TDM_E_MALFORMED; /* The first one counts. */
    s->sealed = true;
    s->seal_seq = seq;
    s->seal_count = count;
    s->seal_sum = sum;
    check_seal(s);
    board_touch(b, o);
    return TDM_OK;
}

struct tdm_board_points tdm_board_points(const struct tdm_board_object *o)
{
    return (struct tdm_board_points){.chunk = o->stroke ? o->stroke->first : NULL,
                                     .last = BOARD_POINT_START};
}

bool tdm_board_point_next(struct tdm_board_points *p, struct tdm_board_point *point)
{
    const struct board_ink_chunk *c = p->chunk;

    if (c && p->at == c->size) {
        p->chunk = c = c->next;
        p->at = 0;
    }
    if (!c)
        return false;
    struct tdm_reader r = tdm_reader_of(c->bytes + p->at, (size_t)c->size - p->at);

    if (!board_point_read(&r, &p->last))
        return false;
    p->at = (uint32_t)(r.at - c->bytes);
    *point = p->last;
    return true;
}
