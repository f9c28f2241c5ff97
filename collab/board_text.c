/* SPDX-License-Identifier: MIT */
#include "collab/board_text.h"

#include <assert.h>

static struct board_item *item_of(const struct board_node *n)
{
    return n ? BOARD_OF(n, struct board_item, node) : NULL;
}

static bool id_below(uint16_t actor, uint32_t seq, const struct board_item *i)
{
    return actor != i->actor ? actor < i->actor : seq < i->seq;
}

/* The item with the greatest id that is not above this one. */
static struct board_item *floor_of(const struct board_text *t, uint16_t actor, uint32_t seq)
{
    struct board_item *best = NULL;

    for (struct board_node *n = t->ids; n;) {
        if (id_below(actor, seq, item_of(n))) {
            n = n->low;
        } else {
            best = item_of(n);
            n = n->high;
        }
    }
    return best;
}

struct board_item *board_text_find(const struct board_text *t, uint16_t actor, uint32_t seq)
{
    struct board_item *i = t ? floor_of(t, actor, seq) : NULL;

    return i && i->actor == actor && seq - i->seq < i->chars ? i : NULL;
}

static void index_in(struct tdm_board *b, struct board_text *t, struct board_item *i)
{
    struct board_node *up = NULL, **link = &t->ids;

    while (*link) {
        up = *link;
        link = id_below(i->actor, i->seq, item_of(up)) ? &up->low : &up->high;
    }
    i->node.weight = board_weight(b);
    board_node_hang(&t->ids, up, link, &i->node);
}

/* Bytes of the first `chars` characters. */
static size_t bytes_of(const uint8_t *text, size_t size, uint32_t chars)
{
    size_t at = 0;

    for (; at < size && (chars || (text[at] & 0xc0) == 0x80); at++)
        chars -= (text[at] & 0xc0) != 0x80;
    return at;
}

static void link_behind(struct board_text *t, struct board_item *before, struct board_item *i)
{
    i->before = before;
    i->next = before ? before->next : t->first;
    *(i->next ? &i->next->before : &t->last) = i;
    *(before ? &before->next : &t->first) = i;
}

static void set_text(struct tdm_board *b, struct board_item *i, const uint8_t *text, size_t size)
{
    i->room = (uint16_t)tdm_board_piece_size(size);
    i->text = tdm_board_take(&b->memory, size);
    i->size = (uint16_t)size;
    memcpy(i->text, text, size);
}

/* Cuts an item behind its first `chars` characters, of which there are more. */
static void split(struct tdm_board *b, struct board_text *t, struct board_item *i, uint32_t chars)
{
    size_t bytes = bytes_of(i->text, i->size, chars);
    struct board_item *rest = tdm_board_take(&b->memory, sizeof *rest);

    *rest = *i;
    rest->seq += chars;
    rest->lamport += chars;
    rest->origin_actor = i->actor;
    rest->origin_seq = rest->seq - 1;
    rest->chars = (uint16_t)(i->chars - chars);
    set_text(b, rest, i->text + bytes, i->size - bytes);
    i->chars = (uint16_t)chars;
    i->size = (uint16_t)bytes;
    rest->marks = NULL;
    for (struct board_mark *m = i->marks, **to = &rest->marks; m; m = m->next) {
        *to = tdm_board_take(&b->memory, sizeof *m);
        **to = *m;
        to = &(*to)->next;
    }
    link_behind(t, i, rest);
    index_in(b, t, rest);
}

static size_t split_need(const struct board_item *i)
{
    size_t need = sizeof *i + (size_t)2 * BOARD_ITEM_BYTES;

    for (const struct board_mark *m = i->marks; m; m = m->next)
        need += sizeof *m;
    return need;
}

static struct board_stamp stamp_of(const struct board_item *i, uint32_t offset)
{
    return (struct board_stamp){i->lamport + offset, i->seq + offset, i->actor};
}

/* Typed directly on: the run goes on. */
static bool goes_on(const struct board_item *i, const struct board_typed *p, uint16_t origin_actor)
{
    return i && i->actor == p->stamp.actor && i->seq + i->chars == p->stamp.seq &&
           i->lamport + i->chars == p->stamp.lamport && !i->marks && origin_actor == i->actor &&
           p->origin.seq == p->stamp.seq - 1 && i->size + p->size <= BOARD_ITEM_BYTES;
}

