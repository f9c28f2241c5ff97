/* SPDX-License-Identifier: MIT */
/* Commands on the selection and on pages. */
#include "collab/board_tools_state.h"

#include <math.h>
#include <string.h>

#define DUPLICATE_STEP 16.0 /* px to the right and down. */
#define FONT_STEP      1.25
#define FONT_MIN       (8 * TDM_BOARD_UNIT)
#define FONT_MAX       (400 * TDM_BOARD_UNIT)

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
        struct tdm_board_id id = tdm_board_id_of(t->board, o);

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

        if (!edge || tdm_board_same(tdm_board_id_of(t->board, edge), id))
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

/* Style -----------------------------------------------------------------------------------------
 */

/* Which property a command means for an object of that type; 0: none. */
static enum tdm_board_prop prop_of(enum tdm_board_command command, uint32_t type)
{
    bool shape = type == TDM_BOARD_RECTANGLE || type == TDM_BOARD_ELLIPSE ||
                 type == TDM_BOARD_DIAMOND || type == TDM_BOARD_LINE || type == TDM_BOARD_ARROW;
    bool ink = type == TDM_BOARD_PEN || type == TDM_BOARD_MARKER;
    bool text = tdm_hand_has_text(type);

    switch (command) {
    case TDM_BOARD_DO_COLOUR:
        return type == TDM_BOARD_IMAGE ? 0 : TDM_PROP_COLOUR;
    case TDM_BOARD_DO_FILL:
        return shape || type == TDM_BOARD_NOTE ? TDM_PROP_FILL : 0;
    case TDM_BOARD_DO_WIDTH:
        return shape || ink ? TDM_PROP_WIDTH : 0;
    case TDM_BOARD_DO_DASH:
        return shape ? TDM_PROP_DASH : 0;
    case TDM_BOARD_DO_OPACITY:
        return TDM_PROP_OPACITY;
    case TDM_BOARD_DO_FONT:
        return text ? TDM_PROP_FONT : 0;
    case TDM_BOARD_DO_FONT_SIZE:
        return text ? TDM_PROP_FONT_SIZE : 0;
    case TDM_BOARD_DO_ALIGN:
        return text ? TDM_PROP_ALIGN : 0;
    case TDM_BOARD_DO_CORNER:
        return type == TDM_BOARD_RECTANGLE ? TDM_PROP_CORNER : 0;
    default:
        return 0;
    }
}

static uint32_t selected_type(const struct tdm_board_tools *t)
{
    struct tdm_board_view view;

    return t->selected_count && tdm_hand_read(t, t->selected[0], &view) ? view.type : 0;
}

/* Keeps it for what comes next. */
static void remember(struct tdm_board_tools *t, enum tdm_board_command command, uint32_t value)
{
    struct tdm_board_style *s = &t->style;
    uint32_t type = selected_type(t);
    bool marker = t->tool == TDM_BOARD_TOOL_MARKER || type == TDM_BOARD_MARKER;
    bool note = t->tool == TDM_BOARD_TOOL_NOTE || type == TDM_BOARD_NOTE;

    switch (command) {
    case TDM_BOARD_DO_COLOUR:
        *(marker ? &s->marker_colour : &s->colour) = value;
        break;
    case TDM_BOARD_DO_FILL:
        if (!note)
            s->fill = value;
        else if (value & 0xff)
            s->note_fill = value;
        break;
    case TDM_BOARD_DO_WIDTH:
        *(marker ? &s->marker_width : &s->width) = (int32_t)(value & 0xffff);
        break;
    case TDM_BOARD_DO_DASH:
        s->dash = (uint8_t)(value % (TDM_DASH_DOTTED + 1));
        break;
    case TDM_BOARD_DO_OPACITY:
        s->opacity = (uint8_t)value;
        break;
    case TDM_BOARD_DO_FONT:
        s->font = (uint8_t)(value % (TDM_FONT_HAND + 1));
        break;
    case TDM_BOARD_DO_FONT_SIZE:
        s->font_size = (int32_t)(value & 0xffff);
        break;
    case TDM_BOARD_DO_ALIGN:
        s->align = (uint8_t)(value % (TDM_ALIGN_END + 1));
        break;
    default:
        s->corner = (int32_t)(value & 0xffff);
        break;
    }
}

void tdm_board_tools_style(const struct tdm_board_tools *t, struct tdm_board_style *style)
{
    struct tdm_board_view view;

    *style = t->style;
    if (t->tool == TDM_BOARD_TOOL_MARKER) {
        style->colour = t->style.marker_colour;
        style->width = t->style.marker_width;
    } else if (t->tool == TDM_BOARD_TOOL_NOTE) {
        style->fill = t->style.note_fill;
        style->colour = 0x1e1e1eff;
    }
    if (!t->selected_count || !tdm_hand_read(t, t->selected[0], &view))
        return;
    style->colour = view.colour;
    style->fill = view.fill;
    style->width = view.width;
    style->dash = (uint8_t)view.dash;
    style->opacity = view.opacity;
    style->font = (uint8_t)view.font;
    style->font_size = view.font_size;
    style->align = (uint8_t)view.align;
    style->corner = view.corner;
}

