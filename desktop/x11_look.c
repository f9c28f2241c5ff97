/* SPDX-License-Identifier: MIT */

/* Looks at the pixels of the surfaces in strips of tiles, and finds those that have changed by the
 * tiles' hashes. When, and how far hints are trusted, is look.h. */

#include "desktop/x11.h"
#include "engine/base/tile.h"
#include "engine/io/clock.h"

#include <stdlib.h>

static struct tdm_rect looked_at(const struct tdm_desktop *d)
{
    const struct tdm_rect root = {0, 0, d->link.width, d->link.height};
    struct tdm_rect all = {0, 0, 0, 0};

    for (size_t i = 0; i < d->surface_count; i++)
        all = tdm_rect_around(all, tdm_rect_both(d->surfaces[i].area, root));
    return all;
}

static struct tdm_rect strip_of(const struct tdm_desktop *d, size_t strip)
{
    struct tdm_rect all = looked_at(d);
    struct tdm_rect rows = {all.x, all.y + (int)strip * X11_STRIP_ROWS, all.width, X11_STRIP_ROWS};

    return tdm_rect_both(rows, all);
}

enum tdm_err x11_look_start(struct tdm_desktop *d, tdm_time now, struct tdm_cause *cause)
{
    struct tdm_rect all = looked_at(d);
    size_t strips = ((size_t)all.height + X11_STRIP_ROWS - 1) / X11_STRIP_ROWS;

    if (strips > TDM_LOOK_STRIPS_MAX)
        strips = TDM_LOOK_STRIPS_MAX;
    free(d->tile_hashes);
    d->tile_columns = ((size_t)all.width + X11_STRIP_ROWS - 1) / X11_STRIP_ROWS;
    d->tile_hashes = calloc(strips * d->tile_columns + 1, sizeof *d->tile_hashes);
    tdm_look_init(&d->look, d->tile_hashes ? strips : 0, d->link.damage != 0, now);
    if (!d->tile_hashes)
        return tdm_fail(cause, TDM_E_SYSTEM, "no memory to watch the screen: close some programs");
    return TDM_OK;
}

void x11_look_hinted(struct tdm_desktop *d, struct tdm_rect rect)
{
    struct tdm_rect all = looked_at(d), seen = tdm_rect_both(rect, all);

    if (tdm_rect_empty(seen) || d->look.strip_count == 0)
        return;
    size_t first = (size_t)(seen.y - all.y) / X11_STRIP_ROWS;
    size_t last = (size_t)(seen.y + seen.height - 1 - all.y) / X11_STRIP_ROWS;

    for (size_t i = first; i <= last && i < d->look.strip_count; i++)
        d->hinted[i] = true;
}

/* Compares the strip's tiles with what they were; true when one differs. */
static bool compare_tiles(struct tdm_desktop *d, size_t strip, struct tdm_rect rect,
                          const struct x11_pixels *pixels)
{
    uint64_t *hashes = d->tile_hashes + strip * d->tile_columns;
    bool changed = false;

    for (size_t column = 0; column < d->tile_columns; column++) {
        int x = (int)column * X11_STRIP_ROWS;
        int width = rect.width - x < X11_STRIP_ROWS ? rect.width - x : X11_STRIP_ROWS;
        const struct tdm_tile tile = {.pixels = pixels->data + (size_t)x * 4,
                                      .stride = pixels->stride,
                                      .width = width,
                                      .height = rect.height};
        uint64_t hash = tdm_tile_hash(&tile);

        if (hashes[column] != 0 && hashes[column] != hash) {
            changed = true;
            x11_dirty(d, (struct tdm_rect){rect.x + x, rect.y, width, rect.height});
        }
        hashes[column] = hash;
    }
    return changed;
}

static void look_at_strip(struct tdm_desktop *d, size_t strip, struct tdm_look_seen *seen)
{
    struct tdm_rect rect = strip_of(d, strip);
    struct x11_pixels pixels;

    if (tdm_rect_empty(rect) || x11_link_grab(&d->link, rect, &pixels))
        return;
    x11_events_before(d, &pixels); /* With them the hints of draws that are in these pixels. */
    if (!d->monitors_changed && compare_tiles(d, strip, rect, &pixels)) {
        seen->changed++;
        seen->unhinted += !d->hinted[strip];
    }
    d->hinted[strip] = false;
    for (size_t i = 0; i < d->heard.count; i++) /* Draws there are not told of again yet. */
        x11_look_hinted(d, d->heard.rects[i]);
    x11_link_release(&pixels);
}

void x11_look(struct tdm_desktop *d, tdm_time now)
{
    struct tdm_look_plan plan = tdm_look_plan(&d->look, now);
    struct tdm_look_seen seen = {.began = now};

    if (plan.count == 0)
        return;
    for (size_t i = plan.first; i < plan.first + plan.count; i++)
        look_at_strip(d, i, &seen);
    seen.ended = tdm_clock_now();
    if (seen.ended < now)
        seen.ended = now;
    tdm_look_done(&d->look, &plan, &seen);
}
