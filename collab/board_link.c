/* SPDX-License-Identifier: MIT */
#include "collab/board_link.h"

#include "collab/board_op.h"
#include "collab/board_stroke.h"
#include "engine/base/rng.h"

#include <assert.h>
#define ZSTD_STATIC_LINKING_ONLY /* Contexts in the caller's memory. */
#include <zstd.h>

#define PIECE      TDM_BOARD_SINCE_MIN /* Of what the other side lacks, at a time. */
#define PACK_LEAST 256                 /* Bytes of records from which on packing is tried. */
#define PACK_LEVEL 3
#define HEAD_MAX   (TDM_BOARD_V_MAX + 1)
#define SYNCED_MAX (TDM_BOARD_DIGEST_BYTES + 8)

/* Where operations of one author go on: the head that a record need not repeat, and the stroke that
 * ink goes on with. */
struct line {
    uint32_t actor; /* 0: nothing was said yet. */
    uint32_t seq;
    uint64_t lamport;
    struct tdm_board_id stroke; /* None: no ink was said since the last head. */
    uint32_t point;
};

struct tdm_board_link {
    uint8_t own[TDM_BOARD_DOCUMENT_BYTES], document[TDM_BOARD_DOCUMENT_BYTES];
    struct tdm_board_hello peer;
    bool greeted;          /* Its hello came, and the document is ours. */
    bool other;            /* Its document is another one. */
    bool broken, diverged; /* It was asked for everything once. */
    bool ask_all;          /* Say hello as if nothing were known here. */
    bool left_out,
        telling; /* Records wait for the next round of what it lacks; one is under way. */
    bool synced; /* We said that all is said. */
    struct line said, heard;

    struct tdm_board_since since;
    struct tdm_board_version known[TDM_BOARD_ACTORS_MAX]; /* It has at least this. */
    size_t known_count;
    struct tdm_board_version cover[TDM_BOARD_ACTORS_MAX]; /* And this after the round. */
    size_t cover_count;

    /* Out: a ring of the stream's bytes from `acked` to `put`; offsets count from its begin. */
    uint64_t acked, pulled, put;
    uint8_t out[TDM_BOARD_LINK_OUT_BYTES];

    size_t in_size; /* Of a message that is not whole yet. */
    uint8_t in[HEAD_MAX + TDM_BOARD_MESSAGE_MAX];
    uint8_t records[2 * TDM_BOARD_MESSAGE_MAX]; /* What a message stands for. */
    uint8_t room[2 * PIECE];

    struct tdm_board_version now[TDM_BOARD_ACTORS_MAX]; /* Room for what is known here. */
    struct tdm_board_link_figures figures;
    ZSTD_CCtx *packer; /* In the storage behind this struct. */
    ZSTD_DCtx *unpacker;
};

static size_t rounded(size_t size)
{
    return (size + 15) & ~(size_t)15;
}

size_t tdm_board_link_bytes_needed(void)
{
    return rounded(sizeof(struct tdm_board_link)) + rounded(ZSTD_estimateCCtxSize(PACK_LEVEL)) +
           ZSTD_estimateDCtxSize();
}

struct tdm_board_link *tdm_board_link_init(void *storage,
                                           const uint8_t document[TDM_BOARD_DOCUMENT_BYTES])
{
    struct tdm_board_link *l = storage;

    uint8_t *behind = (uint8_t *)storage + rounded(sizeof *l);
    size_t packer_size = rounded(ZSTD_estimateCCtxSize(PACK_LEVEL));

    memset(l, 0, sizeof *l);
    l->packer = ZSTD_initStaticCCtx(behind, packer_size);
    l->unpacker = ZSTD_initStaticDCtx(behind + packer_size, ZSTD_estimateDCtxSize());
    assert(l->packer && l->unpacker);
    memcpy(l->own, document, sizeof l->own);
    memcpy(l->document, document, sizeof l->document);
    return l;
}

const uint8_t *tdm_board_link_document(const struct tdm_board_link *l)
{
    return l->document;
}

const struct tdm_board_hello *tdm_board_link_peer(const struct tdm_board_link *l)
{
    return &l->peer;
}

void tdm_board_link_figures(const struct tdm_board_link *l, struct tdm_board_link_figures *f)
{
    *f = l->figures;
}

/* The way out. */

static size_t ring_room(const struct tdm_board_link *l)
{
    return TDM_BOARD_LINK_OUT_BYTES - (size_t)(l->put - l->acked);
}

