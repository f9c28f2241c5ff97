/* SPDX-License-Identifier: MIT */
#include "render/x_errors.h"

static _Thread_local unsigned met;

static int on_error(Display *display, XErrorEvent *error)
{
    (void)display;
    if (error->error_code == BadWindow || error->error_code == BadDrawable)
        met |= TDM_X_WINDOW_GONE;
    else if (error->error_code == BadAlloc)
        met |= TDM_X_NO_ROOM;
    else if (error->error_code == BadAccess)
        met |= TDM_X_DENIED;
    else
        met |= TDM_X_OTHER;
    return 0;
}

/* libX11's own handler ends the process before it comes to the display's exit handler. With this
 * one a lost display of another user of libX11 still ends it, by that display's exit handler. */
static int on_io_error(Display *display)
{
    (void)display;
    return 0;
}

void tdm_x_errors_catch(Display *display, void (*lost)(Display *display, void *arg), void *arg)
{
    (void)XSetErrorHandler(on_error);
    (void)XSetIOErrorHandler(on_io_error);
    XSetIOErrorExitHandler(display, lost, arg);
}

unsigned tdm_x_errors_take(unsigned wanted)
{
    unsigned taken = met & wanted;

    met &= ~wanted;
    return taken;
}
