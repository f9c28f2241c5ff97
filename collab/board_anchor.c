/* SPDX-License-Identifier: MIT */
#include "collab/board_anchor.h"

#include <string.h>

#define UNIT    16        /* Of a place, in a pixel. */
#define VECTORS 8         /* Of a frame; the wire knows fewer. */
#define FAR     (1 << 20) /* Pixels: nothing is beyond. */

/* Edges, wide enough for whatever stands in a rectangle. */
struct box {
    int64_t left, top, right, bottom;
};

/* What went one way in one frame. */
struct way {
    int64_t dx, dy;
    int64_t moved;   /* Pixels. */
    int64_t taken;   /* Pixels of the square that went. */
    struct box to;   /* Around all that it went to, */
    struct box pane; /* and all that it came from, too. */
};

void tdm_anchors_init(struct tdm_anchors *a)
{
    memset(a, 0, sizeof *a);
}

void tdm_anchors_size(struct tdm_anchors *a, uint8_t surface, int width, int height)
{
    a->surfaces[surface % TDM_SCREEN_SURFACES_MAX].width = width;
    a->surfaces[surface % TDM_SCREEN_SURFACES_MAX].height = height;
}

static int held(int value)
{
    return value < -FAR ? -FAR : value > FAR ? FAR : value;
}

void tdm_anchors_moved(struct tdm_anchors *a, const struct tdm_screen_move *moves, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        a->moves[a->count++ % TDM_ANCHOR_MOVES] =
            (struct tdm_screen_move){.frame_id = moves[i].frame_id,
                                     .surface = moves[i].surface,
                                     .dx = held(moves[i].dx),
                                     .dy = held(moves[i].dy),
                                     .to = {held(moves[i].to.x), held(moves[i].to.y),
                                            held(moves[i].to.width), held(moves[i].to.height)}};
}

struct tdm_board_anchor tdm_anchor_of(const struct tdm_anchor_place *place, uint32_t frame)
{
    return (struct tdm_board_anchor){
        .surface = place->surface, .generation = frame, .x = place->x, .y = place->y};
}