bool tdm_hand_restyle(struct tdm_board_tools *t, enum tdm_board_command command, uint32_t value)
{
    struct tdm_board_view view;

    if (command == TDM_BOARD_DO_FONT_LARGER || command == TDM_BOARD_DO_FONT_SMALLER) {
        struct tdm_board_style style;

        tdm_board_tools_style(t, &style);
        double size =
            style.font_size * (command == TDM_BOARD_DO_FONT_LARGER ? FONT_STEP : 1 / FONT_STEP);

        value = (uint32_t)lrint(fmin(fmax(size, FONT_MIN), FONT_MAX));
        command = TDM_BOARD_DO_FONT_SIZE;
    }
    if (command < TDM_BOARD_DO_COLOUR || command > TDM_BOARD_DO_CORNER)
        return false;
    bool was_open = t->step_open;

    remember(t, command, value);
    tdm_hand_open(t);
    for (uint32_t i = 0; i < t->selected_count; i++) {
        if (!tdm_hand_read(t, t->selected[i], &view) || view.locked)
            continue;
        enum tdm_board_prop prop = prop_of(command, view.type);

        if (prop)
            (void)tdm_hand_set_int(t, view.id, prop, value);
    }
    if (!was_open)
        tdm_hand_close(t);
    tdm_hand_look_again(t);
    t->asked |= TDM_BOARD_ASK_BARS | TDM_BOARD_ASK_MARKS;
    return true;
}

/* Pages -----------------------------------------------------------------------------------------
 */

uint32_t tdm_board_tools_page(const struct tdm_board_tools *t, uint32_t *count)
{
    uint32_t at = 0;

    *count = 0;
    for (const struct tdm_board_object *o = tdm_board_lowest(t->board, TDM_BOARD_NONE); o;
         o = tdm_board_above(o)) {
        if (tdm_board_same(tdm_board_id_of(t->board, o), t->page))
            at = *count;
        ++*count;
    }
    return at;
}

static struct tdm_board_seen *seen(struct tdm_board_tools *t, struct tdm_board_id page, bool make)
{
    for (uint32_t i = 0; i < t->seen_count; i++)
        if (tdm_board_same(t->seen[i].page, page))
            return &t->seen[i];
    if (!make)
        return NULL;
    if (t->seen_count == TDM_BOARD_SEEN_MAX) {
        memmove(t->seen, t->seen + 1, sizeof *t->seen * (TDM_BOARD_SEEN_MAX - 1));
        t->seen_count--;
    }
    t->seen[t->seen_count].page = page;
    return &t->seen[t->seen_count++];
}

void tdm_hand_go_to(struct tdm_board_tools *t, struct tdm_board_id page)
{
    struct tdm_board_canvas *c = &t->canvas;
    struct tdm_board_seen *s = seen(t, t->page, true);

    if (tdm_board_same(page, t->page))
        return;
    tdm_hand_end_gesture(t);
    tdm_hand_edit_end(t);
    s->x = c->x;
    s->y = c->y;
    s->zoom = c->zoom;
    t->page = page;
    t->sight.page(t->sight.arg, page);
    s = seen(t, page, false);
    c->zoom = s ? s->zoom : 1;
    c->x = s ? s->x : 0;
    c->y = s ? s->y : 0;
    t->hover = TDM_BOARD_NONE;
    tdm_hand_select_none(t);
    t->asked |= TDM_BOARD_ASK_VIEW | TDM_BOARD_ASK_BARS | TDM_BOARD_ASK_LIVE;
}

static const struct tdm_board_object *page_at(const struct tdm_board_tools *t, uint32_t at)
{
    const struct tdm_board_object *o = tdm_board_lowest(t->board, TDM_BOARD_NONE);

    while (o && at--)
        o = tdm_board_above(o);
    return o;
}

static void new_page(struct tdm_board_tools *t)
{
    const struct tdm_board_object *here = tdm_board_find(t->board, t->page);
    const struct tdm_board_object *next = here ? tdm_board_above(here) : NULL;
    struct tdm_board_view low, high;
    uint8_t key[TDM_BOARD_ORDER_MAX];
    struct tdm_board_id id;

    if (here)
        tdm_board_read(t->board, here, &low);
    if (next)
        tdm_board_read(t->board, next, &high);
    size_t size = tdm_board_order_between(t->board, here ? &low : NULL, next ? &high : NULL, key);
    struct tdm_board_value order = tdm_board_bytes(TDM_PROP_ORDER, key, size);

    tdm_hand_edit_end(t);
    tdm_hand_open(t);
    bool added = tdm_hand_add(t, TDM_BOARD_PAGE, &order, 1, &id);

    tdm_hand_close(t);
    if (added)
        tdm_hand_go_to(t, id);
}

static void delete_page(struct tdm_board_tools *t)
{
    uint32_t count, at = tdm_board_tools_page(t, &count);
    struct tdm_board_id page = t->page;

    if (count < 2) {
        tdm_hand_say(t, "The last page stays");
        return;
    }
    const struct tdm_board_object *other = page_at(t, at ? at - 1 : 1);

    if (!other)
        return;
    tdm_hand_go_to(t, tdm_board_id_of(t->board, other));
    tdm_hand_open(t);
    (void)tdm_hand_delete(t, page);
    tdm_hand_close(t);
    tdm_hand_say(t, "Page deleted: Ctrl Z brings it back");
}

bool tdm_hand_turn_page(struct tdm_board_tools *t, enum tdm_board_command command, uint32_t value)
{
    const struct tdm_board_object *o = NULL;
    uint32_t count, at = tdm_board_tools_page(t, &count);

    switch (command) {
    case TDM_BOARD_DO_PAGE_NEW:
        new_page(t);
        return true;
    case TDM_BOARD_DO_PAGE_DELETE:
        delete_page(t);
        return true;
    case TDM_BOARD_DO_PAGE_NEXT:
        o = page_at(t, at + 1);
        break;
    case TDM_BOARD_DO_PAGE_PREVIOUS:
        o = at ? page_at(t, at - 1) : NULL;
        break;
    case TDM_BOARD_DO_PAGE:
        o = value < count ? page_at(t, value) : NULL;
        break;
    default:
        return false;
    }
    if (o) {
        t->follows = false;
        tdm_hand_go_to(t, tdm_board_id_of(t->board, o));
    }
    return true;
}
