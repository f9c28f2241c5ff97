/* SPDX-License-Identifier: MIT */
#include "engine/wire/av1_payload.h"

#include <assert.h>

/* Bits of an OBU header's first byte (AV1 bitstream specification, section 5.3.2). */
#define OBU_FORBIDDEN 0x80u
#define OBU_EXTENSION 0x04u
#define OBU_HAS_SIZE  0x02u

/* Bits of the aggregation header (payload format, section 4.4). */
#define CONTINUES    0x80u /* Z */
#define CONTINUED    0x40u /* Y */
#define COUNT_SHIFT  4     /* W */
#define NEW_SEQUENCE 0x08u /* N */

#define HEADER_BYTES 1u
#define PIECES_MAX   3u /* With more the last one, too, would need a size. */
#define FRAGMENT_MIN 8u /* A smaller beginning of an OBU is not worth its size field. */

static uint8_t obu_type(uint8_t header)
{
    return header >> 3 & 0x0f;
}

static size_t obu_header_bytes(uint8_t header)
{
    return header & OBU_EXTENSION ? 2 : 1;
}

/* leb128() of the bitstream specification, section 4.10.5. */
static size_t read_leb128(struct tdm_reader *r)
{
    uint64_t value = 0;

    for (unsigned i = 0; i < 8; i++) {
        uint8_t byte = tdm_read_u8(r);

        value |= (uint64_t)(byte & 0x7f) << 7 * i;
        if (!(byte & 0x80)) {
            r->ok = r->ok && value <= UINT32_MAX;
            return r->ok ? (size_t)value : 0;
        }
    }
    r->ok = false;
    return 0;
}

static size_t leb128_bytes(size_t value)
{
    size_t bytes = 1;

    while (value >>= 7)
        bytes++;
    return bytes;
}

static void write_leb128(struct tdm_writer *w, size_t value)
{
    for (; value > 0x7f; value >>= 7)
        tdm_write_u8(w, (uint8_t)(0x80u | (value & 0x7f)));
    tdm_write_u8(w, (uint8_t)value);
}

/* uncompressed_header() begins with show_existing_frame and two bits of frame_type, 0 being a key
 * frame; but not so in a reduced still picture, which nobody sends in a call. */
static bool is_key_frame(uint8_t first)
{
    return !(first & 0xe0);
}

/* ---- cutting ---- */

static bool stays_home(uint8_t type)
{
    return type == TDM_AV1_TEMPORAL_DELIMITER || type == TDM_AV1_TILE_LIST ||
           type == TDM_AV1_PADDING;
}

/* Moves on to the next OBU that is sent; false when the bytes are no OBU. */
static bool next_obu(struct tdm_av1_cursor *c)
{
    uint8_t type = TDM_AV1_TEMPORAL_DELIMITER;

    while (stays_home(type)) {
        struct tdm_reader r = tdm_reader_of(c->next, (size_t)(c->end - c->next));

        c->at_end = !tdm_reader_left(&r);
        if (c->at_end)
            return true;
        uint8_t header = tdm_read_u8(&r);

        c->header[0] = (uint8_t)(header & ~OBU_HAS_SIZE);
        c->header_bytes = (uint8_t)obu_header_bytes(header);
        c->header[1] = c->header_bytes == 2 ? tdm_read_u8(&r) : 0;
        c->body_bytes = header & OBU_HAS_SIZE ? read_leb128(&r) : tdm_reader_left(&r);
        c->body = tdm_read_bytes(&r, c->body_bytes);
        c->done = 0;
        if (!r.ok || header & OBU_FORBIDDEN) {
            c->at_end = true;
            return false;
        }
        c->next = r.at;
        type = obu_type(header);
    }
    return true;
}

/* Some bytes of an OBU that make an OBU element. */
struct piece {
    struct tdm_av1_cursor from;
    size_t bytes;
};

static size_t obu_left(const struct tdm_av1_cursor *c)
{
    return c->header_bytes + c->body_bytes - c->done;
}

/* What goes into a payload of at most `max` bytes; moves the cursor behind it. */
static unsigned plan(struct tdm_av1_cursor *c, size_t max, struct piece pieces[PIECES_MAX])
{
    size_t room = max - HEADER_BYTES;
    unsigned count = 0;

    while (count < PIECES_MAX && !c->at_end) {
        size_t left = obu_left(c);
        size_t least = left < FRAGMENT_MIN ? left : FRAGMENT_MIN;
        /* The element before is the last no more. */
        size_t its_size = count ? leb128_bytes(pieces[count - 1].bytes) : 0;

        if (room < its_size + least)
            break;
        room -= its_size;
        pieces[count] = (struct piece){.from = *c, .bytes = left < room ? left : room};
        room -= pieces[count].bytes;
        c->done += pieces[count].bytes;
        if (pieces[count++].bytes < left)
            break;
        (void)next_obu(c); /* Looked through before. */
    }
    return count;
}

