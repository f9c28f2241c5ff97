/* SPDX-License-Identifier: MIT */
/* Commands on the selection: its order, groups, locks; what is copied and what goes. */
#include "collab/board_tools_state.h"

#define DUPLICATE_STEP 16.0 /* px to the right and down. */

/* Order -----------------------------------------------------------------------------------------
 */

static bool is_drawn(const struct tdm_board_view *view)
{
    return view->type != TDM_BOARD_GROUP && view->type != TDM_BOARD_PAGE;
}

/* The next one above or below that is neither selected nor undrawn. */
static const struct tdm_board_object *beyond(const struct tdm_board_tools *t,
                                             const struct tdm_board_object *o, bool up,
                                             struct tdm_board_view *view)
{
    while ((o = up ? tdm_board_above(o) : tdm_board_below(o))) {
        tdm_board_read(t->board, o, view);
        if (is_drawn(view) && !tdm_hand_is_selected(t, view->id))
            break;
    }
    return o;
}

static void put_between(struct tdm_board_tools *t, struct tdm_board_id id,
                        const struct tdm_board_object *below, const struct tdm_board_object *above)
{
    struct tdm_board_view low, high;
    uint8_t key[TDM_BOARD_ORDER_MAX];

    if (below)
        tdm_board_read(t->board, below, &low);
    if (above)
        tdm_board_read(t->board, above, &high);
    size_t size = tdm_board_order_between(t->board, below ? &low : NULL, above ? &high : NULL, key);
    struct tdm_board_value value = tdm_board_bytes(TDM_PROP_ORDER, key, size);

    (void)tdm_hand_set(t, id, &value, 1);
}

/* The selection in the page's order, from the lowest up, into `found`. */
static uint32_t in_order(struct tdm_board_tools *t)
{
    uint32_t count = 0;

    for (const struct tdm_board_object *o = tdm_board_lowest(t->board, t->page);
         o && count < TDM_BOARD_CHOSEN_MAX; o = tdm_board_above(o)) {
        struct tdm_board_id id = tdm_board_id_of(o);

        if (tdm_hand_is_selected(t, id))
            t->found[count++] = id;
    }
    return count;
}

/* One step: the selection as a whole passes the next one that does not belong to it. */
static void step_order(struct tdm_board_tools *t, bool up)
{
    struct tdm_board_view view;
    uint32_t count = in_order(t);

    if (!count)
        return;
    const struct tdm_board_object *edge = tdm_board_find(t->board, t->found[up ? count - 1 : 0]);
    const struct tdm_board_object *passed = edge ? beyond(t, edge, up, &view) : NULL;

    if (!passed)
        return;
    const struct tdm_board_object *other = beyond(t, passed, up, &view);

    for (uint32_t i = 0; i < count; i++) {
        struct tdm_board_id id = t->found[up ? i : count - 1 - i];

        put_between(t, id, up ? passed : other, up ? other : passed);
        passed = tdm_board_find(t->board, id);
    }
}

static void end_order(struct tdm_board_tools *t, bool front)
{
    uint32_t count = in_order(t);

    for (uint32_t i = 0; i < count; i++) {
        struct tdm_board_id id = t->found[front ? i : count - 1 - i];
        const struct tdm_board_object *edge =
            front ? tdm_board_highest(t->board, t->page) : tdm_board_lowest(t->board, t->page);

        if (!edge || tdm_board_same(tdm_board_id_of(edge), id))
            continue;
        put_between(t, id, front ? edge : NULL, front ? NULL : edge);
    }
}

/* Groups ----------------------------------------------------------------------------------------
 */

/* What is selected, or the outermost group that it is in: each once, into `found`. */
static uint32_t outermost(struct tdm_board_tools *t)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < t->selected_count; i++) {
        const struct tdm_board_object *o = tdm_board_find(t->board, t->selected[i]);
        struct tdm_board_id id = o ? tdm_board_outer_group(t->board, o) : TDM_BOARD_NONE;
        bool known = false;

        if (tdm_hand_none(id))
            id = t->selected[i];
        else
            for (uint32_t k = 0; k < count && !known; k++)
                known = tdm_board_same(t->found[k], id);
        if (!known)
            t->found[count++] = id;
    }
    return count;
}

static void group(struct tdm_board_tools *t)
{
    const struct tdm_board_value page = tdm_board_ref(TDM_PROP_PAGE, t->page);
    struct tdm_board_id id;
    uint32_t count = outermost(t);

    if (count < 2 || !tdm_hand_add(t, TDM_BOARD_GROUP, &page, 1, &id))
        return;
    struct tdm_board_value parent = tdm_board_ref(TDM_PROP_PARENT, id);

    for (uint32_t i = 0; i < count; i++)
        (void)tdm_hand_set(t, t->found[i], &parent, 1);
}

