/* SPDX-License-Identifier: MIT */

/*
 * The children of the root window, from the lowest to the topmost, as the server tells of them,
 * and which program's window each of them is or holds (window managers put frames around).
 */

#include "desktop/x11.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xcb/shape.h>

#define ICONIC        3 /* ICCCM 4.1.3.1. */
#define CLIENT_DEPTH  3 /* How deep a frame may hold its client. */
#define CHILDREN_READ 32

static size_t index_of(const struct tdm_desktop *d, xcb_window_t id)
{
    size_t i = 0;

    while (i < d->top_count && d->tops[i].id != id)
        i++;
    return i;
}

struct x11_top *x11_windows_find(struct tdm_desktop *d, xcb_window_t id)
{
    for (size_t i = 0; i < d->top_count; i++)
        if (d->tops[i].id == id || d->tops[i].client == id)
            return &d->tops[i];
    return NULL;
}

static struct x11_top *add_top(struct tdm_desktop *d, xcb_window_t id)
{
    size_t at = index_of(d, id);

    if (at == d->top_count) {
        if (d->top_count == X11_TOPS_MAX) {
            d->too_many_tops = true;
            return NULL;
        }
        d->top_count++;
    }
    d->tops[at] = (struct x11_top){.id = id, .client = id};
    if (d->link.has_shape)
        (void)xcb_shape_select_input(d->link.connection, id, 1);
    return &d->tops[at];
}

static void remove_top(struct tdm_desktop *d, xcb_window_t id)
{
    size_t at = index_of(d, id);

    if (at == d->top_count)
        return;
    d->top_count--;
    memmove(&d->tops[at], &d->tops[at + 1], (d->top_count - at) * sizeof *d->tops);
}

/* Puts one right above another, at the bottom for XCB_NONE. */
static void restack(struct tdm_desktop *d, xcb_window_t id, xcb_window_t below)
{
    size_t from = index_of(d, id);
    struct x11_top top;

    if (from == d->top_count || id == below)
        return;
    top = d->tops[from];
    remove_top(d, id);
    size_t to = below == XCB_NONE ? 0 : index_of(d, below);

    if (below != XCB_NONE && to < d->top_count)
        to++;
    memmove(&d->tops[to + 1], &d->tops[to], (d->top_count - to) * sizeof *d->tops);
    d->tops[to] = top;
    d->top_count++;
}

static struct tdm_rect area_of(int x, int y, int width, int height, int border)
{
    return (struct tdm_rect){x, y, width + 2 * border, height + 2 * border};
}

static bool on_create(struct tdm_desktop *d, const xcb_create_notify_event_t *e)
{
    if (e->parent != d->link.root)
        return false;
    struct x11_top *top = add_top(d, e->window);

    if (top) {
        top->area = area_of(e->x, e->y, e->width, e->height, e->border_width);
        top->override_redirect = e->override_redirect;
        top->placed = true;
    }
    return true;
}

static bool on_configure(struct tdm_desktop *d, const xcb_configure_notify_event_t *e)
{
    size_t at = index_of(d, e->window);

    if (e->window == d->link.root) {
        d->monitors_changed = true;
        if (e->width != d->link.width || e->height != d->link.height)
            x11_link_resize(&d->link, e->width, e->height);
        return true;
    }
    if (at == d->top_count)
        return false;
    d->tops[at].area = area_of(e->x, e->y, e->width, e->height, e->border_width);
    d->tops[at].override_redirect = e->override_redirect;
    if (e->above_sibling != (at > 0 ? d->tops[at - 1].id : XCB_NONE))
        restack(d, e->window, e->above_sibling);
    return true;
}

static bool on_reparent(struct tdm_desktop *d, const xcb_reparent_notify_event_t *e)
{
    struct x11_top *frame = x11_windows_find(d, e->parent);

    if (e->parent != d->link.root) {
        remove_top(d, e->window);
        if (frame)
            frame->known = false;
        return true;
    }
    struct x11_top *top = add_top(d, e->window);

    if (top) /* Its sides come with the reading. */
        top->override_redirect = e->override_redirect;
    return true;
}

static bool on_map(struct tdm_desktop *d, xcb_window_t window, bool mapped)
{
    size_t at = index_of(d, window);

    if (at == d->top_count)
        return false;
    d->tops[at].mapped = mapped;
    d->tops[at].known = false;
    return true;
}

