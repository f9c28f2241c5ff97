/* SPDX-License-Identifier: MIT */
/*
 * Boards of two and three people that edit, lose each other, get things twice, late and in another
 * order, die and come back from what others have, or from as much of a journal as reached the disk:
 * in the end all read the same, byte by byte.
 *
 *     sim.board FIRST COUNT     prints the command line of each seed that failed
 */

#include "collab/board.h"
#include "engine/base/rng.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SIDES_MAX 3
#define BLOCKS    64
#define MAIL_MAX  512
#define KNOWN_MAX 64
#define LINES_MAX 256

/* Records on their way to a side. */
struct letter {
    uint8_t *bytes;
    size_t size;
};

/* What a side wrote down, call by call. */
struct journal {
    uint8_t *bytes;
    size_t size, room;
    size_t ends[LINES_MAX];
    size_t lines;
};

struct side {
    struct tdm_board *board;
    struct journal journal;
    void *blocks[BLOCKS];
    size_t block_count;
    struct letter mail[MAIL_MAX];
    size_t mail_count;
    uint32_t depth; /* Of begun steps. */
};

struct world {
    struct tdm_rng rng;
    struct side sides[SIDES_MAX];
    size_t side_count;
    uint32_t next_actor;
    const char *why;
    uint64_t edits, undone;
};

/* Memory that the last schedule used, again: new pages would be most of the work. */
struct spare {
    void *pieces[(SIDES_MAX + 1) * BLOCKS];
    size_t count;
};
static struct spare spare_boards, spare_blocks;

static void *take_spare(struct spare *spare, size_t size)
{
    void *piece = spare->count ? spare->pieces[--spare->count] : malloc(size);

    assert(piece);
    return piece;
}

static void put_spare(struct spare *spare, void *piece)
{
    assert(spare->count < sizeof spare->pieces / sizeof *spare->pieces);
    spare->pieces[spare->count++] = piece;
}

static void give(struct side *s)
{
    assert(s->block_count < BLOCKS);
    s->blocks[s->block_count] = take_spare(&spare_blocks, TDM_BOARD_BLOCK_MIN);
    tdm_board_give(s->board, s->blocks[s->block_count++], TDM_BOARD_BLOCK_MIN);
}

static void side_open(struct world *w, struct side *s)
{
    void *storage = take_spare(&spare_boards, tdm_board_bytes_needed());

    s->board = tdm_board_init(storage, w->next_actor++);
}

static void side_close(struct side *s)
{
    put_spare(&spare_boards, s->board);
    while (s->block_count)
        put_spare(&spare_blocks, s->blocks[--s->block_count]);
    while (s->mail_count)
        free(s->mail[--s->mail_count].bytes);
    s->depth = 0;
}

static void post(struct world *w, struct side *to, const uint8_t *bytes, size_t size)
{
    struct letter *l;

    if (to->mail_count == MAIL_MAX || size == 0 || tdm_rng_chance(&w->rng, 0.1))
        return; /* Lost. */
    l = &to->mail[to->mail_count++];
    l->bytes = malloc(size);
    assert(l->bytes);
    l->size = size;
    memcpy(l->bytes, bytes, size);
}

static void write_down(struct side *s, const uint8_t *bytes, size_t size)
{
    struct journal *j = &s->journal;

    if (size == 0 || j->lines == LINES_MAX)
        return; /* A full disk: the rest is never found again. */
    if (j->size + size > j->room) {
        j->room = 2 * (j->size + size);
        j->bytes = realloc(j->bytes, j->room);
        assert(j->bytes);
    }
    memcpy(j->bytes + j->size, bytes, size);
    j->ends[j->lines++] = j->size += size;
}

static void apply(struct world *w, struct side *s, const uint8_t *bytes, size_t size)
{
    enum tdm_err err;

    write_down(s, bytes, size);
    while ((err = tdm_board_apply(s->board, bytes, size, NULL)) == TDM_E_SPACE)
        give(s);
    if (err != TDM_OK)
        w->why = "what a board said was refused";
}

