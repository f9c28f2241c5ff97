/* SPDX-License-Identifier: MIT */
/* A board takes what others did: as operations one by one, many in a record, or as a snapshot of
 * what stands in the end. */
#include "bench/micro/micro.h"
#include "collab/board.h"
#include "engine/base/bytes.h"

#include <assert.h>
#include <string.h>

#define EDITS      50000
#define OBJECTS    10000
#define BYTES_EACH 64 /* Of an operation with a head of its own, at most in the mean. */

struct taking {
    void *storage, *memory;
    size_t memory_size;
    struct tdm_board *board;
    uint8_t *streams[2];
    size_t sizes[2];
};

/* Puts what is fresh behind a stream. */
static void drain(struct tdm_board *b, uint8_t *stream, size_t *size)
{
    size_t more;
    const uint8_t *fresh = tdm_board_fresh(b, &more);

    memcpy(stream + *size, fresh, more);
    *size += more;
    tdm_board_fresh_done(b);
}

static struct tdm_board *new_board(struct taking *t, uint32_t actor)
{
    struct tdm_board *b = tdm_board_init(t->storage, actor);

    tdm_board_give(b, t->memory, t->memory_size);
    return b;
}

static enum tdm_err add(struct tdm_board *b, struct tdm_rng *rng, enum tdm_board_type type,
                        struct tdm_board_id *id)
{
    const struct tdm_board_value values[] = {
        tdm_board_ref(TDM_PROP_PAGE, TDM_BOARD_FIRST_PAGE),
        tdm_board_int(TDM_PROP_X, tdm_rng_below(rng, 60000)),
        tdm_board_int(TDM_PROP_Y, tdm_rng_below(rng, 40000)),
        tdm_board_int(TDM_PROP_W, tdm_rng_below(rng, 3000)),
        tdm_board_int(TDM_PROP_H, tdm_rng_below(rng, 3000)),
        tdm_board_int(TDM_PROP_COLOUR, 0x1971c2ff + ((int64_t)tdm_rng_below(rng, 6) << 8)),
    };

    return tdm_board_add(b, type, values, sizeof values / sizeof *values, id);
}

/* What a hand does: new shapes, things moved, ink, words. */
static enum tdm_err edit(struct tdm_board *b, struct tdm_rng *rng, struct tdm_board_id *last,
                         struct tdm_board_id *pen, struct tdm_board_id *note)
{
    uint32_t what = tdm_rng_below(rng, 16);
    const struct tdm_board_value to[] = {
        tdm_board_int(TDM_PROP_X, tdm_rng_below(rng, 60000)),
        tdm_board_int(TDM_PROP_Y, tdm_rng_below(rng, 40000)),
    };
    const struct tdm_board_point points[] = {
        {(int32_t)tdm_rng_below(rng, 900), (int32_t)tdm_rng_below(rng, 900), 120, 8},
        {(int32_t)tdm_rng_below(rng, 900), (int32_t)tdm_rng_below(rng, 900), 130, 8},
    };

    if (what < 2 || !last->seq)
        return add(b, rng, TDM_BOARD_RECTANGLE, last);
    if (what == 2 || !pen->seq)
        return add(b, rng, TDM_BOARD_PEN, pen);
    if (what == 3 || !note->seq)
        return add(b, rng, TDM_BOARD_NOTE, note);
    if (what < 10)
        return tdm_board_set(b, *last, to, 2);
    return what < 13 ? tdm_board_ink(b, *pen, points, 2)
                     : tdm_board_text_insert(b, *note, tdm_rng_below(rng, 40), "word", 4);
}

static bool operations_variant(size_t at, struct micro_variant *variant)
{
    *variant = (struct micro_variant){at ? "in few records" : "one by one", true};
    return at < 2;
}

static bool take_memory(struct micro_case *c, struct taking *t, size_t edits)
{
    t->memory_size = ((size_t)1 << 20) + edits * 1024;
    t->storage = micro_take(c, tdm_board_bytes_needed(), 0);
    t->memory = micro_take(c, t->memory_size, 0);
    for (int i = 0; i < 2; i++)
        t->streams[i] = micro_take(c, edits * BYTES_EACH + 2 * TDM_BOARD_SINCE_MIN, 0);
    c->items = (double)edits;
    c->out_size = TDM_BOARD_DIGEST_BYTES;
    c->out = micro_take(c, c->out_size, 0);
    return true;
}

static bool make_operations(struct micro_case *c)
{
    struct taking *t = c->state = micro_take(c, sizeof *t, 0);
    uint32_t edits = c->timed ? EDITS : micro_between(c, 1, 400);
    struct tdm_rng script = tdm_rng_of(tdm_rng_u64(&c->rng));

    (void)take_memory(c, t, edits);
    for (int whole = 0; whole < 2; whole++) {
        struct tdm_board *b = new_board(t, 1);
        struct tdm_board_id last = {0}, pen = {0}, note = {0};
        struct tdm_rng rng = script;
        size_t waiting = 0;

        for (uint32_t i = 0; i < edits; i++) {
            if (edit(b, &rng, &last, &pen, &note) != TDM_OK)
                return false;
            (void)tdm_board_fresh(b, &waiting);
            if (!whole || waiting > TDM_BOARD_FRESH_BYTES / 2)
                drain(b, t->streams[whole], &t->sizes[whole]);
        }
        drain(b, t->streams[whole], &t->sizes[whole]);
    }
    return true;
}

static bool join_variant(size_t at, struct micro_variant *variant)
{
    *variant = (struct micro_variant){at ? "a snapshot" : "operations", true};
    return at < 2;
}

static bool make_join(struct micro_case *c)
{
    static struct tdm_board_since since;
    struct taking *t = c->state = micro_take(c, sizeof *t, 0);
    uint32_t objects = c->timed ? OBJECTS : micro_between(c, 1, 200);

    (void)take_memory(c, t, objects);
    struct tdm_board *b = new_board(t, 1);

    for (uint32_t i = 0; i < objects; i++) {
        struct tdm_board_id id;

        if (add(b, &c->rng, (enum tdm_board_type)(TDM_BOARD_RECTANGLE + (int)(i % 3)), &id) !=
            TDM_OK)
            return false;
        drain(b, t->streams[0], &t->sizes[0]);
    }
    for (since = (struct tdm_board_since){0}; !since.done;)
        t->sizes[1] += tdm_board_since(b, &since, t->streams[1] + t->sizes[1], TDM_BOARD_SINCE_MIN);
    return true;
}

static void prepare(struct micro_case *c, size_t variant)
{
    struct taking *t = c->state;

    (void)variant;
    t->board = new_board(t, 2);
}

static void run(struct micro_case *c, size_t variant)
{
    struct taking *t = c->state;
    struct tdm_board_figures figures;

    if (tdm_board_apply(t->board, t->streams[variant], t->sizes[variant], NULL) != TDM_OK)
        return;
    if (!c->timed) {
        tdm_board_digest(t->board, c->out);
        return;
    }
    struct tdm_writer w = tdm_writer_of(c->out, c->out_size);

    tdm_board_figures(t->board, &figures);
    tdm_write_u32(&w, figures.objects);
}

static const struct micro_routine rows[] = {
    {.name = "board.apply",
     .shape = "50,000 operations",
     .variant = operations_variant,
     .make = make_operations,
     .prepare = prepare,
     .run = run,
     .once = true},
    {.name = "board.join",
     .shape = "10,000 objects",
     .variant = join_variant,
     .make = make_join,
     .prepare = prepare,
     .run = run,
     .once = true},
};
const struct micro_list micro_board = {rows, sizeof rows / sizeof *rows};
