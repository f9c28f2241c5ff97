/* SPDX-License-Identifier: MIT */
/* Annotations in the window: what is drawn over the picture, the hand that draws, the buttons. */
#include "render/screen_window_state.h"

#include <X11/Xutil.h>
#include <X11/keysym.h>
#include <pango/pangocairo.h>
#include <string.h>

#define FONT    "DejaVu Sans 9"
#define PADDING 8
#define GAP     2
#define UNIT    16

enum act { ACT_DRAW, ACT_TOOL, ACT_DO, ACT_DONE };

/* From the left; those of the second kind are there while one draws. */
static const struct button {
    const char *label;
    bool drawing;
    enum act act;
    enum tdm_ink_tool tool;
    const char *what;
    KeySym key;
} buttons[] = {
    {"Draw", false, ACT_DRAW, TDM_INK_PEN, NULL, NoSymbol},
    {"Pen P", true, ACT_TOOL, TDM_INK_PEN, NULL, XK_p},
    {"Arrow A", true, ACT_TOOL, TDM_INK_ARROW, NULL, XK_a},
    {"Box R", true, ACT_TOOL, TDM_INK_BOX, NULL, XK_r},
    {"Undo Z", true, ACT_DO, TDM_INK_PEN, "undo", XK_z},
    {"Clear mine X", true, ACT_DO, TDM_INK_PEN, "clear", XK_x},
    {"Freeze F", true, ACT_DO, TDM_INK_PEN, "freeze", XK_f},
    {"Done Esc", true, ACT_DONE, TDM_INK_PEN, NULL, XK_Escape},
};
#define BUTTONS ((int)(sizeof buttons / sizeof *buttons))

struct tdm_rect tdm_screen_window_ink_area(const struct tdm_screen_window *w,
                                           const struct tdm_screen_copy *c)
{
    struct tdm_rect r = c->ink_extent;

    if (!c->ink || tdm_rect_empty(r))
        return (struct tdm_rect){0, 0, 0, 0};
    r.x += c->surface.x;
    r.y += c->surface.y;
    return tdm_viewport_to_window(&w->viewport, r);
}

static void copy_rows(struct tdm_screen_copy *c, const struct tdm_ink_pixels *from,
                      struct tdm_rect r)
{
    int stride = cairo_image_surface_get_stride(c->ink);
    uint8_t *to = cairo_image_surface_get_data(c->ink);

    cairo_surface_flush(c->ink);
    for (int y = r.y; y < r.y + r.height; y++)
        memcpy(to + (ptrdiff_t)y * stride + (ptrdiff_t)r.x * 4,
               from->pixels + (ptrdiff_t)y * from->stride + (ptrdiff_t)r.x * 4,
               (size_t)r.width * 4);
    cairo_surface_mark_dirty(c->ink);
}

void tdm_screen_window_take_ink(struct tdm_screen_window *w, struct tdm_screen_copy *c)
{
    struct tdm_ink_pixels pixels;

    if (!c->picture || !w->source.ink(w->source.arg, c->surface.id, !c->ink, &pixels))
        return;
    struct tdm_rect all = {0, 0, pixels.width, pixels.height};
    struct tdm_rect changed = c->ink ? tdm_rect_both(pixels.changed, all) : all;

    if (!c->ink)
        c->ink = cairo_image_surface_create(CAIRO_FORMAT_ARGB32, pixels.width, pixels.height);
    if (cairo_image_surface_get_width(c->ink) == pixels.width &&
        cairo_image_surface_get_height(c->ink) == pixels.height) {
        copy_rows(c, &pixels, changed);
        c->ink_extent = pixels.extent;
        changed.x += c->surface.x;
        changed.y += c->surface.y;
        tdm_screen_window_dirty(w, tdm_viewport_to_window(&w->viewport, changed));
    }
    w->source.ink_done(w->source.arg);
}

void tdm_screen_window_draw(struct tdm_screen_window *w, bool draws)
{
    if (!w->source.hand)
        return;
    if (draws && !w->draws)
        w->source.ink_do(w->source.arg, "ask");
    w->draws = draws;
    w->hand_down = false;
    tdm_screen_window_dirty_all(w);
}

static void act_on(struct tdm_screen_window *w, const struct button *b)
{
    switch (b->act) {
    case ACT_DRAW:
        tdm_screen_window_draw(w, true);
        break;
    case ACT_TOOL:
        w->tool = b->tool;
        break;
    case ACT_DO:
        w->source.ink_do(w->source.arg, b->what);
        break;
    case ACT_DONE:
        tdm_screen_window_draw(w, false);
        break;
    }
    tdm_screen_window_dirty(w, tdm_screen_window_bar(w));
}

static PangoLayout *layout_of(cairo_t *cr, const char *text, int *width, int *height)
{
    PangoLayout *layout = pango_cairo_create_layout(cr);
    PangoFontDescription *font = pango_font_description_from_string(FONT);

    pango_layout_set_font_description(layout, font);
    pango_font_description_free(font);
    pango_layout_set_text(layout, text, -1);
    pango_layout_get_pixel_size(layout, width, height);
    return layout;
}