static bool on_property(struct tdm_desktop *d, const xcb_property_notify_event_t *e)
{
    if (e->window == d->link.root) {
        if (e->atom == XCB_ATOM_RESOURCE_MANAGER) {
            x11_surfaces_read_scale(d);
            d->monitors_changed = true;
        }
        d->active_changed = d->active_changed || e->atom == d->link.atoms[X11_NET_ACTIVE_WINDOW];
        return d->active_changed;
    }
    struct x11_top *top = x11_windows_find(d, e->window);
    const xcb_atom_t read[] = {
        XCB_ATOM_WM_NAME,
        XCB_ATOM_WM_CLASS,
        XCB_ATOM_WM_TRANSIENT_FOR,
        d->link.atoms[X11_NET_WM_NAME],
        d->link.atoms[X11_WM_STATE],
        d->link.atoms[X11_WM_CLIENT_LEADER],
    };

    for (size_t i = 0; top && i < sizeof read / sizeof *read; i++)
        if (e->atom == read[i]) {
            top->known = false;
            return true;
        }
    return false;
}

static bool on_circulate(struct tdm_desktop *d, const xcb_circulate_notify_event_t *e)
{
    size_t at = index_of(d, e->window);

    if (at == d->top_count)
        return false;
    restack(d, e->window,
            e->place == XCB_PLACE_ON_TOP && d->top_count > 1
                ? d->tops[d->top_count - (at == d->top_count - 1 ? 2 : 1)].id
                : XCB_NONE);
    return true;
}

static bool on_shape(struct tdm_desktop *d, const xcb_shape_notify_event_t *e)
{
    size_t at = index_of(d, e->affected_window);

    if (at == d->top_count)
        return false;
    d->tops[at].known = false;
    return true;
}

static bool on_event(struct tdm_desktop *d, const xcb_generic_event_t *event)
{
    uint8_t type = event->response_type & 0x7f;

    switch (type) {
    case XCB_CREATE_NOTIFY:
        return on_create(d, (const void *)event);
    case XCB_DESTROY_NOTIFY:
        remove_top(d, ((const xcb_destroy_notify_event_t *)event)->window);
        return true;
    case XCB_MAP_NOTIFY:
        return on_map(d, ((const xcb_map_notify_event_t *)event)->window, true);
    case XCB_UNMAP_NOTIFY:
        return on_map(d, ((const xcb_unmap_notify_event_t *)event)->window, false);
    case XCB_REPARENT_NOTIFY:
        return on_reparent(d, (const void *)event);
    case XCB_CONFIGURE_NOTIFY:
        return on_configure(d, (const void *)event);
    case XCB_CIRCULATE_NOTIFY:
        return on_circulate(d, (const void *)event);
    case XCB_PROPERTY_NOTIFY:
        return on_property(d, (const void *)event);
    default:
        return d->link.has_shape && type == d->link.shape_event && on_shape(d, (const void *)event);
    }
}

bool x11_windows_event(struct tdm_desktop *d, const xcb_generic_event_t *event)
{
    bool changed = on_event(d, event);

    d->windows_changed = d->windows_changed || changed;
    return changed;
}

/* Copies text that may come from anybody: whole UTF-8 characters or Latin-1, no control codes. */
static void copy_text(char *to, size_t size, const char *from, size_t length, bool utf8)
{
    size_t at = 0;

    for (size_t i = 0; i < length; i++) {
        uint8_t byte = (uint8_t)from[i];

        if (byte < 0x20 || byte == 0x7f)
            byte = ' ';
        if (at + 2 >= size)
            break;
        if (byte < 0x80 || utf8) {
            to[at++] = (char)byte;
        } else {
            to[at++] = (char)(0xc0 | byte >> 6);
            to[at++] = (char)(0x80 | (byte & 0x3f));
        }
    }
    /* A character that was cut off at the end goes as a whole. */
    size_t start = at;

    while (start > 0 && ((uint8_t)to[start - 1] & 0xc0) == 0x80)
        start--;
    if (start > 0 && (uint8_t)to[start - 1] >= 0xc0) {
        uint8_t first = (uint8_t)to[start - 1];
        size_t wanted = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;

        if (at - (start - 1) < wanted)
            at = start - 1;
    }
    to[at] = '\0';
}

struct property {
    xcb_get_property_reply_t *reply;
    const char *value;
    size_t size;
};

static struct property take(struct tdm_desktop *d, xcb_get_property_cookie_t asked)
{
    struct property p = {.reply = xcb_get_property_reply(d->link.connection, asked, NULL)};