/* A letter out of the bag: in any order, now and then twice. */
static void deliver(struct world *w, struct side *s)
{
    size_t at;
    struct letter l;

    if (!s->mail_count)
        return;
    at = tdm_rng_below(&w->rng, (uint32_t)s->mail_count);
    l = s->mail[at];
    apply(w, s, l.bytes, l.size);
    if (tdm_rng_chance(&w->rng, 0.2))
        return;
    free(l.bytes);
    s->mail[at] = s->mail[--s->mail_count];
}

static void send_fresh(struct world *w, struct side *s)
{
    size_t size;
    const uint8_t *bytes = tdm_board_fresh(s->board, &size);

    write_down(s, bytes, size);
    for (size_t i = 0; i < w->side_count; i++)
        if (&w->sides[i] != s)
            post(w, &w->sides[i], bytes, size);
    tdm_board_fresh_done(s->board);
}

static struct tdm_board_id pick(struct world *w, const struct side *s)
{
    const struct tdm_board_object *o = tdm_board_first(s->board);
    uint32_t skip = tdm_rng_below(&w->rng, 24);

    for (; skip && o && tdm_board_next(o); skip--)
        o = tdm_board_next(o);
    return o ? tdm_board_id_of(o) : TDM_BOARD_FIRST_PAGE;
}

static struct tdm_board_value value(struct world *w, const struct side *s)
{
    static const uint8_t name[] = {'a', 'b', 'c', 0xc3, 0xa9};

    switch (tdm_rng_below(&w->rng, 9)) {
    case 0:
        return tdm_board_int(TDM_PROP_X, (int64_t)tdm_rng_below(&w->rng, 100000) - 50000);
    case 1:
        return tdm_board_int(TDM_PROP_Y, (int64_t)(tdm_rng_u64(&w->rng) >> 1));
    case 2:
        return tdm_board_int(TDM_PROP_COLOUR, tdm_rng_u32(&w->rng));
    case 3:
        return tdm_board_int(TDM_PROP_DELETED, tdm_rng_below(&w->rng, 2));
    case 4:
        return tdm_board_ref(TDM_PROP_PARENT, pick(w, s)); /* Cycles, too. */
    case 5:
        return tdm_board_ref(TDM_PROP_PAGE, pick(w, s));
    case 6:
        return tdm_board_bytes(TDM_PROP_NAME, name, tdm_rng_below(&w->rng, 4));
    case 7:
        return tdm_board_bytes((enum tdm_board_prop)(40 + tdm_rng_below(&w->rng, 5)), name, 3);
    default:
        return tdm_board_int(TDM_PROP_ANGLE, tdm_rng_below(&w->rng, 70000));
    }
}

static enum tdm_err add(struct world *w, struct side *s)
{
    static const enum tdm_board_type types[] = {
        TDM_BOARD_PEN,  TDM_BOARD_TEXT,      TDM_BOARD_NOTE,         TDM_BOARD_GROUP,
        TDM_BOARD_PAGE, TDM_BOARD_RECTANGLE, (enum tdm_board_type)77};
    struct tdm_board_value values[2] = {tdm_board_ref(TDM_PROP_PAGE, tdm_rng_chance(&w->rng, 0.8)
                                                                         ? TDM_BOARD_FIRST_PAGE
                                                                         : pick(w, s)),
                                        value(w, s)};
    struct tdm_board_id id;

    return tdm_board_add(s->board, types[tdm_rng_below(&w->rng, 7)], values, 2, &id);
}

static enum tdm_err ink(struct world *w, struct side *s)
{
    struct tdm_board_point points[8];
    size_t count = 1 + tdm_rng_below(&w->rng, 8);

