/* SPDX-License-Identifier: MIT */
#include "collab/board_state.h"

#define GROUPS_DEEP 64 /* Of nested groups; longer circles are not looked for. */

static struct tdm_board_object *object_of(const struct board_node *n)
{
    return n ? BOARD_OF(n, struct tdm_board_object, node) : NULL;
}

static struct tdm_board_value order_of(const struct tdm_board_object *o)
{
    return board_value(o, TDM_PROP_ORDER);
}

static bool stands_above(const struct tdm_board_object *a, const struct tdm_board_value *a_order,
                         const struct tdm_board_object *other)
{
    struct tdm_board_value other_order = order_of(other);
    int order = board_value_order(a_order, &other_order);

    if (order)
        return order > 0;
    return a->name != other->name ? a->name > other->name : a->seq > other->seq;
}

void board_page_leave(struct tdm_board_object *o)
{
    if (!o->home)
        return;
    board_node_remove(&o->home->tree, &o->node);
    o->home = NULL;
}

static struct tdm_board_object *home_of(struct tdm_board *b, const struct tdm_board_object *o)
{
    if (o->type == TDM_BOARD_PAGE)
        return &b->root;
    struct tdm_board_id id = board_value(o, TDM_PROP_PAGE).ref;

    if (tdm_board_same(id, TDM_BOARD_NONE))
        return NULL;
    struct tdm_board_object *page = board_object(b, id);

    return page && page->type == TDM_BOARD_PAGE ? page : &b->lost;
}

/* Those that wait stand by the page that they wait for. */
static bool waits_above(struct tdm_board_id page, const struct tdm_board_object *other)
{
    struct tdm_board_id its = board_value(other, TDM_PROP_PAGE).ref;

    return page.actor != its.actor ? page.actor > its.actor : page.seq > its.seq;
}

void board_page_enter(struct tdm_board *b, struct tdm_board_object *o)
{
    struct tdm_board_value order = order_of(o);

    board_page_leave(o);
    o->home = board_value(o, TDM_PROP_DELETED).number ? NULL : home_of(b, o);
    if (!o->home)
        return;
    struct board_node *up = NULL, **link = &o->home->tree;
    struct tdm_board_id page = board_value(o, TDM_PROP_PAGE).ref;

    while (*link) {
        up = *link;
        bool above = o->home == &b->lost ? waits_above(page, object_of(up))
                                         : stands_above(o, &order, object_of(up));

        link = above ? &up->high : &up->low;
    }
    board_node_hang(&o->home->tree, up, link, &o->node);
}

void board_page_found(struct tdm_board *b, struct tdm_board_object *page)
{
    struct tdm_board_id id = tdm_board_id_of(page);

    for (struct board_node *n = b->lost.tree; n;) {
        struct tdm_board_object *o = object_of(n);

        if (tdm_board_same(board_value(o, TDM_PROP_PAGE).ref, id)) {
            board_page_enter(b, o);
            n = b->lost.tree; /* There may be more. */
        } else {
            n = waits_above(id, o) ? n->high : n->low;
        }
    }
}

struct tdm_board_id board_page_of(const struct tdm_board *b, const struct tdm_board_object *o)
{
    struct tdm_board_id id = board_value(o, TDM_PROP_PAGE).ref;
    const struct tdm_board_object *page = o->type == TDM_BOARD_PAGE ? NULL : board_object(b, id);

    return page && page->type == TDM_BOARD_PAGE ? id : TDM_BOARD_NONE;
}

/* The group that an object says it is in. */
static const struct tdm_board_object *said_group(const struct tdm_board *b,
                                                 const struct tdm_board_object *o)
{
    const struct board_reg *reg = board_reg(o, TDM_PROP_PARENT);
    const struct tdm_board_object *group = reg ? board_object(b, reg->ref) : NULL;

    return group && group->type == TDM_BOARD_GROUP ? group : NULL;
}

/* Of a circle the membership that was written last does not count. */
struct tdm_board_id board_group_of(const struct tdm_board *b, const struct tdm_board_object *o)
{
    const struct tdm_board_object *first = said_group(b, o), *at = first;
    struct board_stamp mine = board_stamp_of(board_reg(o, TDM_PROP_PARENT));
    bool last = true;

    for (int deep = 0; at && deep < GROUPS_DEEP; deep++) {
        if (at == o)
            return last ? TDM_BOARD_NONE : tdm_board_id_of(first);
        if (board_stamp_order(b, board_stamp_of(board_reg(at, TDM_PROP_PARENT)), mine) > 0)
            last = false;
        at = said_group(b, at);
    }
    return first ? tdm_board_id_of(first) : TDM_BOARD_NONE;
}

struct tdm_board_id tdm_board_outer_group(const struct tdm_board *b,
                                          const struct tdm_board_object *o)
{
    struct tdm_board_id outer = TDM_BOARD_NONE;

    for (int deep = 0; o && deep < GROUPS_DEEP; deep++) {
        struct tdm_board_id group = board_group_of(b, o);

        if (tdm_board_same(group, TDM_BOARD_NONE))
            break;
        outer = group;
        o = board_object(b, group);
    }
    return outer;
}

static const struct tdm_board_object *home_at(const struct tdm_board *b, struct tdm_board_id page)
{
    const struct tdm_board_object *o =
        tdm_board_same(page, TDM_BOARD_NONE) ? &b->root : board_object(b, page);

    return o;
}

const struct tdm_board_object *tdm_board_lowest(const struct tdm_board *b, struct tdm_board_id page)
{
    const struct tdm_board_object *home = home_at(b, page);

    return home ? object_of(board_node_lowest(home->tree)) : NULL;
}

const struct tdm_board_object *tdm_board_highest(const struct tdm_board *b,
                                                 struct tdm_board_id page)
{
    const struct tdm_board_object *home = home_at(b, page);

    return home ? object_of(board_node_highest(home->tree)) : NULL;
}

const struct tdm_board_object *tdm_board_above(const struct tdm_board_object *o)
{
    return o->home ? object_of(board_node_next(&o->node)) : NULL;
}

const struct tdm_board_object *tdm_board_below(const struct tdm_board_object *o)
{
    return o->home ? object_of(board_node_before(&o->node)) : NULL;
}
