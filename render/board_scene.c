/* SPDX-License-Identifier: MIT */
#include "render/board_scene.h"

#include "render/board_scene_state.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum tdm_err tdm_board_scene_create(struct tdm_board_scene **scene, struct tdm_cause *cause)
{
    struct tdm_board_scene *s = calloc(1, sizeof *s);

    *scene = NULL;
    if (!s)
        return tdm_fail(cause, TDM_E_SYSTEM, "There is no memory for the board's picture.");
    if (tdm_board_letters_create(&s->letters, cause) != TDM_OK) {
        free(s);
        return TDM_E_SYSTEM;
    }
    s->damage.all = true;
    *scene = s;
    return TDM_OK;
}

void tdm_board_scene_destroy(struct tdm_board_scene *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < s->table_size; i++)
        tdm_board_entry_destroy(s->table[i]);
    free(s->table);
    free(s->order);
    free(s->next);
    free(s->bounds);
    free(s->ink);
    tdm_board_path_free(&s->path);
    tdm_board_images_free(&s->images);
    tdm_board_letters_destroy(s->letters);
    free(s);
}

struct tdm_board_letters *tdm_board_scene_letters(struct tdm_board_scene *s)
{
    return s->letters;
}

static size_t slot_of(const struct tdm_board_scene *s, uint64_t id)
{
    size_t slot = (size_t)(id * 0x9e3779b97f4a7c15u >> 20) & (s->table_size - 1);

    while (s->table[slot] && s->table[slot]->f.id != id)
        slot = (slot + 1) & (s->table_size - 1);
    return slot;
}

static struct tdm_board_entry *find(const struct tdm_board_scene *s, uint64_t id)
{
    return s->table_size ? s->table[slot_of(s, id)] : NULL;
}

/* Room for another entry in the table and in both orders. */
static bool make_room(struct tdm_board_scene *s)
{
    if (s->table_used + 1 <= s->room)
        return true;
    struct tdm_board_scene grown = *s;

    grown.room = s->room ? 2 * s->room : 256;
    grown.table_size = 2 * grown.room;
    grown.table = calloc(grown.table_size, sizeof *grown.table);
    if (!grown.table)
        return false;
    struct tdm_board_entry **order = realloc(s->order, grown.room * sizeof *order);

    if (order)
        s->order = order;
    struct tdm_board_entry **next = realloc(s->next, grown.room * sizeof *next);

    if (next)
        s->next = next;
    struct tdm_board_bounds *bounds = realloc(s->bounds, grown.room * sizeof *bounds);

    if (bounds)
        s->bounds = bounds;
    if (!order || !next || !bounds) {
        free(grown.table);
        return false;
    }
    for (size_t i = 0; i < s->table_size; i++)
        if (s->table[i])
            grown.table[slot_of(&grown, s->table[i]->f.id)] = s->table[i];
    free(s->table);
    s->table = grown.table;
    s->table_size = grown.table_size;
    s->room = grown.room;
    return true;
}

static double area(const struct tdm_figure_box *b)
{
    return (b->right - b->left) * (b->bottom - b->top);
}

static struct tdm_figure_box both(const struct tdm_figure_box *a, const struct tdm_figure_box *b)
{
    return (struct tdm_figure_box){fmin(a->left, b->left), fmin(a->top, b->top),
                                   fmax(a->right, b->right), fmax(a->bottom, b->bottom)};
}

/* With one of those that are there, where that adds the least to it; by itself while there is room
 * and nothing that it touches. */
void tdm_board_damage_add(struct tdm_board_damage *d, const struct tdm_figure_box *box)
{
    size_t best = 0;
    double least = INFINITY;

    if (d->all || !(box->left < box->right && box->top < box->bottom))
        return;
    for (size_t i = 0; i < d->count; i++) {
        struct tdm_figure_box sum = both(&d->boxes[i], box);
        double more = area(&sum) - area(&d->boxes[i]) - area(box);

        if (more < least) {
            least = more;
            best = i;
        }
    }
    if (d->count < TDM_BOARD_DAMAGE_MAX && !(least <= 0))
        d->boxes[d->count++] = *box;
    else
        d->boxes[best] = both(&d->boxes[best], box);
}

void tdm_board_scene_damage(struct tdm_board_scene *s, struct tdm_board_damage *damage)
{
    *damage = s->damage;
    s->damage = (struct tdm_board_damage){0};
}

