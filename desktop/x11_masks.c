/* SPDX-License-Identifier: MIT */

/*
 * What is grey. From the lowest window to the topmost: one that must not be seen adds its
 * rectangle, any other that nothing shines through takes its own out again.
 *
 * When one window is shown, all above it that do not belong to it must not be seen.
 */

#include "desktop/x11.h"

static bool is_hidden(const struct tdm_desktop *d, const struct x11_top *top,
                      const struct x11_top *shown)
{
    if (top->never)
        return true;
    return shown && top > shown && !x11_belongs_to(d, top, shown);
}

void x11_masks_compute(const struct tdm_desktop *d, struct tdm_region *masks)
{
    const struct tdm_rect root = {0, 0, d->link.width, d->link.height};
    bool one = d->pick.what == TDM_DESKTOP_WINDOW;
    const struct x11_top *shown = NULL;

    masks->count = 0;
    for (size_t i = 0; one && i < d->top_count; i++)
        if (d->tops[i].id == d->pick.window || d->tops[i].client == d->pick.window)
            shown = &d->tops[i];
    if ((one && (!shown || !shown->mapped)) || (d->too_many_tops && (one || d->rule_count > 0))) {
        tdm_region_add(masks, root);
        return;
    }
    for (const struct x11_top *top = d->tops; top < d->tops + d->top_count; top++) {
        if (!top->mapped || top->input_only)
            continue;
        struct tdm_rect seen = tdm_rect_both(top->area, shown ? shown->area : root);

        if (is_hidden(d, top, shown))
            tdm_region_add(masks, tdm_rect_both(seen, root));
        else if (!top->see_through)
            tdm_region_subtract(masks, seen);
    }
}