    if (p.reply) {
        p.value = xcb_get_property_value(p.reply);
        p.size = (size_t)xcb_get_property_value_length(p.reply);
    }
    return p;
}

static xcb_get_property_cookie_t ask(struct tdm_desktop *d, xcb_window_t window, xcb_atom_t name,
                                     uint32_t words)
{
    return xcb_get_property(d->link.connection, 0, window, name, XCB_GET_PROPERTY_TYPE_ANY, 0,
                            words);
}

static uint32_t take_u32(struct tdm_desktop *d, xcb_get_property_cookie_t asked)
{
    struct property p = take(d, asked);
    uint32_t value = 0;

    if (p.reply && p.reply->format == 32 && p.size >= 4)
        memcpy(&value, p.value, 4);
    free(p.reply);
    return value;
}

/* A program's window has a class or a state. */
static bool is_client(struct tdm_desktop *d, xcb_window_t window)
{
    xcb_get_property_cookie_t state = ask(d, window, d->link.atoms[X11_WM_STATE], 0);
    xcb_get_property_cookie_t class = ask(d, window, XCB_ATOM_WM_CLASS, 0);
    struct property a = take(d, state), b = take(d, class);
    bool found =
        (a.reply && a.reply->type != XCB_ATOM_NONE) || (b.reply && b.reply->type != XCB_ATOM_NONE);

    free(a.reply);
    free(b.reply);
    return found;
}

/* The client in a frame; XCB_NONE when there is none. Breadth is bounded, and depth. */
static xcb_window_t client_in(struct tdm_desktop *d, xcb_window_t window, int depth)
{
    xcb_window_t found = XCB_NONE;

    if (is_client(d, window))
        return window;
    if (depth == CLIENT_DEPTH)
        return XCB_NONE;
    xcb_query_tree_reply_t *tree =
        xcb_query_tree_reply(d->link.connection, xcb_query_tree(d->link.connection, window), NULL);

    if (!tree)
        return XCB_NONE;
    int count = xcb_query_tree_children_length(tree);

    for (int i = 0; i < count && i < CHILDREN_READ && found == XCB_NONE; i++)
        found = client_in(d, xcb_query_tree_children(tree)[i], depth + 1);
    free(tree);
    return found;
}

static void read_title(struct x11_top *top, const struct property *net,
                       const struct property *icccm)
{
    if (net->reply && net->size > 0)
        copy_text(top->title, sizeof top->title, net->value, net->size, true);
    else if (icccm->reply)
        copy_text(top->title, sizeof top->title, icccm->value, icccm->size,
                  icccm->reply->type != XCB_ATOM_STRING);
}

/* "instance/class", or the class alone where they differ in the case of letters only. */
static void read_class(struct x11_top *top, const struct property *p)
{
    char instance[64], class_name[64];
    size_t first = p->reply ? strnlen(p->value, p->size) : 0;
    size_t rest = first < p->size ? p->size - first - 1 : 0;

    copy_text(instance, sizeof instance, p->value, first, true);
    copy_text(class_name, sizeof class_name, p->value + first + 1,
              rest ? strnlen(p->value + first + 1, rest) : 0, true);
    if (!*class_name || strcasecmp(instance, class_name) == 0)
        (void)snprintf(top->class_name, sizeof top->class_name, "%.63s",
                       *class_name ? class_name : instance);
    else
        (void)snprintf(top->class_name, sizeof top->class_name, "%.31s/%.31s", instance,
                       class_name);
}

static void read_properties(struct tdm_desktop *d, struct x11_top *top)
{
    const uint32_t events = XCB_EVENT_MASK_PROPERTY_CHANGE;

    (void)xcb_change_window_attributes(d->link.connection, top->client, XCB_CW_EVENT_MASK, &events);
    xcb_get_property_cookie_t net = ask(d, top->client, d->link.atoms[X11_NET_WM_NAME], 64);
    xcb_get_property_cookie_t icccm = ask(d, top->client, XCB_ATOM_WM_NAME, 64);
    xcb_get_property_cookie_t class = ask(d, top->client, XCB_ATOM_WM_CLASS, 64);
    xcb_get_property_cookie_t state = ask(d, top->client, d->link.atoms[X11_WM_STATE], 1);
    xcb_get_property_cookie_t transient = ask(d, top->client, XCB_ATOM_WM_TRANSIENT_FOR, 1);
    xcb_get_property_cookie_t leader = ask(d, top->client, d->link.atoms[X11_WM_CLIENT_LEADER], 1);
    struct property a = take(d, net), b = take(d, icccm), c = take(d, class);

    *top->title = *top->class_name = '\0';
    read_title(top, &a, &b);
    read_class(top, &c);
    free(a.reply);
    free(b.reply);
    free(c.reply);
    top->iconic = take_u32(d, state) == ICONIC;
    top->transient_for = take_u32(d, transient);
    top->leader = take_u32(d, leader);
}

