/* SPDX-License-Identifier: MIT */
/* Colours, widths, letters: of the selection and of what comes next. */
#include "collab/board_tools_state.h"

#include <math.h>

#define FONT_STEP 1.25
#define FONT_MIN  (8 * TDM_BOARD_UNIT)
#define FONT_MAX  (400 * TDM_BOARD_UNIT)

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