static void ring_in(struct tdm_board_link *l, const uint8_t *data, size_t size)
{
    size_t at = (size_t)(l->put % TDM_BOARD_LINK_OUT_BYTES);
    size_t first = size < TDM_BOARD_LINK_OUT_BYTES - at ? size : TDM_BOARD_LINK_OUT_BYTES - at;

    memcpy(l->out + at, data, first);
    memcpy(l->out, data + first, size - first);
    l->put += size;
}

/* False: there is no room now. */
static bool say(struct tdm_board_link *l, enum tdm_board_message_type type, const uint8_t *data,
                size_t size)
{
    uint8_t head[HEAD_MAX];
    struct tdm_writer w = tdm_writer_of(head, sizeof head);

    if (ring_room(l) < HEAD_MAX + size)
        return false;
    tdm_board_write_v(&w, 1 + size);
    tdm_write_u8(&w, (uint8_t)type);
    ring_in(l, head, tdm_writer_size(&w));
    ring_in(l, data, size);
    return true;
}

static void say_hello(struct tdm_board_link *l, const struct tdm_board *b)
{
    struct tdm_writer w = tdm_writer_of(l->records, sizeof l->records);
    size_t count = l->ask_all ? 0 : tdm_board_versions(b, l->now, TDM_BOARD_ACTORS_MAX);

    tdm_write_u8(&w, TDM_BOARD_WIRE_VERSION);
    tdm_write_bytes(&w, l->document, sizeof l->document);
    tdm_write_u32(&w, tdm_board_actor(b));
    tdm_board_write_v(&w, count);
    for (size_t i = 0; i < count; i++) {
        tdm_write_u32(&w, l->now[i].actor);
        tdm_board_write_v(&w, l->now[i].seq);
    }
    assert(w.ok);
    if (say(l, TDM_BOARD_HELLO, l->records, tdm_writer_size(&w)))
        l->ask_all = false;
}

void tdm_board_link_start(struct tdm_board_link *l, const struct tdm_board *b)
{
    struct tdm_board_link_figures figures = l->figures;
    uint8_t own[TDM_BOARD_DOCUMENT_BYTES];

    memcpy(own, l->own, sizeof own);
    (void)tdm_board_link_init(l, own);
    l->figures = figures;
    say_hello(l, b);
}

/* An operation of ink; `op->data` is its points then. False: it is another one. */
static bool read_ink(struct board_op *op, struct tdm_board_id *stroke, uint32_t *first)
{
    struct tdm_reader r = tdm_reader_of(op->data, op->size);

    if (op->kind != BOARD_OP_INK || op->span != 1)
        return false;
    *stroke = board_id_read(&r, op->name, op->seq);
    uint64_t point = tdm_board_read_v(&r);

    *first = (uint32_t)point;
    op->data = r.at;
    op->size = tdm_reader_left(&r);
    return r.ok && point <= TDM_BOARD_POINTS_MAX;
}

/* Moves a line behind the operations of a record; false when they are none. */
static bool follow(struct line *line, struct line from, struct tdm_reader ops)
{
    struct board_op op = {.name = from.actor, .seq = from.seq, .lamport = from.lamport};

    while (ops.ok && ops.at < ops.end) {
        struct board_op ink;

        if (!board_op_read(&ops, &op) || (uint64_t)op.seq + op.span > TDM_BOARD_SEQ_MAX)
            return false;
        ink = op;
        if (read_ink(&ink, &from.stroke, &from.point))
            from.point += board_ink_count(ink.data, ink.size);
        op.seq += op.span;
        op.lamport += op.span;
    }
    *line = (struct line){op.name, op.seq, op.lamport, from.stroke, from.point};
    return ops.ok;
}

/* A record's head; `r` is left behind it. */
static bool read_head(struct tdm_reader *r, struct line *from)
{
    *from = (struct line){0};
    (void)tdm_read_u16(r);
    if (tdm_read_u8(r) != BOARD_RECORD_OPS)
        return false;
    from->actor = tdm_read_u32(r);
    uint64_t seq = tdm_board_read_v(r);

    from->lamport = tdm_board_read_v(r);
    from->seq = (uint32_t)seq;
    return r->ok && from->actor != 0 && seq <= TDM_BOARD_SEQ_MAX;
}

/* Whether the operations are nothing but points behind the last ones; they are `ops` then. */
static bool goes_on(const struct line *line, struct tdm_reader *ops)
{
    struct board_op op = {.name = line->actor, .seq = line->seq};
    struct tdm_reader r = *ops;
    struct tdm_board_id stroke;
    uint32_t point;

    if (!board_op_read(&r, &op) || r.at != r.end || !read_ink(&op, &stroke, &point) ||
        point != line->point || !tdm_board_same(stroke, line->stroke))
        return false;
    *ops = tdm_reader_of(op.data, op.size);
    return true;
}

