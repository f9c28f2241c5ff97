/* SPDX-License-Identifier: MIT */

/*
 * What a board costs without a network: bytes of a stroke and of a late joiner beside what
 * Excalidraw's messages of the same would be, operations applied a second, a journal opened and
 * replayed. Every row checks what it measures; one that is wrong ends the run.
 *
 *   board_bench [ROUNDS]     a table on stderr, JSON on stdout
 */

#include "bench/board/crowd.h"
#include "board/excalidraw.h"
#include "collab/board_link.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ROUNDS_MAX    101
#define OBJECTS       10000
#define STROKE_POINTS 200
#define STROKE_PIECES 100
#define APPLIED       1000000
#define REPLAYED      100000
#define BYTES_AT_ONCE ((size_t)64 * 1024)

static void same(struct tdm_board_doc *a, struct tdm_board_doc *b)
{
    uint8_t one[TDM_BOARD_DIGEST_BYTES], two[TDM_BOARD_DIGEST_BYTES];

    tdm_board_digest(tdm_board_doc_board(a), one);
    tdm_board_digest(tdm_board_doc_board(b), two);
    demand(memcmp(one, two, sizeof one) == 0, "two boards should be the same and are not");
}

/* --- Two sides -------------------------------------------------------------------------------- */

struct side {
    struct tdm_board_doc *doc;
    void *storage;
    struct tdm_board_link *link;
    uint64_t pulled;
};

static struct side begin_side(struct tdm_board_doc *doc)
{
    void *storage = aligned_alloc(16, (tdm_board_link_bytes_needed() + 15) / 16 * 16);
    struct side s = {.doc = doc, .storage = storage};

    demand(storage != NULL, "no memory");
    s.link = tdm_board_link_init(storage, crowd_document);
    tdm_board_link_start(s.link, tdm_board_doc_board(doc));
    return s;
}

static size_t pass(struct side *from, struct side *to)
{
    static uint8_t bytes[BYTES_AT_ONCE];
    struct tdm_board_link_out out;
    size_t size =
        tdm_board_link_pull(from->link, tdm_board_doc_board(from->doc), bytes, sizeof bytes);

    for (size_t at = 0; at < size;) {
        at += tdm_board_link_take(to->link, tdm_board_doc_board(to->doc), bytes + at, size - at,
                                  &out);
        if (out.event == TDM_BOARD_EV_OPS)
            demand(tdm_board_doc_apply(to->doc, out.data, out.size) == TDM_OK, "not applied");
    }
    from->pulled += size;
    tdm_board_link_acked(from->link, from->pulled);
    return size;
}

/* Until neither has anything to say. */
static size_t settle(struct side *a, struct side *b)
{
    size_t bytes = 0;

    while (tdm_board_link_has(a->link) || tdm_board_link_has(b->link))
        bytes += pass(a, b) + pass(b, a);
    return bytes;
}

static void put_fresh(struct side *s)
{
    size_t size;
    const uint8_t *records = tdm_board_fresh(tdm_board_doc_board(s->doc), &size);

    if (size)
        tdm_board_link_put(s->link, records, size);
    tdm_board_fresh_done(tdm_board_doc_board(s->doc));
}

static void end_side(struct side *s)
{
    tdm_board_doc_close(s->doc);
    free(s->storage);
}

/* --- Rows ------------------------------------------------------------------------------------- */

static struct tdm_board_point stroke_point(int i)
{
    return (struct tdm_board_point){.x = i * 40 + (int32_t)(30 * sin(i / 3.0)),
                                    .y = (int32_t)(1600 * sin(i / 20.0)),
                                    .pressure = (uint8_t)(128 + 60 * sin(i / 30.0)),
                                    .dt_ms = 8};
}

static double stroke_bytes(int pieces)
{
    struct side a = begin_side(open_board(NULL, false)), b = begin_side(open_board(NULL, false));
    const struct tdm_board_value page = tdm_board_ref(TDM_PROP_PAGE, TDM_BOARD_FIRST_PAGE);
    size_t bytes = 0;
    int at = 0;

    (void)settle(&a, &b);
    struct tdm_board_id id = add(a.doc, TDM_BOARD_PEN, &page, 1);

    for (int piece = 0; piece < pieces; piece++) {
        struct tdm_board_point points[STROKE_POINTS];
        int count = STROKE_POINTS / pieces;

        for (int p = 0; p < count; p++)
            points[p] = stroke_point(at++);
        while (again(a.doc, tdm_board_ink(tdm_board_doc_board(a.doc), id, points, (size_t)count)))
            ;
        put_fresh(&a);
        bytes += settle(&a, &b);
    }
    demand(tdm_board_seal(tdm_board_doc_board(a.doc), id) == TDM_OK, "not sealed");
    put_fresh(&a);
    bytes += settle(&a, &b);
    same(a.doc, b.doc);
    end_side(&a);
    end_side(&b);
    return (double)bytes;
}

