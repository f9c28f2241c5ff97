/* SPDX-License-Identifier: MIT */
/*
 * Asks the window with a title to close, as a window manager does when a person clicks its corner
 * (ICCCM section 4.2.8.1): close_window TITLE. 0: asked; 1: there is no such window.
 */
#include <X11/Xlib.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define DEPTH_MAX       4
#define TITLE_WORDS_MAX 64 /* Of four bytes. */

/* By the name in UTF-8; the older one is of the program's locale. */
static bool is_called(Display *display, Window window, const char *title)
{
    Atom name = XInternAtom(display, "_NET_WM_NAME", False), type;
    unsigned char *text = NULL;
    unsigned long size = 0, left;
    int format;
    bool same =
        XGetWindowProperty(display, window, name, 0, TITLE_WORDS_MAX, False, AnyPropertyType, &type,
                           &format, &size, &left, &text) == Success &&
        text && size == strlen(title) && memcmp(text, title, size) == 0;

    if (text)
        (void)XFree(text);
    return same;
}

static Window find(Display *display, Window at, const char *title, int depth)
{
    Window root, parent, *children = NULL, found = 0;
    unsigned count = 0;

    if (is_called(display, at, title))
        return at;
    if (depth == DEPTH_MAX || !XQueryTree(display, at, &root, &parent, &children, &count))
        return found;
    for (unsigned i = 0; i < count && !found; i++)
        found = find(display, children[i], title, depth + 1);
    if (children)
        (void)XFree(children);
    return found;
}

int main(int argc, char **argv)
{
    Display *display = XOpenDisplay(NULL);
    XEvent event = {.xclient = {.type = ClientMessage, .format = 32}};

    if (!display || argc != 2)
        return 2;
    Window window = find(display, DefaultRootWindow(display), argv[1], 0);

    if (window) {
        event.xclient.window = window;
        event.xclient.message_type = XInternAtom(display, "WM_PROTOCOLS", False);
        event.xclient.data.l[0] = (long)XInternAtom(display, "WM_DELETE_WINDOW", False);
        (void)XSendEvent(display, window, False, NoEventMask, &event);
    }
    (void)XCloseDisplay(display);
    return window ? 0 : 1;
}