/* One record, of which what goes on from the last one is left away. */
static bool say_record(struct tdm_board_link *l, const uint8_t *record, size_t size)
{
    struct tdm_reader r = tdm_reader_of(record, size);
    struct line from, to = {0};
    bool ops = read_head(&r, &from);
    bool next = ops && from.actor == l->said.actor && from.seq == l->said.seq &&
                from.lamport == l->said.lamport;

    ops = ops && follow(&to, next ? l->said : from, r);
    next = next && ops;
    enum tdm_board_message_type type = next && goes_on(&l->said, &r) ? TDM_BOARD_INK
                                       : next                        ? TDM_BOARD_NEXT
                                                                     : TDM_BOARD_OPS;

    if (type == TDM_BOARD_OPS ? !say(l, type, record, size)
                              : !say(l, type, r.at, tdm_reader_left(&r)))
        return false;
    l->figures.records_short += next;
    if (ops)
        l->said = to;
    return true;
}

void tdm_board_link_put(struct tdm_board_link *l, const uint8_t *records, size_t size)
{
    struct tdm_reader r = tdm_reader_of(records, size);

    if (!l->greeted)
        return; /* The hello tells what it lacks then. */
    while (r.at < r.end && !l->left_out) {
        const uint8_t *record = r.at;

        tdm_read_skip(&r, tdm_read_u16(&r));
        if (!r.ok)
            return;
        l->left_out = l->telling || !say_record(l, record, (size_t)(r.at - record));
    }
}

/* A round: all that it lacks of what is known now. */
static void begin_round(struct tdm_board_link *l, const struct tdm_board *b)
{
    l->cover_count = tdm_board_versions(b, l->cover, TDM_BOARD_ACTORS_MAX);
    l->since = (struct tdm_board_since){.known = l->known, .known_count = l->known_count};
    l->telling = true;
    l->left_out = false;
}

/* The same for sides that know the same operations, whatever they made of them. */
static uint64_t known_sum(struct tdm_board_link *l, const struct tdm_board *b)
{
    size_t count = tdm_board_versions(b, l->now, TDM_BOARD_ACTORS_MAX);
    uint64_t sum = 0;

    for (size_t i = 0; i < count; i++) {
        struct tdm_rng mixed = tdm_rng_of((uint64_t)l->now[i].actor << 32 | l->now[i].seq);

        sum += tdm_rng_u64(&mixed);
    }
    return sum;
}

static void say_synced(struct tdm_board_link *l, const struct tdm_board *b)
{
    uint8_t body[SYNCED_MAX];
    struct tdm_writer w = tdm_writer_of(body + TDM_BOARD_DIGEST_BYTES, 8);

    tdm_board_digest(b, body);
    tdm_write_u64(&w, known_sum(l, b));
    l->synced = say(l, TDM_BOARD_SYNCED, body, sizeof body);
}

static void say_piece(struct tdm_board_link *l, const uint8_t *records, size_t size)
{
    uint8_t *packed = l->room + PIECE;
    size_t packed_size =
        size < PACK_LEAST ? 0
                          : ZSTD_compressCCtx(l->packer, packed, PIECE, records, size, PACK_LEVEL);
    bool pack = packed_size > 0 && !ZSTD_isError(packed_size) && packed_size < size;

    (void)(pack ? say(l, TDM_BOARD_PACKED, packed, packed_size)
                : say(l, TDM_BOARD_OPS, records, size));
    *(pack ? &l->figures.packed_bytes : &l->figures.plain_bytes) += pack ? packed_size : size;
    l->said.actor = 0; /* Its lines may have gone on elsewhere. */
}

/* Goes on with the round as far as there is room; a next one for what came meanwhile. */
static void tell(struct tdm_board_link *l, const struct tdm_board *b)
{
    if (l->ask_all)
        say_hello(l, b);
    if (!l->greeted)
        return;
    if (!l->telling && l->left_out)
        begin_round(l, b);
    while (l->telling && ring_room(l) > 2 * PIECE) {
        size_t size = l->since.done ? 0 : tdm_board_since(b, &l->since, l->room, PIECE);

        if (size) {
            say_piece(l, l->room, size);
            continue;
        }
        memcpy(l->known, l->cover, l->cover_count * sizeof *l->cover);
        l->known_count = l->cover_count;
        l->telling = false;
        if (l->left_out)
            begin_round(l, b);
    }
    if (!l->telling && !l->synced && ring_room(l) > HEAD_MAX + SYNCED_MAX)
        say_synced(l, b);
}