/* As a mouse of 125 Hz is sent on, and one of 1000 Hz (the hand's beat of 2 ms). */
static double stroke_bytes_slow(void)
{
    return stroke_bytes(STROKE_POINTS);
}

static double stroke_bytes_fast(void)
{
    return stroke_bytes(STROKE_POINTS / 2);
}

/* Excalidraw says an element whole each time that it grew; its JSON without spaces. */
static double stroke_bytes_excalidraw(void)
{
    struct tdm_board_point points[STROKE_POINTS];
    double bytes = 0;

    for (int at = STROKE_POINTS / STROKE_PIECES; at <= STROKE_POINTS;
         at += STROKE_POINTS / STROKE_PIECES) {
        struct tdm_drawing drawing;
        struct tdm_drawing_item *item;
        char *text;
        size_t size, spaces = 0;

        tdm_drawing_init(&drawing);
        item = tdm_drawing_add(&drawing, TDM_BOARD_PEN);
        demand(item != NULL, "no memory");
        for (int i = 0; i < at; i++)
            points[i] = stroke_point(i);
        item->points = points;
        item->point_count = (uint32_t)at;
        demand(tdm_excalidraw_write(&drawing, &text, &size, NULL) == TDM_OK, "no memory");
        const char *begin = strchr(strstr(text, "\"elements\""), '{');
        const char *end = strstr(text, "\"appState\"");

        for (const char *c = begin; c < end; c++)
            spaces += *c == ' ' || *c == '\n';
        bytes += (double)((size_t)(end - begin) - spaces);
        free(text);
        tdm_drawing_free(&drawing);
    }
    return bytes;
}

static struct tdm_board_doc *crowded;

static double join_time, join_bytes;

static double join_ms(void)
{
    struct side a = begin_side(crowded), b = begin_side(open_board(NULL, false));
    double start = seconds();

    join_bytes = (double)settle(&a, &b);
    join_time = seconds() - start;
    same(a.doc, b.doc);
    end_side(&b);
    free(a.storage);
    return join_time * 1e3;
}

static double join_size(void)
{
    (void)join_ms();
    return join_bytes;
}

/* Objects that one side moves about, at another side. */
static double applied_per_second(void)
{
    struct tdm_board_doc *a = open_board(NULL, false), *b = open_board(NULL, false);
    struct tdm_board *from = tdm_board_doc_board(a);
    struct tdm_board_figures figures;
    struct tdm_board_id ids[1000];
    double spent = 0;
    int done = 0;

    for (size_t i = 0; i < 1000; i++) {
        const struct tdm_board_value page = tdm_board_ref(TDM_PROP_PAGE, TDM_BOARD_FIRST_PAGE);

        ids[i] = add(a, TDM_BOARD_RECTANGLE, &page, 1);
    }
    while (done < APPLIED) {
        const struct tdm_board_value x = tdm_board_int(TDM_PROP_X, done + 1);
        enum tdm_err err = tdm_board_set(from, ids[done % 1000], &x, 1);
        size_t size;

        done += err == TDM_OK;
        if (err == TDM_OK && done < APPLIED)
            continue;
        if (err == TDM_E_SPACE)
            demand(tdm_board_doc_room(a, TDM_BOARD_ROOM) == TDM_OK, "no memory");
        const uint8_t *records = tdm_board_fresh(from, &size);
        double start = seconds();

        demand(!size || tdm_board_doc_apply(b, records, size) == TDM_OK, "not applied");
        spent += seconds() - start;
        tdm_board_fresh_done(from);
    }
    same(a, b);
    tdm_board_figures(tdm_board_doc_board(b), &figures);
    demand(figures.operations >= APPLIED, "operations are missing");
    tdm_board_doc_close(a);
    tdm_board_doc_close(b);
    return APPLIED / spent;
}

/* --- The journal ------------------------------------------------------------------------------ */

static char journal[128];

