/* SPDX-License-Identifier: MIT */
/* One number for all that a document says. What has an order everywhere (characters, points) is
 * hashed in it; what has none is summed up. */
#include "collab/board_state.h"

#include "collab/board_stroke.h"
#include "collab/board_text.h"
#include "engine/base/digest.h"

#define WORDS (TDM_SHA256_BYTES / 8)

struct sum {
    uint64_t words[WORDS];
};

static void sum_add(struct sum *sum, struct tdm_sha256_stream *s)
{
    uint8_t digest[TDM_SHA256_BYTES];
    struct tdm_reader r = tdm_reader_of(digest, sizeof digest);

    tdm_sha256_final(s, digest);
    for (size_t i = 0; i < WORDS; i++)
        sum->words[i] += tdm_read_u64(&r);
}

static void hash_number(struct tdm_sha256_stream *s, uint64_t value)
{
    uint8_t bytes[8];
    struct tdm_writer w = tdm_writer_of(bytes, sizeof bytes);

    tdm_write_u64(&w, value);
    tdm_sha256_update(s, bytes, sizeof bytes);
}

static void hash_sum(struct tdm_sha256_stream *s, const struct sum *sum)
{
    for (size_t i = 0; i < WORDS; i++)
        hash_number(s, sum->words[i]);
}

static void hash_actor(struct tdm_sha256_stream *s, const struct tdm_board *b, uint16_t actor)
{
    hash_number(s, actor == BOARD_NO_ACTOR ? UINT64_MAX : b->actors[actor].name);
}

static struct sum sum_values(const struct tdm_board *b, const struct tdm_board_object *o)
{
    struct sum sum = {{0}};

    for (uint16_t i = 0; i < o->reg_count; i++) {
        const struct board_reg *reg = &o->regs[i];
        struct tdm_sha256_stream s;

        tdm_sha256_init(&s);
        hash_number(&s, (uint64_t)reg->prop << 8 | reg->kind);
        hash_actor(&s, b, reg->actor);
        hash_number(&s, reg->seq);
        hash_number(&s, reg->lamport);
        if (reg->kind == TDM_VALUE_INT)
            hash_number(&s, (uint64_t)reg->number);
        else if (reg->kind == TDM_VALUE_REF)
            hash_number(&s, (uint64_t)reg->ref.actor << 32 | reg->ref.seq);
        else
            tdm_sha256_update(&s, reg->bytes, reg->size);
        sum_add(&sum, &s);
    }
    return sum;
}

static void hash_stroke(struct tdm_sha256_stream *s, const struct board_stroke *k)
{
    hash_number(s, k->count);
    hash_number(s, k->sealed);
    if (k->sealed) {
        hash_number(s, k->seal_seq);
        hash_number(s, (uint64_t)k->seal_count << 32 | k->seal_sum);
        hash_number(s, k->broken);
    }
    for (const struct board_ink_chunk *c = k->first; c; c = c->next)
        tdm_sha256_update(s, c->bytes, c->size);
}

static struct sum sum_marks(const struct tdm_board *b, const struct board_item *i)
{
    struct sum sum = {{0}};

    for (const struct board_mark *m = i->marks; m; m = m->next) {
        struct tdm_sha256_stream s;

        tdm_sha256_init(&s);
        hash_actor(&s, b, m->actor);
        hash_number(&s, (uint64_t)m->seq << 1 | m->gone);
        sum_add(&sum, &s);
    }
    return sum;
}

/* Character by character: replicas cut runs at different places. */
static void hash_text(struct tdm_sha256_stream *s, const struct tdm_board *b,
                      const struct board_text *t)
{
    for (const struct board_item *i = t->first; i; i = i->next) {
        struct sum marks = sum_marks(b, i);
        const uint8_t *at = i->text;

        for (uint16_t k = 0; k < i->chars; k++) {
            const uint8_t *end = at + 1;

            while (end < i->text + i->size && (*end & 0xc0) == 0x80)
                end++;
            hash_actor(s, b, i->actor);
            hash_number(s, i->seq + k);
            hash_number(s, i->lamport + k);
            tdm_sha256_update(s, at, (size_t)(end - at));
            hash_sum(s, &marks);
            at = end;
        }
    }
}

static void add_object(struct sum *sum, const struct tdm_board *b, const struct tdm_board_object *o)
{
    struct sum values = sum_values(b, o);
    struct tdm_sha256_stream s;

    tdm_sha256_init(&s);
    hash_number(&s, (uint64_t)o->name << 32 | o->seq);
    hash_number(&s, o->lamport);
    hash_number(&s, o->type);
    hash_sum(&s, &values);
    if (o->stroke)
        hash_stroke(&s, o->stroke);
    if (o->text)
        hash_text(&s, b, o->text);
    sum_add(sum, &s);
}

static void add_other(struct sum *sum, const struct tdm_board *b, const struct board_other *o)
{
    struct tdm_sha256_stream s;

    tdm_sha256_init(&s);
    hash_actor(&s, b, o->actor);
    hash_number(&s, (uint64_t)o->seq << 32 | o->span);
    hash_number(&s, o->lamport);
    hash_number(&s, o->kind);
    tdm_sha256_update(&s, o->bytes, o->size);
    sum_add(sum, &s);
}

void tdm_board_digest(const struct tdm_board *b, uint8_t digest[TDM_BOARD_DIGEST_BYTES])
{
    struct sum sum = {{0}};
    struct tdm_sha256_stream s;

    for (const struct tdm_board_object *o = b->first; o; o = o->next)
        add_object(&sum, b, o);
    for (const struct board_node *n = board_node_lowest(b->others); n; n = board_node_next(n))
        add_other(&sum, b, BOARD_OF(n, const struct board_other, node));
    for (uint32_t i = 1; i < b->actor_count; i++) {
        if (b->actors[i].seq == 0)
            continue;
        tdm_sha256_init(&s);
        hash_number(&s, b->actors[i].name);
        hash_number(&s, b->actors[i].seq);
        sum_add(&sum, &s);
    }
    tdm_sha256_init(&s);
    hash_sum(&s, &sum);
    tdm_sha256_final(&s, digest);
}