bool tdm_board_link_has(const struct tdm_board_link *l)
{
    return l->pulled < l->put || l->ask_all ||
           (l->greeted && (l->telling || l->left_out || !l->synced) && ring_room(l) > 2 * PIECE);
}

size_t tdm_board_link_pull(struct tdm_board_link *l, const struct tdm_board *b, uint8_t *room,
                           size_t max)
{
    tell(l, b);
    uint64_t waiting = l->put - l->pulled;
    size_t size = waiting < max ? (size_t)waiting : max;
    size_t at = (size_t)(l->pulled % TDM_BOARD_LINK_OUT_BYTES);
    size_t first = size < TDM_BOARD_LINK_OUT_BYTES - at ? size : TDM_BOARD_LINK_OUT_BYTES - at;

    memcpy(room, l->out + at, first);
    memcpy(room + first, l->out, size - first);
    l->pulled += size;
    l->figures.sent_bytes += size;
    return size;
}

void tdm_board_link_acked(struct tdm_board_link *l, uint64_t offset)
{
    if (offset > l->acked && offset <= l->pulled)
        l->acked = offset;
}

void tdm_board_link_rewind(struct tdm_board_link *l, uint64_t offset)
{
    if (offset >= l->acked && offset <= l->put)
        l->pulled = offset;
}

/* The way in. */

static bool is_zero(const uint8_t document[TDM_BOARD_DOCUMENT_BYTES])
{
    static const uint8_t zero[TDM_BOARD_DOCUMENT_BYTES];

    return memcmp(document, zero, sizeof zero) == 0;
}

static enum tdm_board_link_event take_hello(struct tdm_board_link *l, const struct tdm_board *b,
                                            const uint8_t *data, size_t size)
{
    if (tdm_board_hello_parse(&l->peer, data, size) != TDM_OK)
        return TDM_BOARD_EV_BROKEN;
    if (is_zero(l->document))
        memcpy(l->document, l->peer.document, sizeof l->document);
    if (!is_zero(l->peer.document) &&
        memcmp(l->document, l->peer.document, sizeof l->document) != 0) {
        l->other = true;
        return TDM_BOARD_EV_OTHER;
    }
    l->greeted = true;
    l->synced = false;
    l->known_count = l->peer.version_count;
    memcpy(l->known, l->peer.versions, l->known_count * sizeof *l->known);
    begin_round(l, b);
    return TDM_BOARD_EV_HELLO;
}

/* Whole records, one after the other; the last one of operations is what NEXT goes on from. */
static bool look_at(struct tdm_board_link *l, const uint8_t *records, size_t size)
{
    struct tdm_reader r = tdm_reader_of(records, size);

    while (r.at < r.end) {
        const uint8_t *record = r.at;
        struct line from;

        tdm_read_skip(&r, tdm_read_u16(&r));
        if (!r.ok)
            return false;
        struct tdm_reader one = tdm_reader_of(record, (size_t)(r.at - record));

        if (read_head(&one, &from) && !follow(&l->heard, from, one))
            return false;
    }
    return true;
}

/* The head that was left away, before the operations. @return the record's size; 0: it is none. */
static size_t complete(struct tdm_board_link *l, const uint8_t *ops, size_t size)
{
    struct tdm_writer w = tdm_writer_of(l->records, sizeof l->records);
    struct line from = l->heard;

    if (from.actor == 0 || size > BOARD_RECORD_MAX)
        return 0;
    tdm_write_u16(&w, 0);
    tdm_write_u8(&w, BOARD_RECORD_OPS);
    tdm_write_u32(&w, from.actor);
    tdm_board_write_v(&w, from.seq);
    tdm_board_write_v(&w, from.lamport);
    tdm_write_bytes(&w, ops, size);
    struct tdm_writer head = tdm_writer_of(l->records, BOARD_RECORD_HEAD);

    tdm_write_u16(&head, (uint16_t)(tdm_writer_size(&w) - BOARD_RECORD_HEAD));
    return w.ok && follow(&l->heard, from, tdm_reader_of(ops, size)) ? tdm_writer_size(&w) : 0;
}

/* The same for points alone: their operation, too. */
static size_t complete_ink(struct tdm_board_link *l, const uint8_t *points, size_t size)
{
    const struct line *line = &l->heard;
    uint8_t *fields = l->room + PIECE;
    struct tdm_writer w = tdm_writer_of(fields, PIECE), op = tdm_writer_of(l->room, PIECE);

    if (tdm_board_same(line->stroke, TDM_BOARD_NONE))
        return 0;
    board_id_write(&w, line->actor, line->seq, line->stroke);
    tdm_board_write_v(&w, line->point);
    tdm_write_bytes(&w, points, size);
    board_op_write(&op, BOARD_OP_INK, 1, fields, tdm_writer_size(&w));
    return w.ok && op.ok ? complete(l, l->room, tdm_writer_size(&op)) : 0;
}

