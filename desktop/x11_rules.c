/* SPDX-License-Identifier: MIT */

/* Which windows are never shown, which belong together, and which one is a screen lock. */

#include "desktop/x11.h"

#include <string.h>
#include <strings.h>

static bool is_part(const char *part, const char *whole)
{
    size_t size = strlen(part);

    for (; *whole; whole++)
        if (strncasecmp(whole, part, size) == 0)
            return true;
    return size == 0;
}

static bool matches(const struct tdm_desktop_rule *rule, const struct x11_top *top)
{
    return (*rule->class_part || *rule->title_part) && is_part(rule->class_part, top->class_name) &&
           is_part(rule->title_part, top->title);
}

bool x11_same_client(const struct tdm_desktop *d, xcb_window_t a, xcb_window_t b)
{
    return ((a ^ b) & d->link.client_bits) == 0;
}

static bool is_of(const struct x11_top *top, xcb_window_t id)
{
    return id != XCB_NONE && (top->id == id || top->client == id);
}

/* A dialog names the window it is for, or only its group; menus and tooltips name nothing, but
 * come over the same connection. */
bool x11_belongs_to(const struct tdm_desktop *d, const struct x11_top *top,
                    const struct x11_top *shown)
{
    if (top == shown || is_of(shown, top->transient_for))
        return true;
    if (top->override_redirect && x11_same_client(d, top->client, shown->client))
        return true;
    return top->transient_for == d->link.root && top->leader != XCB_NONE &&
           top->leader == shown->leader;
}

static bool belongs_to_never(const struct tdm_desktop *d, const struct x11_top *top)
{
    for (size_t i = 0; i < d->top_count; i++)
        if (d->tops[i].never && x11_belongs_to(d, top, &d->tops[i]))
            return true;
    return false;
}

void x11_rules_apply(struct tdm_desktop *d)
{
    bool more = false;

    for (size_t i = 0; i < d->top_count; i++) {
        d->tops[i].never = false;
        for (size_t r = 0; r < d->rule_count; r++)
            if (matches(&d->rules[r], &d->tops[i]))
                d->tops[i].never = more = true;
    }
    while (more) { /* A menu of a dialog of it. Each round finds one more, or ends. */
        more = false;
        for (size_t i = 0; i < d->top_count; i++)
            if (!d->tops[i].never && belongs_to_never(d, &d->tops[i]))
                d->tops[i].never = more = true;
    }
}

bool x11_is_lock(const struct tdm_desktop *d)
{
    static const char *const lockers[] = {
        "i3lock",
        "slock",
        "xsecurelock",
        "xscreensaver",
        "xtrlock",
        "light-locker",
        "gnome-screensaver",
        "mate-screensaver",
        "cinnamon-screensaver",
        "xfce4-screensaver",
        "kscreenlocker",
        "physlock",
        "xlock",
        "alock",
    };
    const struct tdm_rect root = {0, 0, d->link.width, d->link.height};

    for (size_t i = d->top_count; i-- > 0;) {
        const struct x11_top *top = &d->tops[i];

        if (!top->mapped || !tdm_rect_equal(tdm_rect_both(top->area, root), root))
            continue;
        for (size_t n = 0; n < sizeof lockers / sizeof *lockers; n++)
            if (is_part(lockers[n], top->class_name) || is_part(lockers[n], top->title))
                return true;
    }
    return false;
}