static void extend(struct tdm_board *b, struct board_item *i, const struct board_typed *p)
{
    if (i->size + p->size > i->room) {
        uint8_t *old = i->text;
        size_t old_room = i->room, old_size = i->size;
        size_t more = i->size + p->size + i->size / 2;

        i->room = (uint16_t)tdm_board_piece_size(more > BOARD_ITEM_BYTES ? BOARD_ITEM_BYTES : more);
        i->text = tdm_board_take(&b->memory, i->room);
        memcpy(i->text, old, old_size);
        tdm_board_drop(&b->memory, old, old_room);
    }
    memcpy(i->text + i->size, p->text, p->size);
    i->size = (uint16_t)(i->size + p->size);
    i->chars = (uint16_t)(i->chars + p->chars);
}

static uint16_t origin_actor_of(const struct tdm_board *b, struct tdm_board_id origin)
{
    return origin.seq ? board_actor_find(b, origin.actor) : BOARD_NO_ACTOR;
}

/* Puts characters that are not there yet behind their origin. */
static void place(struct tdm_board *b, struct board_text *t, const struct board_typed *p)
{
    uint16_t origin_actor = origin_actor_of(b, p->origin);
    struct board_item *before =
        p->origin.seq ? board_text_find(t, origin_actor, p->origin.seq) : NULL;
    struct board_item *next = before ? before->next : t->first;
    uint32_t offset = before ? p->origin.seq - before->seq + 1 : 0;

    if (before && offset < before->chars) {
        if (board_stamp_order(b, p->stamp, stamp_of(before, offset)) > 0) {
            split(b, t, before, offset);
            next = NULL;
        }
    }
    while (next && board_stamp_order(b, stamp_of(next, 0), p->stamp) > 0) {
        before = next;
        next = next->next;
    }
    t->chars += p->chars;
    t->bytes += (uint32_t)p->size;
    if (goes_on(before, p, origin_actor)) {
        extend(b, before, p);
        return;
    }
    struct board_item *i = tdm_board_take(&b->memory, sizeof *i);

    *i = (struct board_item){.lamport = p->stamp.lamport,
                             .seq = p->stamp.seq,
                             .actor = p->stamp.actor,
                             .origin_seq = p->origin.seq,
                             .origin_actor = origin_actor,
                             .chars = (uint16_t)p->chars};
    set_text(b, i, p->text, p->size);
    link_behind(t, before, i);
    index_in(b, t, i);
}

static struct board_author *author(struct tdm_board *b, struct board_text *t, uint16_t actor)
{
    struct board_author *a = t->authors;

    while (a && a->actor != actor)
        a = a->next;
    if (!a) {
        a = tdm_board_take(&b->memory, sizeof *a);
        *a = (struct board_author){t->authors, 0, actor};
        t->authors = a;
    }
    return a;
}

/* How many characters from `seq` on are there, or are not, without a change in between. */
static uint32_t stretch(const struct board_text *t, const struct board_typed *p, uint32_t seq,
                        bool *there)
{
    uint32_t end = p->stamp.seq + p->chars;
    struct board_item *i = board_text_find(t, p->stamp.actor, seq);

    *there = i != NULL;
    if (i)
        return (i->seq + i->chars < end ? i->seq + i->chars : end) - seq;
    i = floor_of(t, p->stamp.actor, end - 1);
    /* Of those above `seq` the first; there are few, since a typed piece is small. */
    while (i && i->actor == p->stamp.actor && i->seq > seq) {
        struct board_item *lower = item_of(board_node_before(&i->node));

        end = i->seq;
        i = lower;
    }
    return end - seq;
}

size_t board_text_type_need(const struct tdm_board *b, const struct tdm_board_object *o,
                            const struct board_typed *typed)
{
    size_t need =
        sizeof(struct board_text) + sizeof(struct board_author) + (size_t)8 * BOARD_ITEM_BYTES;
    struct board_item *i =
        board_text_find(o->text, origin_actor_of(b, typed->origin), typed->origin.seq);

    /* Each piece of it that may be missing. */
    if (o->text &&
        board_text_find(o->text, typed->stamp.actor, typed->stamp.seq + typed->chars - 1))
        need += typed->chars * (sizeof *i + 16);
    return i ? need + split_need(i) : need;
}