static void read_look(struct tdm_desktop *d, struct x11_top *top)
{
    xcb_connection_t *c = d->link.connection;
    xcb_get_window_attributes_cookie_t attributes = xcb_get_window_attributes(c, top->id);
    xcb_get_geometry_cookie_t geometry = xcb_get_geometry(c, top->id);
    xcb_shape_query_extents_cookie_t extents = {0};

    if (d->link.has_shape)
        extents = xcb_shape_query_extents(c, top->id);
    xcb_get_window_attributes_reply_t *a = xcb_get_window_attributes_reply(c, attributes, NULL);
    xcb_get_geometry_reply_t *g = xcb_get_geometry_reply(c, geometry, NULL);
    xcb_shape_query_extents_reply_t *s = NULL;

    if (d->link.has_shape)
        s = xcb_shape_query_extents_reply(c, extents, NULL);
    if (a && !top->placed)
        top->mapped = a->map_state != XCB_MAP_STATE_UNMAPPED;
    if (g && !top->placed)
        top->area = area_of(g->x, g->y, g->width, g->height, g->border_width);
    top->placed = true;
    if (a) {
        top->override_redirect = a->override_redirect;
        top->input_only = a->_class == XCB_WINDOW_CLASS_INPUT_ONLY;
    }
    top->see_through = !g || g->depth != d->link.depth || (s && s->bounding_shaped);
    free(a);
    free(g);
    free(s);
}

void x11_windows_read(struct tdm_desktop *d)
{
    for (size_t i = 0; i < d->top_count; i++) {
        struct x11_top *top = &d->tops[i];

        if (top->known)
            continue;
        read_look(d, top);
        xcb_window_t client = top->input_only ? XCB_NONE : client_in(d, top->id, 0);

        top->client = client == XCB_NONE ? top->id : client;
        read_properties(d, top);
        top->known = true;
    }
    if (d->active_changed)
        d->active = take_u32(d, ask(d, d->link.root, d->link.atoms[X11_NET_ACTIVE_WINDOW], 1));
    d->active_changed = false;
}

void x11_windows_start(struct tdm_desktop *d)
{
    xcb_query_tree_reply_t *tree = xcb_query_tree_reply(
        d->link.connection, xcb_query_tree(d->link.connection, d->link.root), NULL);
    int count = tree ? xcb_query_tree_children_length(tree) : 0;

    for (int i = 0; i < count; i++)
        (void)add_top(d, xcb_query_tree_children(tree)[i]);
    free(tree);
    d->windows_changed = d->active_changed = true;
}

static bool is_for_users(const struct x11_top *top)
{
    return !top->override_redirect && !top->input_only && (*top->title || *top->class_name) &&
           (top->mapped || top->iconic);
}

/* Writes one of the list; true when it is another than before. */
static bool put_window(struct tdm_desktop_window *to, const struct tdm_desktop_window *window)
{
    bool same = to->id == window->id && tdm_rect_equal(to->area, window->area) &&
                to->active == window->active && to->minimised == window->minimised &&
                to->never == window->never && strcmp(to->class_name, window->class_name) == 0 &&
                strcmp(to->title, window->title) == 0;

    *to = *window;
    return !same;
}

bool x11_windows_list(struct tdm_desktop *d)
{
    size_t before = d->window_count, count = 0;
    bool changed = false;

    for (size_t i = d->top_count; i-- > 0 && count < TDM_DESKTOP_WINDOWS_MAX;) {
        const struct x11_top *top = &d->tops[i];

        if (!is_for_users(top))
            continue;
        struct tdm_desktop_window window = {
            .id = top->client,
            .area = top->area,
            .active = d->active != XCB_NONE && top->client == d->active,
            .minimised = !top->mapped,
            .never = top->never,
        };

        memcpy(window.class_name, top->class_name, sizeof window.class_name);
        memcpy(window.title, top->title, sizeof window.title);
        changed = put_window(&d->windows[count++], &window) || changed;
    }
    d->window_count = count;
    return changed || count != before;
}