void tdm_board_scene_ground(struct tdm_board_scene *s, const struct tdm_board_ground *ground)
{
    if (ground->colour == s->ground.colour && ground->pattern == s->ground.pattern &&
        ground->step == s->ground.step)
        return;
    s->ground = *ground;
    s->damage = (struct tdm_board_damage){.all = true};
}

static bool equal(struct tdm_board_corner a, struct tdm_board_corner b)
{
    return a.x == b.x && a.y == b.y;
}

static void include(struct tdm_figure_box *box, const struct tdm_board_entry *e, size_t from,
                    size_t to)
{
    for (size_t i = from; i < to; i++) {
        double x = (double)e->outline[i].x + e->f.x / (double)TDM_FIGURE_UNIT;
        double y = (double)e->outline[i].y + e->f.y / (double)TDM_FIGURE_UNIT;

        box->left = fmin(box->left, x);
        box->top = fmin(box->top, y);
        box->right = fmax(box->right, x);
        box->bottom = fmax(box->bottom, y);
    }
}

/* Where two outlines of growing ink differ: corners in the middle of the list, and the two on
 * either side, since curves go through the middles between corners. */
static struct tdm_figure_box difference(const struct tdm_board_entry *a,
                                        const struct tdm_board_entry *b)
{
    size_t least = a->corner_count < b->corner_count ? a->corner_count : b->corner_count;
    size_t head = 0, tail = 0;
    struct tdm_figure_box box = {INFINITY, INFINITY, -INFINITY, -INFINITY};

    while (head < least && equal(a->outline[head], b->outline[head]))
        head++;
    while (tail < least - head &&
           equal(a->outline[a->corner_count - 1 - tail], b->outline[b->corner_count - 1 - tail]))
        tail++;
    head = head > 2 ? head - 2 : 0;
    tail = tail > 2 ? tail - 2 : 0;
    include(&box, a, head, a->corner_count - tail);
    include(&box, b, head, b->corner_count - tail);
    return (struct tdm_figure_box){box.left - 1, box.top - 1, box.right + 1, box.bottom + 1};
}

static bool grew(const struct tdm_board_entry *old, const struct tdm_board_entry *e)
{
    const struct tdm_board_figure *a = &old->f, *b = &e->f;

    return old->is_ink && old->outline && a->type == b->type && a->x == b->x && a->y == b->y &&
           a->angle == 0 && b->angle == 0 && a->colour == b->colour && a->opacity == b->opacity &&
           a->width == b->width && a->scale_x == b->scale_x && a->scale_y == b->scale_y;
}

/* In place of an older one; damages what is seen to be another. */
static void replace(struct tdm_board_scene *s, struct tdm_board_entry *old,
                    struct tdm_board_entry *e)
{
    if (grew(old, e)) {
        tdm_board_entry_outline(s, e);
        if (e->outline) {
            struct tdm_figure_box box = difference(old, e);

            tdm_board_damage_add(&s->damage, &box);
            return;
        }
    }
    tdm_board_damage_add(&s->damage, &old->box);
    tdm_board_damage_add(&s->damage, &e->box);
}

static struct tdm_board_bounds bounds_of(const struct tdm_figure_box *b)
{
    return (struct tdm_board_bounds){(float)(b->left - 1), (float)(b->top - 1),
                                     (float)(b->right + 1), (float)(b->bottom + 1)};
}

size_t tdm_board_scene_touching(const struct tdm_board_scene *s, const struct tdm_figure_box *box,
                                size_t i)
{
    const struct tdm_board_bounds seen = bounds_of(box);

    while (i < s->count && !(s->bounds[i].left < seen.right && seen.left < s->bounds[i].right &&
                             s->bounds[i].top < seen.bottom && seen.top < s->bounds[i].bottom))
        i++;
    return i;
}

void tdm_board_scene_begin(struct tdm_board_scene *s)
{
    s->pass++;
    s->next_count = 0;
    s->putting = true;
}

enum tdm_err tdm_board_scene_put(struct tdm_board_scene *s, const struct tdm_board_figure *figure)
{
    assert(s->putting);
    if (!make_room(s))
        return TDM_E_SYSTEM;
    struct tdm_board_entry **slot = &s->table[slot_of(s, figure->id)], *old = *slot;

    if (old && old->pass == s->pass)
        return TDM_OK; /* The same object twice. */
    if (!old || old->f.version != figure->version) {
        struct tdm_board_entry *e = tdm_board_entry_create(s->letters, figure);

        if (!e)
            return TDM_E_SYSTEM;
        if (old) {
            replace(s, old, e);
            e->rank = old->rank;
            tdm_board_entry_destroy(old);
        } else {
            tdm_board_damage_add(&s->damage, &e->box);
            e->rank = UINT32_MAX;
            s->table_used++;
        }
        *slot = e;
    }
    (*slot)->pass = s->pass;
    s->next[s->next_count++] = *slot;
    return TDM_OK;
}