static int64_t most(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int32_t on_board(int64_t units)
{
    return (int32_t)most(least(units, TDM_BOARD_FAR), -TDM_BOARD_FAR);
}

struct tdm_anchor_place tdm_anchor_place_of(const struct tdm_board_anchor *anchor)
{
    return (struct tdm_anchor_place){.surface =
                                         (uint8_t)(anchor->surface % TDM_SCREEN_SURFACES_MAX),
                                     .frame = anchor->generation,
                                     .x = on_board(anchor->x),
                                     .y = on_board(anchor->y)};
}

static struct box both(struct box a, struct box b)
{
    return (struct box){most(a.left, b.left), most(a.top, b.top), least(a.right, b.right),
                        least(a.bottom, b.bottom)};
}

static struct box around(struct box a, struct box b)
{
    return (struct box){least(a.left, b.left), least(a.top, b.top), most(a.right, b.right),
                        most(a.bottom, b.bottom)};
}

static int64_t area(struct box b)
{
    return b.right > b.left && b.bottom > b.top ? (b.right - b.left) * (b.bottom - b.top) : 0;
}

static struct box box_of(const struct tdm_screen_rect *r)
{
    return (struct box){r->x, r->y, (int64_t)r->x + r->width, (int64_t)r->y + r->height};
}

static struct box shifted(struct box b, int64_t dx, int64_t dy)
{
    return (struct box){b.left + dx, b.top + dy, b.right + dx, b.bottom + dy};
}

static bool holds(struct box b, const struct tdm_anchor_place *p)
{
    return p->x >= b.left * UNIT && p->x < b.right * UNIT && p->y >= b.top * UNIT &&
           p->y < b.bottom * UNIT;
}

/* The square around a point, as far as it is on the surface. */
static struct box window_of(const struct tdm_anchors *a, const struct tdm_anchor_place *p)
{
    int64_t x = p->x / UNIT, y = p->y / UNIT;
    int width = a->surfaces[p->surface].width, height = a->surfaces[p->surface].height;
    struct box w = {x - TDM_ANCHOR_WINDOW / 2, y - TDM_ANCHOR_WINDOW / 2, x + TDM_ANCHOR_WINDOW / 2,
                    y + TDM_ANCHOR_WINDOW / 2};

    return width > 0 && height > 0 ? both(w, (struct box){0, 0, width, height}) : w;
}

/* The ways of a frame, one for each vector. @return how many. */
static int ways_of(const struct tdm_anchors *a, uint32_t from, uint32_t to, struct box window,
                   struct way ways[VECTORS])
{
    int count = 0;

    for (uint32_t i = from; i != to; i++) {
        const struct tdm_screen_move *m = &a->moves[i % TDM_ANCHOR_MOVES];
        struct box there = box_of(&m->to), here = shifted(there, -(int64_t)m->dx, -(int64_t)m->dy);
        int w = 0;

        while (w < count && (ways[w].dx != m->dx || ways[w].dy != m->dy))
            w++;
        if (w == VECTORS)
            continue;
        if (w == count)
            ways[count++] = (struct way){m->dx, m->dy, 0, 0, there, there};
        ways[w].moved += area(there);
        ways[w].taken += area(both(window, here));
        ways[w].to = around(ways[w].to, there);
        ways[w].pane = around(ways[w].pane, around(there, here));
    }
    return count;
}

/* All of a pane went, and not only pieces here and there. */
static bool is_pane(const struct way *w)
{
    return area(w->pane) >= 2 * (int64_t)TDM_ANCHOR_WINDOW * TDM_ANCHOR_WINDOW &&
           w->moved * 8 >= area(w->to) * 5;
}

static void shift(struct tdm_anchor_place *p, const struct way *w)
{
    p->x = on_board(p->x + w->dx * UNIT);
    p->y = on_board(p->y + w->dy * UNIT);
}

/* Something that left its pane goes where the pane goes. */
static void go_unseen(struct tdm_anchor_place *p, const struct way *ways, int count)
{
    struct box pane = box_of(&p->pane);

    for (int i = 0; i < count; i++) {
        int64_t common = area(both(pane, ways[i].pane));

        if (!is_pane(&ways[i]) || common * 2 <= area(pane) || common * 3 <= area(ways[i].pane))
            continue;
        shift(p, &ways[i]);
        p->away = !holds(pane, p);
        return;
    }
}

/* A part of the same scroll took it along in the frame before: it is where it belongs. */
static bool went_before(const struct way *w, const struct tdm_anchor_place *p,
                        const struct tdm_anchor_place *next)
{
    return p->moved_at && p->frame - p->moved_at <= 2 && p->dx == w->dx && p->dy == w->dy &&
           holds(box_of(&p->pane), next);
}

/* It was in the pane, and goes where nothing of it went. */
static bool leaves(const struct way *w, const struct tdm_anchor_place *p, struct box window)
{
    struct tdm_anchor_place next = *p;

    shift(&next, w);
    return is_pane(w) && holds(w->pane, p) && !holds(w->pane, &next) &&
           area(both(window, w->pane)) * 2 > area(window) && !went_before(w, p, &next);
}

/* How much of the square goes this way; 0: too little. In a pane's corner there is less of it. */
static int64_t score_of(const struct way *w, const struct tdm_anchor_place *p, struct box window)
{
    int64_t common = area(both(window, w->pane));

    if (leaves(w, p, window))
        return common;
    if (w->taken * 2 > area(window) ||
        (is_pane(w) && w->taken * 2 > common && w->taken * 4 > area(window)))
        return w->taken;
    return 0;
}

static void go(struct tdm_anchor_place *p, const struct way *ways, int count, struct box window)
{
    const struct way *best = NULL;
    int64_t best_score = 0;

    for (int i = 0; i < count; i++) {
        int64_t score = score_of(&ways[i], p, window);

        if (score > best_score) {
            best = &ways[i];
            best_score = score;
        }
    }
    if (!best)
        return;
    p->away = leaves(best, p, window);
    shift(p, best);
    p->moved_at = is_pane(best) ? p->frame : 0;
    p->dx = (int)best->dx;
    p->dy = (int)best->dy;
    p->pane = (struct tdm_screen_rect){(int)best->pane.left, (int)best->pane.top,
                                       (int)(best->pane.right - best->pane.left),
                                       (int)(best->pane.bottom - best->pane.top)};
}

bool tdm_anchor_follow(const struct tdm_anchors *a, struct tdm_anchor_place *p)
{
    struct tdm_anchor_place before = *p;
    uint32_t first = a->count;
    struct way ways[VECTORS];

    p->surface %= TDM_SCREEN_SURFACES_MAX;
    while (first && a->count - first < TDM_ANCHOR_MOVES &&
           (int32_t)(a->moves[(first - 1) % TDM_ANCHOR_MOVES].frame_id - p->frame) > 0)
        first--;
    for (uint32_t i = first, end; i != a->count; i = end) {
        const struct tdm_screen_move *m = &a->moves[i % TDM_ANCHOR_MOVES];

        for (end = i + 1; end != a->count; end++) {
            const struct tdm_screen_move *next = &a->moves[end % TDM_ANCHOR_MOVES];

            if (next->frame_id != m->frame_id || next->surface != m->surface)
                break;
        }
        p->frame = m->frame_id;
        if (m->surface != p->surface)
            continue;
        struct box window = window_of(a, p);
        int count = ways_of(a, i, end, window, ways);

        if (p->away)
            go_unseen(p, ways, count);
        else
            go(p, ways, count, window);
    }
    return before.x != p->x || before.y != p->y || before.away != p->away;
}