bool board_text_follows(const struct tdm_board *b, const struct tdm_board_object *o,
                        struct tdm_board_id origin, struct board_stamp stamp)
{
    struct board_item *i = board_text_find(o->text, origin_actor_of(b, origin), origin.seq);

    return !origin.seq || (i && i->lamport + (origin.seq - i->seq) < stamp.lamport);
}

enum tdm_err board_text_type(struct tdm_board *b, struct tdm_board_object *o,
                             const struct board_typed *typed)
{
    if (!board_text_follows(b, o, typed->origin, typed->stamp))
        return TDM_E_MALFORMED;
    if (!o->text) {
        o->text = tdm_board_take(&b->memory, sizeof *o->text);
        *o->text = (struct board_text){0};
    }
    struct board_author *a = author(b, o->text, typed->stamp.actor);
    struct board_typed piece = *typed;

    if (a->chars + typed->chars > TDM_BOARD_TEXT_MAX &&
        !board_text_find(o->text, typed->stamp.actor, typed->stamp.seq))
        return TDM_E_MALFORMED;
    for (uint32_t done = 0, count; done < typed->chars; done += count) {
        bool there;

        piece.stamp.seq = typed->stamp.seq + done;
        piece.stamp.lamport = typed->stamp.lamport + done;
        piece.chars = typed->chars - done;
        count = stretch(o->text, &piece, piece.stamp.seq, &there);
        piece.chars = count;
        piece.size = bytes_of(piece.text, (size_t)(typed->text + typed->size - piece.text), count);
        if (!there) {
            place(b, o->text, &piece);
            a->chars += count;
        }
        piece.text += piece.size;
        piece.origin =
            (struct tdm_board_id){b->actors[typed->stamp.actor].name, piece.stamp.seq + count - 1};
    }
    board_touch(b, o);
    return TDM_OK;
}

static void show(struct board_text *t, struct board_item *i)
{
    bool hidden = false;

    for (const struct board_mark *m = i->marks; m; m = m->next)
        hidden |= m->gone;
    if (hidden == i->hidden)
        return;
    i->hidden = hidden;
    t->chars += hidden ? (uint32_t)-i->chars : i->chars;
    t->bytes += hidden ? (uint32_t)-i->size : i->size;
}

static void mark_item(struct tdm_board *b, struct board_text *t, struct board_item *i,
                      struct board_stamp stamp, bool gone)
{
    struct board_mark *m = i->marks;

    while (m && m->actor != stamp.actor)
        m = m->next;
    if (!m) {
        m = tdm_board_take(&b->memory, sizeof *m);
        *m = (struct board_mark){i->marks, 0, stamp.actor, false};
        i->marks = m;
    }
    if (m->seq >= stamp.seq)
        return;
    m->seq = stamp.seq;
    m->gone = gone;
    show(t, i);
}

/* The first item that has a character of the range, from `seq` on. */
static struct board_item *first_in(const struct board_text *t, uint16_t actor, uint32_t seq,
                                   uint32_t end)
{
    struct board_item *i = board_text_find(t, actor, seq);

    if (i)
        return i;
    i = floor_of(t, actor, seq);
    i = i ? item_of(board_node_next(&i->node)) : item_of(board_node_lowest(t->ids));
    return i && i->actor == actor && i->seq < end ? i : NULL;
}

void board_text_mark(struct tdm_board *b, struct tdm_board_object *o, struct board_stamp stamp,
                     const struct board_range *range, bool gone)
{
    uint16_t actor = board_actor_find(b, range->first.actor);
    uint32_t seq = range->first.seq, end = seq + range->length;

    if (!o->text || actor == BOARD_NO_ACTOR)
        return;
    for (struct board_item *i; seq < end && (i = first_in(o->text, actor, seq, end));) {
        if (i->seq < seq) {
            split(b, o->text, i, seq - i->seq);
            i = item_of(board_node_next(&i->node));
        }
        if (i->seq + i->chars > end)
            split(b, o->text, i, end - i->seq);
        mark_item(b, o->text, i, stamp, gone);
        seq = i->seq + i->chars;
    }
    board_touch(b, o);
}

bool board_text_has(const struct tdm_board *b, const struct tdm_board_object *o,
                    const struct board_range *range)
{
    uint16_t actor = board_actor_find(b, range->first.actor);
    uint32_t seq = range->first.seq, end = seq + range->length;

    while (seq < end) {
        const struct board_item *i = board_text_find(o->text, actor, seq);

        if (!i)
            return false;
        seq = i->seq + i->chars;
    }
    return true;
}