/* Where each button is; those that are not there are empty. @return where the leftmost begins. */
static int places(const struct tdm_screen_window *w, struct tdm_rect at[BUTTONS])
{
    struct tdm_rect bar = tdm_screen_window_bar(w);
    cairo_surface_t *probe = cairo_image_surface_create(CAIRO_FORMAT_RGB24, 8, 8);
    cairo_t *cr = cairo_create(probe);
    int right = bar.x + bar.width;

    for (int i = BUTTONS - 1; i >= 0; i--) {
        int width, height;

        at[i] = (struct tdm_rect){0, 0, 0, 0};
        if (w->full_screen || !w->source.hand || buttons[i].drawing != w->draws)
            continue;
        g_object_unref(layout_of(cr, buttons[i].label, &width, &height));
        right -= width + 2 * PADDING;
        at[i] =
            (struct tdm_rect){right, bar.y + GAP, width + 2 * PADDING - GAP, bar.height - 2 * GAP};
    }
    cairo_destroy(cr);
    cairo_surface_destroy(probe);
    return right;
}

int tdm_screen_window_paint_buttons(struct tdm_screen_window *w, cairo_t *cr)
{
    struct tdm_rect at[BUTTONS];
    struct tdm_rect bar = tdm_screen_window_bar(w);
    int left = places(w, at);

    cairo_set_source_rgb(cr, 0.16, 0.17, 0.19); /* Over words that are too long. */
    cairo_rectangle(cr, left - PADDING, bar.y, bar.x + bar.width - left + PADDING, bar.height);
    cairo_fill(cr);
    for (int i = 0; i < BUTTONS; i++) {
        bool chosen = w->draws && buttons[i].act == ACT_TOOL && buttons[i].tool == w->tool;
        int width, height;

        if (tdm_rect_empty(at[i]))
            continue;
        if (chosen)
            cairo_set_source_rgb(cr, 0.88, 0.19, 0.19);
        else
            cairo_set_source_rgb(cr, 0.27, 0.29, 0.32);
        cairo_rectangle(cr, at[i].x, at[i].y, at[i].width, at[i].height);
        cairo_fill(cr);
        PangoLayout *layout = layout_of(cr, buttons[i].label, &width, &height);

        cairo_set_source_rgb(cr, 0.93, 0.93, 0.93);
        cairo_move_to(cr, at[i].x + (at[i].width - width) / 2.0,
                      at[i].y + (at[i].height - height) / 2.0);
        pango_cairo_show_layout(cr, layout);
        g_object_unref(layout);
    }
    return left;
}

/* The surface at a place of the window; NULL: there is none. */
static const struct tdm_screen_surface *surface_at(const struct tdm_screen_window *w, int x, int y)
{
    for (int i = 0; i < w->count; i++) {
        const struct tdm_screen_surface *s = &w->copies[i].surface;

        if ((w->chosen < 0 || w->chosen == i) && x >= s->x && x < s->x + s->width && y >= s->y &&
            y < s->y + s->height)
            return s;
    }
    return NULL;
}

static const struct tdm_screen_surface *surface_of(const struct tdm_screen_window *w, uint8_t id)
{
    for (int i = 0; i < w->count; i++)
        if (w->copies[i].surface.id == id)
            return &w->copies[i].surface;
    return NULL;
}

/* The middle of the pixel under the pointer. */
static void tell_hand(struct tdm_screen_window *w, enum tdm_ink_act act, int x, int y)
{
    int world_x, world_y;

    tdm_viewport_to_world(&w->viewport, x, y, &world_x, &world_y);
    const struct tdm_screen_surface *s =
        act == TDM_INK_DOWN ? surface_at(w, world_x, world_y) : surface_of(w, w->hand_surface);

    if (!s)
        return;
    w->hand_surface = s->id;
    w->hand_down = act != TDM_INK_UP;
    w->source.hand(w->source.arg, act, w->tool, s->id, (world_x - s->x) * UNIT + UNIT / 2,
                   (world_y - s->y) * UNIT + UNIT / 2);
}

static bool on_bar(struct tdm_screen_window *w, const XButtonEvent *event)
{
    struct tdm_rect at[BUTTONS];
    const struct tdm_rect point = {event->x, event->y, 1, 1};

    if (w->full_screen || event->y < tdm_screen_window_bar(w).y)
        return false;
    (void)places(w, at);
    for (int i = 0; i < BUTTONS; i++)
        if (!tdm_rect_empty(tdm_rect_both(at[i], point))) {
            if (event->type == ButtonPress)
                act_on(w, &buttons[i]);
            return true;
        }
    return false;
}

bool tdm_screen_window_ink_button(struct tdm_screen_window *w, const XButtonEvent *event)
{
    bool down = event->type == ButtonPress;

    if (!w->source.hand)
        return false;
    if (event->button != Button1)
        return w->draws && event->button < 4; /* The wheel still scrolls the host. */
    if (!w->hand_down && on_bar(w, event))
        return true;
    if (!w->draws)
        return false;
    if (down || w->hand_down)
        tell_hand(w, down ? TDM_INK_DOWN : TDM_INK_UP, event->x, event->y);
    return true;
}

bool tdm_screen_window_ink_motion(struct tdm_screen_window *w, int x, int y)
{
    if (w->draws && w->hand_down)
        tell_hand(w, TDM_INK_MOVE, x, y);
    return w->draws;
}

bool tdm_screen_window_ink_key(struct tdm_screen_window *w, XKeyEvent *event)
{
    KeySym symbol = XLookupKeysym(event, 0);

    if (!w->draws)
        return false;
    for (int i = 0; i < BUTTONS && event->type == KeyPress; i++)
        if (buttons[i].drawing && buttons[i].key == symbol) {
            act_on(w, &buttons[i]);
            break;
        }
    return true;
}
