/* SPDX-License-Identifier: MIT */
#include "desktop/registry.h"

#include "engine/base/spec.h"
#include "engine/io/environment.h"

#include <stdlib.h>

static const struct tdm_desktop_ops *const desktops[] = {
    &tdm_x11_desktop,
    &tdm_pattern_desktop,
};

static bool is_set(const char *variable)
{
    const char *value = tdm_environment(variable);

    return value && *value;
}

/* The desktop of this session, or what its user can do. An X server for X programs beside Wayland
 * (Xwayland) is none: it shows their windows alone, and the rest as black. */
static const struct tdm_desktop_ops *session_desktop(struct tdm_cause *cause)
{
    if (is_set("WAYLAND_DISPLAY")) {
        (void)tdm_fail(cause, TDM_E_UNSUPPORTED,
                       "this is a Wayland session, whose screen other programs cannot read yet: "
                       "log in with \"Xorg\" chosen at the login screen, or share --desktop "
                       "x11:DISPLAY for the X programs alone");
        return NULL;
    }
    if (!is_set("DISPLAY")) {
        (void)tdm_fail(cause, TDM_E_GONE,
                       "there is no display to share: run this in a desktop session, or set "
                       "DISPLAY, or name one as x11:DISPLAY");
        return NULL;
    }
    return &tdm_x11_desktop;
}

const struct tdm_desktop_ops *tdm_desktop_find(const char *spec, const char **argument,
                                               struct tdm_cause *cause)
{
    *argument = "";
    if (!*spec)
        return session_desktop(cause);
    for (size_t i = 0; i < sizeof desktops / sizeof *desktops; i++)
        if (tdm_spec_is(spec, desktops[i]->kind, argument))
            return desktops[i];
    (void)tdm_fail(cause, TDM_E_UNSUPPORTED,
                   "no desktop \"%s\": there are x11[:DISPLAY] and pattern[:NAME]", spec);
    return NULL;
}

/* A decimal or 0x number that ends at `end`; false otherwise. */
static bool number_until(const char **text, const char *ends, long *value)
{
    char *end;
    bool digit = **text >= '0' && **text <= '9';

    *value = strtol(*text, &end, 0);
    if (!digit || (*end && !strchr(ends, *end)) || (!*end && *ends))
        return false;
    *text = *end ? end + 1 : end;
    return true;
}

static bool parse_rect(const char *text, struct tdm_rect *rect)
{
    long width, height, x, y;

    if (!number_until(&text, "x", &width) || !number_until(&text, "+", &height) ||
        !number_until(&text, "+", &x) || !number_until(&text, "", &y))
        return false;
    if (width < 1 || width > TDM_DESKTOP_SIDE_MAX || height < 1 || height > TDM_DESKTOP_SIDE_MAX ||
        x > INT16_MAX || y > INT16_MAX)
        return false;
    *rect = (struct tdm_rect){(int)x, (int)y, (int)width, (int)height};
    return true;
}

enum tdm_err tdm_desktop_pick_parse(const char *text, struct tdm_desktop_pick *pick,
                                    struct tdm_cause *cause)
{
    const char *rest = text;
    long value;

    *pick = (struct tdm_desktop_pick){.what = TDM_DESKTOP_ALL};
    if (strcmp(text, "all") == 0)
        return TDM_OK;
    if (number_until(&rest, "", &value) && value >= 1 && value <= TDM_DESKTOP_SURFACES_MAX) {
        pick->what = TDM_DESKTOP_OUTPUT;
        pick->number = (int)value;
        return TDM_OK;
    }
    if (strcmp(text, "window") == 0) {
        pick->what = TDM_DESKTOP_WINDOW;
        return TDM_OK;
    }
    if (tdm_spec_is(text, "window", &rest) && number_until(&rest, "", &value) && value > 0 &&
        value <= UINT32_MAX) {
        pick->what = TDM_DESKTOP_WINDOW;
        pick->window = (uint32_t)value;
        return TDM_OK;
    }
    if (parse_rect(text, &pick->rect)) {
        pick->what = TDM_DESKTOP_RECT;
        return TDM_OK;
    }
    return tdm_fail(cause, TDM_E_MALFORMED,
                    "\"%s\" names no part of a desktop: write all, a monitor's number, "
                    "window (and click it), window:ID or WIDTHxHEIGHT+X+Y",
                    text);
}
