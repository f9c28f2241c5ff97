/* SPDX-License-Identifier: MIT */

/* A window by a click of the person at the display: the pointer and the keyboard are taken until a
 * button was let go, so that neither the click nor Escape comes to any program. */

#include "desktop/x11.h"
#include "engine/io/clock.h"
#include "engine/io/wake.h"

#include <stdlib.h>

#define PATIENCE   (60 * TDM_S) /* Then nobody is there; the person gets his pointer back. */
#define GRAB_FOR   (5 * TDM_S)
#define GRAB_EVERY (20 * TDM_MS)
#define ESCAPE     0xff1b /* Its keysym. */
#define CROSSHAIR  34     /* In the font of cursors, whose masks follow their shapes. */
#define LEFT       1

/* Fails while somebody else has one of them: a menu, or a key that is still held. */
static bool grab_both(const struct x11_link *link, xcb_cursor_t cursor)
{
    xcb_connection_t *c = link->connection;
    xcb_grab_pointer_reply_t *pointer = xcb_grab_pointer_reply(
        c,
        xcb_grab_pointer(
            c, 0, link->root, XCB_EVENT_MASK_BUTTON_PRESS | XCB_EVENT_MASK_BUTTON_RELEASE,
            XCB_GRAB_MODE_ASYNC, XCB_GRAB_MODE_ASYNC, XCB_NONE, cursor, XCB_CURRENT_TIME),
        NULL);
    xcb_grab_keyboard_reply_t *keyboard =
        xcb_grab_keyboard_reply(c,
                                xcb_grab_keyboard(c, 0, link->root, XCB_CURRENT_TIME,
                                                  XCB_GRAB_MODE_ASYNC, XCB_GRAB_MODE_ASYNC),
                                NULL);
    bool both = pointer && keyboard && pointer->status == XCB_GRAB_STATUS_SUCCESS &&
                keyboard->status == XCB_GRAB_STATUS_SUCCESS;

    free(pointer);
    free(keyboard);
    return both;
}

static bool hold(const struct x11_link *link)
{
    xcb_connection_t *c = link->connection;
    xcb_font_t font = xcb_generate_id(c);
    xcb_cursor_t cursor = xcb_generate_id(c);
    tdm_time end = tdm_clock_now() + GRAB_FOR;

    (void)xcb_open_font(c, font, 6, "cursor");
    (void)xcb_create_glyph_cursor(c, cursor, font, font, CROSSHAIR, CROSSHAIR + 1, 0, 0, 0, 0xffff,
                                  0xffff, 0xffff);
    (void)xcb_close_font(c, font);
    while (!grab_both(link, cursor)) {
        tdm_time next = tdm_clock_now() + GRAB_EVERY;

        if (next > end || x11_link_gone(link))
            return false;
        (void)tdm_wait_until(next, -1, -1);
    }
    return true;
}

static bool is_escape(xcb_connection_t *c, xcb_keycode_t code)
{
    xcb_get_keyboard_mapping_reply_t *map =
        xcb_get_keyboard_mapping_reply(c, xcb_get_keyboard_mapping(c, code, 1), NULL);
    bool is = map && xcb_get_keyboard_mapping_keysyms_length(map) > 0 &&
              xcb_get_keyboard_mapping_keysyms(map)[0] == ESCAPE;

    free(map);
    return is;
}

struct choice {
    bool pressed, ended;
    xcb_window_t window; /* 0: cancelled. */
};

static void take(struct choice *choice, xcb_connection_t *c, const xcb_generic_event_t *event)
{
    const xcb_button_press_event_t *button = (const void *)event;

    switch (event->response_type & 0x7f) {
    case XCB_KEY_PRESS:
        choice->ended = is_escape(c, ((const xcb_key_press_event_t *)event)->detail);
        choice->window = choice->ended ? XCB_NONE : choice->window;
        break;
    case XCB_BUTTON_PRESS:
        if (choice->pressed)
            break;
        /* A click on the desktop itself means nothing yet. */
        choice->window = button->detail == LEFT ? button->child : XCB_NONE;
        choice->pressed = button->detail != LEFT || choice->window;
        break;
    case XCB_BUTTON_RELEASE:
        choice->ended = choice->pressed;
        break;
    default:
        break;
    }
}

enum tdm_err x11_choose(const char *display, uint32_t *window, struct tdm_cause *cause)
{
    struct x11_link link = {0};
    struct choice choice = {0};
    enum tdm_err err = x11_link_open(&link, display, false, cause);

    if (err == TDM_OK && !hold(&link))
        err = tdm_fail(cause, TDM_E_GONE,
                       "another program holds the pointer: close its menu, or name window:ID");
    tdm_time end = tdm_clock_now() + PATIENCE;

    while (err == TDM_OK && !choice.ended && !x11_link_gone(&link) && tdm_clock_now() < end) {
        xcb_generic_event_t *event = xcb_poll_for_event(link.connection);

        if (event)
            take(&choice, link.connection, event);
        else
            (void)tdm_wait_until(end, xcb_get_file_descriptor(link.connection), -1);
        free(event);
    }
    if (err == TDM_OK && x11_link_gone(&link))
        err = x11_link_lost(&link, cause);
    else if (err == TDM_OK && (!choice.ended || !choice.window))
        err = tdm_fail(cause, TDM_E_GONE, "no window was chosen");
    x11_link_close(&link); /* The grabs end with it. */
    *window = choice.window;
    return err;
}