static enum tdm_board_link_event take_records(struct tdm_board_link *l, const uint8_t *records,
                                              size_t size, struct tdm_board_link_out *out)
{
    if (size == 0 || !look_at(l, records, size))
        return TDM_BOARD_EV_BROKEN;
    out->data = records;
    out->size = size;
    return TDM_BOARD_EV_OPS;
}

/* All that we lacked has come. Who knows the same and has not the same is asked for everything,
 * once. */
static enum tdm_board_link_event take_synced(struct tdm_board_link *l, const struct tdm_board *b,
                                             const uint8_t *data, size_t size,
                                             struct tdm_board_link_out *out)
{
    uint8_t digest[TDM_BOARD_DIGEST_BYTES];

    if (size < SYNCED_MAX)
        return TDM_BOARD_EV_BROKEN;
    struct tdm_reader r = tdm_reader_of(data + sizeof digest, 8);

    if (tdm_read_u64(&r) == known_sum(l, b) && !l->diverged) {
        tdm_board_digest(b, digest);
        l->diverged = memcmp(digest, data, sizeof digest) != 0;
        out->diverged = l->ask_all = l->diverged;
    }
    return TDM_BOARD_EV_SYNCED;
}

static enum tdm_board_link_event take_message(struct tdm_board_link *l, const struct tdm_board *b,
                                              struct tdm_reader m, struct tdm_board_link_out *out)
{
    uint8_t type = tdm_read_u8(&m);
    size_t size = tdm_reader_left(&m);

    if (type == TDM_BOARD_HELLO)
        return take_hello(l, b, m.at, size);
    if (l->other || type < TDM_BOARD_HELLO || type > TDM_BOARD_INK)
        return TDM_BOARD_EV_NONE;
    if (!l->greeted)
        return TDM_BOARD_EV_BROKEN;
    if (type == TDM_BOARD_OPS)
        return take_records(l, m.at, size, out);
    if (type == TDM_BOARD_SYNCED)
        return take_synced(l, b, m.at, size, out);
    if (type == TDM_BOARD_NEXT || type == TDM_BOARD_INK) {
        out->size = type == TDM_BOARD_INK ? complete_ink(l, m.at, size) : complete(l, m.at, size);
        out->data = l->records;
        return out->size ? TDM_BOARD_EV_OPS : TDM_BOARD_EV_BROKEN;
    }
    size = ZSTD_decompressDCtx(l->unpacker, l->records, sizeof l->records, m.at, size);
    return ZSTD_isError(size) ? TDM_BOARD_EV_BROKEN : take_records(l, l->records, size, out);
}

/* How large the message that begins in `in` is, with its size; 0: that is not known yet;
 * SIZE_MAX: larger than may be. */
static size_t wanted(const struct tdm_board_link *l)
{
    struct tdm_reader r = tdm_reader_of(l->in, l->in_size);
    uint64_t size = tdm_board_read_v(&r);

    if (!r.ok)
        return l->in_size < TDM_BOARD_V_MAX ? 0 : SIZE_MAX;
    if (size == 0 || size > TDM_BOARD_MESSAGE_MAX)
        return SIZE_MAX;
    return (size_t)(r.at - l->in) + (size_t)size;
}

size_t tdm_board_link_take(struct tdm_board_link *l, const struct tdm_board *b, const uint8_t *data,
                           size_t size, struct tdm_board_link_out *out)
{
    size_t taken = 0, want;

    *out = (struct tdm_board_link_out){0};
    if (l->broken)
        return size;
    while ((want = wanted(l)) == 0 && taken < size)
        l->in[l->in_size++] = data[taken++];
    if (want != 0 && want != SIZE_MAX) {
        size_t rest = want - l->in_size;

        rest = rest < size - taken ? rest : size - taken;
        memcpy(l->in + l->in_size, data + taken, rest);
        l->in_size += rest;
        taken += rest;
    }
    l->figures.taken_bytes += taken;
    if (want == SIZE_MAX) {
        out->event = TDM_BOARD_EV_BROKEN;
    } else if (want && l->in_size == want) {
        struct tdm_reader r = tdm_reader_of(l->in, l->in_size);

        (void)tdm_board_read_v(&r);
        out->event = take_message(l, b, r, out);
        l->in_size = 0;
    }
    if (out->event == TDM_BOARD_EV_BROKEN) {
        l->broken = true;
        l->figures.refused++;
        return size;
    }
    return taken;
}