static size_t count_payloads(struct tdm_av1_cursor c, size_t max)
{
    struct piece pieces[PIECES_MAX];
    size_t count = 0;

    for (; !c.at_end; count++)
        plan(&c, max, pieces);
    return count;
}

/* Looks through the whole unit: whether it is one, and whether a sequence begins with it. */
static void survey(struct tdm_av1_packetizer *p)
{
    struct tdm_av1_cursor c = p->at;
    bool sequence_header = false, frame = false;

    p->malformed = !next_obu(&c);
    while (!c.at_end) {
        uint8_t type = obu_type(c.header[0]);

        sequence_header |= type == TDM_AV1_SEQUENCE_HEADER;
        if (!frame && (type == TDM_AV1_FRAME || type == TDM_AV1_FRAME_HEADER)) {
            frame = true;
            p->new_sequence = sequence_header && c.body_bytes && is_key_frame(c.body[0]);
        }
        p->malformed |= !next_obu(&c);
    }
}

void tdm_av1_packetizer_init(struct tdm_av1_packetizer *p, const uint8_t *unit, size_t size,
                             size_t payload_max)
{
    assert(payload_max >= TDM_AV1_PAYLOAD_MIN);
    *p = (struct tdm_av1_packetizer){
        .at = {.next = unit, .end = size ? unit + size : unit, .at_end = true}};
    survey(p);
    if (p->malformed)
        return;
    (void)next_obu(&p->at);

    /* The least limit that needs no more payloads makes them nearly equal. */
    size_t low = TDM_AV1_PAYLOAD_MIN, high = payload_max;
    size_t count = count_payloads(p->at, payload_max);

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (count_payloads(p->at, middle) <= count)
            high = middle;
        else
            low = middle + 1;
    }
    p->payload_max = high;
}

static void write_piece(struct tdm_writer *w, const struct piece *piece)
{
    const struct tdm_av1_cursor *c = &piece->from;
    size_t of_header = c->done < c->header_bytes ? c->header_bytes - c->done : 0;

    of_header = of_header < piece->bytes ? of_header : piece->bytes;
    tdm_write_bytes(w, c->header + (of_header ? c->done : 0), of_header);
    if (piece->bytes > of_header)
        tdm_write_bytes(w, c->body + (c->done + of_header - c->header_bytes),
                        piece->bytes - of_header);
}

enum tdm_err tdm_av1_packetizer_next(struct tdm_av1_packetizer *p, uint8_t *out, size_t capacity,
                                     size_t *out_size, bool *last)
{
    struct tdm_av1_cursor c = p->at;
    struct tdm_writer w = tdm_writer_of(out, capacity);
    struct piece pieces[PIECES_MAX];

    if (p->malformed)
        return TDM_E_MALFORMED;
    if (c.at_end)
        return TDM_E_AGAIN;
    unsigned count = plan(&c, p->payload_max, pieces);
    const struct piece *end = &pieces[count - 1];

    tdm_write_u8(&w, (uint8_t)((pieces[0].from.done ? CONTINUES : 0) |
                               (end->bytes < obu_left(&end->from) ? CONTINUED : 0) |
                               count << COUNT_SHIFT | (p->new_sequence ? NEW_SEQUENCE : 0)));
    for (unsigned i = 0; i < count; i++) {
        if (i + 1 < count)
            write_leb128(&w, pieces[i].bytes);
        write_piece(&w, &pieces[i]);
    }
    if (!w.ok)
        return TDM_E_SPACE;
    p->at = c;
    p->new_sequence = false;
    *out_size = tdm_writer_size(&w);
    *last = c.at_end;
    return TDM_OK;
}

/* ---- joining ---- */

/* The OBU elements of a payload. */
struct elements {
    struct tdm_reader r;
    uint8_t header;
    unsigned counted; /* Elements left, when W says how many there are. */
};

static struct elements elements_of(const uint8_t *payload, size_t size)
{
    struct elements e = {.r = tdm_reader_of(payload, size)};

    e.header = tdm_read_u8(&e.r);
    e.counted = e.header >> COUNT_SHIFT & 3;
    e.r.ok = e.r.ok && tdm_reader_left(&e.r);
    return e;
}

static bool is_counted(const struct elements *e)
{
    return e->header >> COUNT_SHIFT & 3;
}