static void drop_missing(struct tdm_board_scene *s)
{
    bool any = false;

    for (size_t i = 0; i < s->table_size; i++)
        any |= s->table[i] && s->table[i]->pass != s->pass;
    if (!any)
        return;
    for (size_t i = 0; i < s->table_size; i++) {
        struct tdm_board_entry *e = s->table[i];

        if (e && e->pass != s->pass) {
            tdm_board_damage_add(&s->damage, &e->box);
            tdm_board_entry_destroy(e);
        }
        s->table[i] = NULL;
    }
    for (size_t i = 0; i < s->next_count; i++)
        s->table[slot_of(s, s->next[i]->f.id)] = s->next[i];
    s->table_used = s->next_count;
}

/* Those that jumped over others, seen from the bottom or from the top: whichever are fewer. */
static size_t jumped(struct tdm_board_scene *s, bool from_top, bool damage)
{
    size_t count = 0;
    uint32_t bound = from_top ? UINT32_MAX : 0;

    for (size_t i = 0; i < s->next_count; i++) {
        struct tdm_board_entry *e = s->next[from_top ? s->next_count - 1 - i : i];

        if (e->rank == UINT32_MAX)
            continue; /* New, and damaged already. */
        if (from_top ? e->rank > bound : e->rank < bound) {
            count++;
            if (damage)
                tdm_board_damage_add(&s->damage, &e->box);
        } else {
            bound = e->rank;
        }
    }
    return count;
}

void tdm_board_scene_end(struct tdm_board_scene *s)
{
    struct tdm_board_entry **order = s->order;

    assert(s->putting);
    s->putting = false;
    drop_missing(s);
    size_t up = jumped(s, false, false), down = up ? jumped(s, true, false) : 0;

    if (up)
        (void)jumped(s, down < up, true);
    for (size_t i = 0; i < s->next_count; i++) {
        s->next[i]->rank = (uint32_t)i;
        s->bounds[i] = bounds_of(&s->next[i]->box);
    }
    s->order = s->next;
    s->count = s->next_count;
    s->next = order;
}

enum tdm_err tdm_board_scene_change(struct tdm_board_scene *s,
                                    const struct tdm_board_figure *figure)
{
    struct tdm_board_entry *old = find(s, figure->id);

    assert(!s->putting);
    if (!old)
        return TDM_E_GONE;
    if (old->f.version == figure->version)
        return TDM_OK;
    struct tdm_board_entry *e = tdm_board_entry_create(s->letters, figure);

    if (!e)
        return TDM_E_SYSTEM;
    replace(s, old, e);
    e->rank = old->rank;
    e->pass = old->pass;
    s->table[slot_of(s, figure->id)] = e;
    s->order[e->rank] = e;
    s->bounds[e->rank] = bounds_of(&e->box);
    tdm_board_entry_destroy(old);
    return TDM_OK;
}

enum tdm_err tdm_board_scene_picture(struct tdm_board_scene *s,
                                     const struct tdm_board_picture *picture)
{
    enum tdm_err err = tdm_board_images_give(&s->images, picture);

    for (size_t i = 0; i < s->count; i++) {
        const struct tdm_board_entry *e = s->order[i];

        if (e->f.image && memcmp(e->hash, picture->hash, TDM_BOARD_HASH_BYTES) == 0)
            tdm_board_damage_add(&s->damage, &e->box);
    }
    return err;
}

bool tdm_board_scene_has_picture(const struct tdm_board_scene *s, const uint8_t *hash)
{
    return tdm_board_images_find(&s->images, hash);
}

size_t tdm_board_scene_count(const struct tdm_board_scene *s)
{
    return s->count;
}

const struct tdm_board_figure *tdm_board_scene_at(const struct tdm_board_scene *s, size_t i)
{
    return i < s->count ? &s->order[i]->f : NULL;
}

const struct tdm_board_figure *tdm_board_scene_find(const struct tdm_board_scene *s, uint64_t id)
{
    const struct tdm_board_entry *e = find(s, id);

    return e ? &e->f : NULL;
}

bool tdm_board_scene_rank(const struct tdm_board_scene *s, uint64_t id, size_t *rank)
{
    const struct tdm_board_entry *e = find(s, id);

    *rank = e ? e->rank : 0;
    return e;
}