    for (size_t i = 0; i < count; i++)
        points[i] = (struct tdm_board_point){
            (int32_t)tdm_rng_below(&w->rng, 4000), (int32_t)tdm_rng_u32(&w->rng) / 7,
            (uint8_t)tdm_rng_u32(&w->rng), (uint16_t)tdm_rng_below(&w->rng, 50)};
    return tdm_board_ink(s->board, pick(w, s), points, count);
}

static enum tdm_err type_text(struct world *w, struct side *s)
{
    static const char *const texts[] = {
        "a", "hello", "\xc3\xa4\xc3\xb6", "\xe4\xb8\xad\xe6\x96\x87", "\xf0\x9f\x99\x82 x", "1\n2"};
    const char *text = texts[tdm_rng_below(&w->rng, 6)];

    return tdm_board_text_insert(s->board, pick(w, s), tdm_rng_below(&w->rng, 30), text,
                                 strlen(text));
}

static void edit(struct world *w, struct side *s)
{
    struct tdm_board_undone undone;
    struct tdm_board_value v;
    enum tdm_err err = TDM_OK;
    uint32_t what = tdm_rng_below(&w->rng, 20);

    while (tdm_board_room(s->board) < TDM_BOARD_ROOM)
        give(s);
    if (what == 0)
        tdm_board_begin(s->board), s->depth++;
    else if (what == 1 && s->depth)
        tdm_board_end(s->board), s->depth--;
    else if (what < 6)
        err = add(w, s);
    else if (what < 10)
        v = value(w, s), err = tdm_board_set(s->board, pick(w, s), &v, 1);
    else if (what < 12)
        err = ink(w, s);
    else if (what == 12)
        err = tdm_board_seal(s->board, pick(w, s));
    else if (what < 16)
        err = type_text(w, s);
    else if (what == 16)
        err = tdm_board_text_delete(s->board, pick(w, s), tdm_rng_below(&w->rng, 20),
                                    tdm_rng_below(&w->rng, 8));
    else if (what == 17)
        err = tdm_board_delete(s->board, pick(w, s));
    else if (what == 18)
        err = tdm_board_undo(s->board, &undone), w->undone++;
    else
        err = tdm_board_redo(s->board, &undone);
    if (err == TDM_E_SPACE)
        w->why = "an edit found no room";
    if (err == TDM_E_AGAIN)
        send_fresh(w, s);
    w->edits++;
}

/* What `to` lacks of `from`, whole or in pieces. */
static void sync(struct world *w, struct side *from, struct side *to, bool whole)
{
    static uint8_t room[TDM_BOARD_SINCE_MIN];
    static struct tdm_board_since since;
    struct tdm_board_version known[KNOWN_MAX];
    size_t count = whole ? 0 : tdm_board_versions(to->board, known, KNOWN_MAX);

    since = (struct tdm_board_since){.known = known, .known_count = count};
    while (!since.done) {
        size_t size = tdm_board_since(from->board, &since, room, sizeof room);

        apply(w, to, room, size);
    }
}

/* Comes back with as much of the journal as reached the disk. */
static void read_journal(struct world *w, struct side *s)
{
    struct journal old = s->journal;
    size_t lines = old.lines - tdm_rng_below(&w->rng, old.lines < 4 ? (uint32_t)old.lines + 1 : 4);

    s->journal = (struct journal){0};
    for (size_t i = 0, at = 0; i < lines; at = old.ends[i++])
        apply(w, s, old.bytes + at, old.ends[i] - at);
    free(old.bytes);
}

/* Dies without a word, and comes back as somebody new with what another has, or with its journal.
 * What it never told anybody nor wrote down is gone. */
static void die(struct world *w, struct side *s)
{
    struct side *other = &w->sides[tdm_rng_below(&w->rng, (uint32_t)w->side_count)];

    side_close(s);
    side_open(w, s);
    if (other == s) {
        read_journal(w, s);
        return;
    }
    s->journal.size = s->journal.lines = 0;
    sync(w, other, s, true);
}