/* NULL at the end, and on an element that cannot be (reader not ok). */
static const uint8_t *next_element(struct elements *e, size_t *size)
{
    if (!e->r.ok || (is_counted(e) ? !e->counted : !tdm_reader_left(&e->r)))
        return NULL;
    *size = e->counted == 1 ? tdm_reader_left(&e->r) : read_leb128(&e->r);
    if (e->counted)
        e->counted--;
    const uint8_t *data = tdm_read_bytes(&e->r, *size);

    e->r.ok = e->r.ok && *size;
    return e->r.ok ? data : NULL;
}

static bool is_last(const struct elements *e)
{
    return is_counted(e) ? !e->counted : !tdm_reader_left(&e->r);
}

/* Looks at an element that begins an OBU, which may be a fragment of it. */
static void peek_obu(struct tdm_av1_peek *peek, const uint8_t *data, size_t size)
{
    struct tdm_reader r = tdm_reader_of(data, size);
    uint8_t header = tdm_read_u8(&r);
    uint8_t type = obu_type(header);

    tdm_read_skip(&r, obu_header_bytes(header) - 1);
    if (header & OBU_HAS_SIZE)
        (void)read_leb128(&r);
    if (type == TDM_AV1_SEQUENCE_HEADER)
        peek->has_sequence_header = true;
    if ((type != TDM_AV1_FRAME && type != TDM_AV1_FRAME_HEADER) || peek->has_key_frame ||
        peek->has_other_frame)
        return;
    uint8_t first = tdm_read_u8(&r);

    peek->has_key_frame = r.ok && is_key_frame(first);
    peek->has_other_frame = r.ok && !is_key_frame(first);
}

enum tdm_err tdm_av1_peek(struct tdm_av1_peek *peek, const uint8_t *payload, size_t size)
{
    struct elements e = elements_of(payload, size);
    bool begins = !(e.header & CONTINUES);
    size_t bytes;

    *peek = (struct tdm_av1_peek){
        .starts_obu = begins,
        .ends_obu = !(e.header & CONTINUED),
        .new_sequence = e.header & NEW_SEQUENCE,
    };
    for (const uint8_t *data; (data = next_element(&e, &bytes)); begins = true)
        if (begins)
            peek_obu(peek, data, bytes);
    return e.r.ok ? TDM_OK : TDM_E_MALFORMED;
}

/* Gives the OBU that ends at the writer's place a size, or takes it out again. */
static enum tdm_err finish_obu(struct tdm_writer *unit, size_t obu_at)
{
    struct tdm_reader r = tdm_reader_of(unit->start + obu_at, tdm_writer_size(unit) - obu_at);
    uint8_t header = tdm_read_u8(&r);
    uint8_t type = obu_type(header);

    tdm_read_skip(&r, obu_header_bytes(header) - 1);
    if (!r.ok || header & OBU_FORBIDDEN)
        return TDM_E_MALFORMED;
    if (type == TDM_AV1_TEMPORAL_DELIMITER || type == TDM_AV1_TILE_LIST) {
        unit->at = unit->start + obu_at;
        return TDM_OK;
    }
    if (header & OBU_HAS_SIZE) {
        size_t size = read_leb128(&r);

        return r.ok && size == tdm_reader_left(&r) ? TDM_OK : TDM_E_MALFORMED;
    }
    size_t body_bytes = tdm_reader_left(&r), at = obu_at + obu_header_bytes(header);
    size_t size_bytes = leb128_bytes(body_bytes);
    struct tdm_writer size_field = tdm_writer_of(unit->start + at, size_bytes);

    if (!tdm_write_reserve(unit, size_bytes))
        return TDM_E_SPACE;
    memmove(unit->start + at + size_bytes, unit->start + at, body_bytes);
    write_leb128(&size_field, body_bytes);
    unit->start[obu_at] |= OBU_HAS_SIZE;
    return TDM_OK;
}

enum tdm_err tdm_av1_join(struct tdm_av1_joiner *j, struct tdm_writer *unit, const uint8_t *payload,
                          size_t size)
{
    struct elements e = elements_of(payload, size);
    bool in_obu = j->in_obu;
    enum tdm_err err = TDM_OK;
    size_t bytes;

    j->in_obu = false;
    if (!e.r.ok || in_obu != (bool)(e.header & CONTINUES))
        return TDM_E_MALFORMED;
    for (const uint8_t *data; !err && (data = next_element(&e, &bytes)); in_obu = false) {
        if (!in_obu)
            j->obu_at = tdm_writer_size(unit);
        tdm_write_bytes(unit, data, bytes);
        if (!unit->ok)
            err = TDM_E_SPACE;
        else if (is_last(&e) && e.header & CONTINUED)
            j->in_obu = true;
        else
            err = finish_obu(unit, j->obu_at);
    }
    if (!err && !e.r.ok)
        err = TDM_E_MALFORMED;
    if (err)
        j->in_obu = false;
    return err;
}