size_t board_text_mark_need(const struct tdm_board *b, const struct tdm_board_object *o,
                            const struct board_range *range)
{
    uint16_t actor = board_actor_find(b, range->first.actor);
    uint32_t seq = range->first.seq, end = seq + range->length;
    size_t need = 0;

    if (!o->text || actor == BOARD_NO_ACTOR)
        return 0;
    for (struct board_item *i; seq < end && (i = first_in(o->text, actor, seq, end));
         seq = i->seq + i->chars) {
        bool cut = i->seq < seq || i->seq + i->chars > end;

        need +=
            sizeof(struct board_mark) + (cut ? 2 * (split_need(i) + sizeof(struct board_mark)) : 0);
    }
    return need;
}

struct tdm_board_id board_text_before(const struct tdm_board *b, const struct board_text *t,
                                      uint32_t at)
{
    struct tdm_board_id id = TDM_BOARD_NONE;

    for (const struct board_item *i = t ? t->first : NULL; i && at; i = i->next) {
        if (i->hidden)
            continue;
        uint32_t take = at < i->chars ? at : i->chars;

        id = (struct tdm_board_id){b->actors[i->actor].name, i->seq + take - 1};
        at -= take;
    }
    return id;
}

size_t board_text_ranges(const struct tdm_board *b, const struct board_text *t, uint32_t at,
                         uint32_t *count, struct board_range ranges[BOARD_RANGES_MAX])
{
    size_t n = 0;
    uint32_t total = 0;

    for (const struct board_item *i = t ? t->first : NULL; i && *count; i = i->next) {
        uint32_t skip = i->hidden || at > i->chars ? i->chars : at;

        if (i->hidden)
            continue;
        at -= skip;
        if (skip == i->chars)
            continue;
        uint32_t take = i->chars - skip < *count ? i->chars - skip : *count;

        if (total + take > BOARD_RANGE_MAX)
            break;
        struct tdm_board_id id = {b->actors[i->actor].name, i->seq + skip};

        if (n && ranges[n - 1].first.actor == id.actor &&
            ranges[n - 1].first.seq + ranges[n - 1].length == id.seq)
            ranges[n - 1].length += take;
        else if (n == BOARD_RANGES_MAX)
            break;
        else
            ranges[n++] = (struct board_range){id, take};
        total += take;
        *count -= take;
    }
    return n;
}

uint32_t board_text_typed(const struct board_text *t, uint16_t actor)
{
    for (const struct board_author *a = t ? t->authors : NULL; a; a = a->next)
        if (a->actor == actor)
            return a->chars;
    return 0;
}

bool board_text_others(const struct board_text *t, uint16_t actor)
{
    for (const struct board_author *a = t ? t->authors : NULL; a; a = a->next)
        if (a->actor != actor && a->chars)
            return true;
    return false;
}

size_t tdm_board_text(const struct tdm_board_object *o, char *room, size_t size)
{
    size_t out = 0;
    bool full = false;

    for (const struct board_item *i = o->text ? o->text->first : NULL; i && !full; i = i->next) {
        if (i->hidden)
            continue;
        size_t take = i->size;

        if (out + take > size) {
            full = true;
            take = size - out;
            while (take && (i->text[take] & 0xc0) == 0x80)
                take--;
        }
        if (take)
            memcpy(room + out, i->text, take);
        out += take;
    }
    return o->text ? o->text->bytes : 0;
}

struct tdm_board_caret tdm_board_caret_at(const struct tdm_board *b,
                                          const struct tdm_board_object *o, uint32_t at)
{
    return (struct tdm_board_caret){board_text_before(b, o->text, at)};
}

uint32_t tdm_board_caret_index(const struct tdm_board *b, const struct tdm_board_object *o,
                               struct tdm_board_caret caret)
{
    uint16_t actor = origin_actor_of(b, caret.after);
    const struct board_item *in = board_text_find(o->text, actor, caret.after.seq);
    uint32_t at = 0;

    if (!in)
        return 0;
    for (const struct board_item *i = o->text->first; i != in; i = i->next)
        at += i->hidden ? 0 : i->chars;
    return in->hidden ? at : at + caret.after.seq - in->seq + 1;
}