static void make_journal(void)
{
    struct tdm_board_doc *doc = open_board(journal, false);
    tdm_time now = 0;

    /* A step for each edit of a few: journaled as a hand draws, not as one piece. */
    for (int i = 0; i < REPLAYED; i++) {
        const struct tdm_board_value values[] = {tdm_board_ref(TDM_PROP_PAGE, TDM_BOARD_FIRST_PAGE),
                                                 tdm_board_int(TDM_PROP_X, i)};

        (void)add(doc, TDM_BOARD_RECTANGLE, values, 1 + (size_t)(i & 1));
        (void)tdm_board_doc_step(doc, now += 10 * TDM_MS);
    }
    tdm_board_doc_close(doc);
}

static double open_ms(void)
{
    double start = seconds();
    struct tdm_board_doc *doc = open_board(journal, false);
    double spent = seconds() - start;
    struct tdm_board_figures figures;

    tdm_board_figures(tdm_board_doc_board(doc), &figures);
    demand(figures.objects >= REPLAYED, "the journal lacks objects");
    tdm_board_doc_close(doc);
    return spent * 1e3;
}

/* From the first record on, however many snapshots there are. */
static double replay_ms(void)
{
    double start = seconds();
    struct tdm_board_doc *doc = open_board(journal, true);
    struct tdm_board_figures figures;
    int64_t wall_ms;

    while (tdm_board_doc_replay(doc, &wall_ms))
        ;
    double spent = seconds() - start;

    tdm_board_figures(tdm_board_doc_board(doc), &figures);
    demand(figures.objects >= REPLAYED, "the replay lacks objects");
    tdm_board_doc_close(doc);
    return spent * 1e3;
}

/* --- Report ----------------------------------------------------------------------------------- */

static const struct row {
    const char *name, *unit;
    double (*measure)(void);
    double goal; /* 0: it is only to compare with. Below 0: so much or more. */
} rows[] = {
    {"stroke_200_each_alone", "bytes", stroke_bytes_slow, 2048},
    {"stroke_200_in_pairs", "bytes", stroke_bytes_fast, 2048},
    {"scene_json_by_our_writer", "bytes", stroke_bytes_excalidraw, 0},
    {"late_join_10000_objects", "bytes", join_size, 300000},
    {"late_join_10000_objects", "ms", join_ms, 200},
    {"operations_applied", "per_s", applied_per_second, -1e6},
    {"open_100000_operations", "ms", open_ms, 1000},
    {"replay_100000_operations", "ms", replay_ms, 1000},
};

static int by_size(const void *a, const void *b)
{
    const double *x = a, *y = b;

    return (*x > *y) - (*x < *y);
}

static void report(const struct row *row, int rounds, bool first)
{
    double values[ROUNDS_MAX];
    char goal[32] = "";

    for (int i = 0; i < rounds; i++)
        values[i] = row->measure();
    qsort(values, (size_t)rounds, sizeof *values, by_size);
    double middle = values[rounds / 2];
    bool met = row->goal < 0 ? middle >= -row->goal : middle <= row->goal;

    if (row->goal != 0)
        (void)snprintf(goal, sizeof goal, "%.0f", fabs(row->goal));
    fprintf(stderr, "%-26s %-6s %12.1f %12.1f %12.1f  %-8s %s\n", row->name, row->unit, values[0],
            middle, values[rounds - 1], goal,
            !*goal ? ""
            : met  ? "met"
                   : "not met");
    printf("%s\n  {\"row\": \"%s\", \"unit\": \"%s\", \"min\": %.3f, \"median\": %.3f, "
           "\"max\": %.3f, \"goal\": %s}",
           first ? "" : ",", row->name, row->unit, values[0], middle, values[rounds - 1],
           *goal ? goal : "null");
}

int main(int argc, char **argv)
{
    int rounds = argc > 1 ? (int)strtol(argv[1], NULL, 10) : 5;
    char folder[] = "/tmp/board-bench-XXXXXX";

    if (rounds < 1 || rounds > ROUNDS_MAX) {
        fprintf(stderr, "usage: board_bench [ROUNDS (1 to %d)]\n", ROUNDS_MAX);
        return 2;
    }
    demand(mkdtemp(folder) != NULL, "no folder for a journal");
    (void)snprintf(journal, sizeof journal, "%s/a.board", folder);
    make_journal();
    crowded = open_board(NULL, false);
    crowd(crowded, OBJECTS);
    fprintf(stderr, "%-26s %-6s %12s %12s %12s  %s\n", "", "", "min", "median", "max", "goal");
    printf("{\"bench\": \"board\", \"rounds\": %d, \"rows\": [", rounds);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        report(&rows[i], rounds, i == 0);
    printf("\n]}\n");
    tdm_board_doc_close(crowded);
    (void)unlink(journal);
    (void)rmdir(folder);
    return 0;
}