static void ungroup(struct tdm_board_tools *t)
{
    const struct tdm_board_value none = tdm_board_ref(TDM_PROP_PARENT, TDM_BOARD_NONE);
    uint32_t count = outermost(t);
    struct tdm_board_view view;

    for (const struct tdm_board_object *o = tdm_board_lowest(t->board, t->page), *next; o;
         o = next) {
        next = tdm_board_above(o);
        tdm_board_read(t->board, o, &view);
        for (uint32_t i = 0; i < count; i++)
            if (tdm_board_same(view.group, t->found[i])) {
                (void)tdm_hand_set(t, view.id, &none, 1);
                break;
            }
    }
    for (uint32_t i = 0; i < count; i++)
        if (tdm_hand_read(t, t->found[i], &view) && view.type == TDM_BOARD_GROUP)
            (void)tdm_hand_delete(t, view.id);
}

static void lock(struct tdm_board_tools *t)
{
    struct tdm_board_view view;
    bool any = false;

    for (uint32_t i = 0; i < t->selected_count; i++)
        any = any || (tdm_hand_read(t, t->selected[i], &view) && !view.locked);
    for (uint32_t i = 0; i < t->selected_count; i++)
        (void)tdm_hand_set_int(t, t->selected[i], TDM_PROP_LOCKED, any);
    if (any)
        tdm_hand_say(t, "Locked: click it and press Ctrl Shift L to unlock");
}

static void unlock_all(struct tdm_board_tools *t)
{
    struct tdm_board_view view;

    for (const struct tdm_board_object *o = tdm_board_lowest(t->board, t->page); o;
         o = tdm_board_above(o)) {
        tdm_board_read(t->board, o, &view);
        if (view.locked)
            (void)tdm_hand_set_int(t, view.id, TDM_PROP_LOCKED, 0);
    }
}

static void delete_selected(struct tdm_board_tools *t)
{
    struct tdm_board_view view;

    for (uint32_t i = 0; i < t->selected_count; i++)
        if (tdm_hand_read(t, t->selected[i], &view) && !view.locked)
            (void)tdm_hand_delete(t, view.id);
}

/* On the selection. */
static bool order_selection(struct tdm_board_tools *t, enum tdm_board_command command)
{
    switch (command) {
    case TDM_BOARD_DO_DELETE:
        delete_selected(t);
        return true;
    case TDM_BOARD_DO_DUPLICATE:
        tdm_hand_duplicate(t, DUPLICATE_STEP, DUPLICATE_STEP);
        return true;
    case TDM_BOARD_DO_GROUP:
        group(t);
        return true;
    case TDM_BOARD_DO_UNGROUP:
        ungroup(t);
        return true;
    case TDM_BOARD_DO_FORWARD:
    case TDM_BOARD_DO_BACKWARD:
        step_order(t, command == TDM_BOARD_DO_FORWARD);
        return true;
    case TDM_BOARD_DO_FRONT:
    case TDM_BOARD_DO_BACK:
        end_order(t, command == TDM_BOARD_DO_FRONT);
        return true;
    case TDM_BOARD_DO_LOCK:
        lock(t);
        return true;
    case TDM_BOARD_DO_UNLOCK_ALL:
        unlock_all(t);
        return true;
    case TDM_BOARD_DO_GRID:
        /* It is the page's: both see it, and it is there again. */
        (void)tdm_hand_set_int(t, t->page, TDM_PROP_GRID,
                               t->grid > 0 ? 0 : TDM_BOARD_GRID_STEP * TDM_BOARD_UNIT);
        return true;
    default:
        return false;
    }
}

bool tdm_hand_order(struct tdm_board_tools *t, enum tdm_board_command command, uint32_t value)
{
    (void)value;
    switch (command) {
    case TDM_BOARD_DO_SELECT_ALL:
        if (tdm_hand_none(t->editing))
            tdm_hand_select_all(t);
        else
            tdm_hand_edit_all(t);
        return true;
    case TDM_BOARD_DO_PASTE:
        t->asked |= TDM_BOARD_ASK_PASTE;
        return true;
    case TDM_BOARD_DO_COPY:
    case TDM_BOARD_DO_CUT:
        t->asked |= TDM_BOARD_ASK_COPY;
        t->paste_count = 0;
        t->cuts = command == TDM_BOARD_DO_CUT;
        return true;
    default:
        break;
    }
    tdm_hand_edit_end(t);
    tdm_hand_open(t);
    bool known = order_selection(t, command);

    tdm_hand_close(t);
    tdm_hand_look_again(t);
    t->asked |= TDM_BOARD_ASK_BARS | TDM_BOARD_ASK_MARKS;
    return known;
}

void tdm_hand_copied(struct tdm_board_tools *t)
{
    if (!t->cuts)
        return;
    t->cuts = false;
    tdm_hand_open(t);
    if (!tdm_hand_none(t->editing)) {
        tdm_hand_edit_cut(t);
        return;
    }
    delete_selected(t);
    tdm_hand_close(t);
    tdm_hand_look_again(t);
}