static void compare(struct world *w)
{
    uint8_t first[TDM_BOARD_DIGEST_BYTES], digest[TDM_BOARD_DIGEST_BYTES];

    for (int round = 0; round < 4; round++) /* What comes may free what waits elsewhere. */
        for (size_t i = 0; i < w->side_count; i++)
            for (size_t k = 0; k < w->side_count; k++)
                if (i != k)
                    sync(w, &w->sides[i], &w->sides[k], false);
    tdm_board_digest(w->sides[0].board, first);
    for (size_t i = 1; i < w->side_count; i++) {
        tdm_board_digest(w->sides[i].board, digest);
        if (memcmp(first, digest, sizeof first) != 0)
            w->why = "the boards differ";
    }
    /* A late joiner has the same from a snapshot alone, and from old letters makes the same, too:
     * there may be words of the dead in them. */
    struct side late = {0};

    side_open(w, &late);
    sync(w, &w->sides[0], &late, true);
    tdm_board_digest(late.board, digest);
    if (memcmp(first, digest, sizeof first) != 0)
        w->why = "a late joiner differs";
    for (size_t i = 0; i < w->sides[0].mail_count; i++) {
        apply(w, &w->sides[0], w->sides[0].mail[i].bytes, w->sides[0].mail[i].size);
        apply(w, &late, w->sides[0].mail[i].bytes, w->sides[0].mail[i].size);
    }
    sync(w, &w->sides[0], &late, false); /* What had waited there for those. */
    tdm_board_digest(w->sides[0].board, first);
    tdm_board_digest(late.board, digest);
    if (memcmp(first, digest, sizeof first) != 0)
        w->why = "old letters made a difference";
    side_close(&late);
    free(late.journal.bytes);
}

static const char *run(uint64_t seed, uint64_t *edits, uint64_t *undone)
{
    struct world w = {.rng = tdm_rng_of(seed), .next_actor = 1000 + (uint32_t)seed % 1000 * 100};
    uint32_t steps = 20 + tdm_rng_below(&w.rng, 120);

    w.side_count = 2 + tdm_rng_below(&w.rng, 2);
    for (size_t i = 0; i < w.side_count; i++)
        side_open(&w, &w.sides[i]);
    for (uint32_t i = 0; i < steps && !w.why; i++) {
        struct side *s = &w.sides[tdm_rng_below(&w.rng, (uint32_t)w.side_count)];
        uint32_t what = tdm_rng_below(&w.rng, 100);

        if (what < 60)
            edit(&w, s);
        else if (what < 75)
            send_fresh(&w, s);
        else if (what < 97)
            deliver(&w, s);
        else if (what < 99)
            sync(&w, &w.sides[0], &w.sides[1], tdm_rng_chance(&w.rng, 0.3));
        else
            die(&w, s);
    }
    if (!w.why)
        compare(&w);
    for (size_t i = 0; i < w.side_count; i++) {
        side_close(&w.sides[i]);
        free(w.sides[i].journal.bytes);
    }
    *edits += w.edits;
    *undone += w.undone;
    return w.why;
}

int main(int argc, char **argv)
{
    uint64_t first = argc > 1 ? strtoull(argv[1], NULL, 10) : 1;
    uint64_t count = argc > 2 ? strtoull(argv[2], NULL, 10) : 2000;
    uint64_t failed = 0, edits = 0, undone = 0;

    for (uint64_t seed = first; seed < first + count; seed++) {
        const char *why = run(seed, &edits, &undone);

        if (why) {
            printf("%s %llu 1    # %s\n", argv[0], (unsigned long long)seed, why);
            failed++;
        }
    }
    printf("%llu schedules, %llu edits, %llu undone: %llu failed\n", (unsigned long long)count,
           (unsigned long long)edits, (unsigned long long)undone, (unsigned long long)failed);
    return failed != 0;
}
