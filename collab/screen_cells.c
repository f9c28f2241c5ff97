/* SPDX-License-Identifier: MIT */
#include "collab/screen_cells.h"

#define SIDE       (TDM_SCREEN_TILE / TDM_SCREEN_CELL) /* Cells of a tile, either way. */
#define EXTRA_MAX  8                                   /* Cells too many that save a rectangle. */
#define ROW_OF_ALL 0xffu

struct tdm_screen_cells tdm_screen_cells_of(uint64_t *masks, int width, int height)
{
    return (struct tdm_screen_cells){
        .masks = masks,
        .tiles_x = (width + TDM_SCREEN_TILE - 1) / TDM_SCREEN_TILE,
        .tiles_y = (height + TDM_SCREEN_TILE - 1) / TDM_SCREEN_TILE,
        .columns = (width + TDM_SCREEN_CELL - 1) / TDM_SCREEN_CELL,
        .rows = (height + TDM_SCREEN_CELL - 1) / TDM_SCREEN_CELL,
    };
}

static int least(int a, int b)
{
    return a < b ? a : b;
}

/* Rows `top` to `bottom`, columns `left` to `right` of a tile, all inclusive. */
static uint64_t block(int left, int right, int top, int bottom)
{
    uint64_t row = (ROW_OF_ALL >> (SIDE - 1 - right)) & (ROW_OF_ALL << left), mask = 0;

    for (int y = top; y <= bottom; y++)
        mask |= row << (SIDE * y);
    return mask;
}

uint64_t tdm_screen_cells_whole(const struct tdm_screen_cells *cells, int tile)
{
    int x = tile % cells->tiles_x * SIDE, y = tile / cells->tiles_x * SIDE;

    return block(0, least(SIDE, cells->columns - x) - 1, 0, least(SIDE, cells->rows - y) - 1);
}

static void change(struct tdm_screen_cells *cells, const struct tdm_screen_rect *rect, bool set)
{
    int right = rect->x + rect->width - 1, bottom = rect->y + rect->height - 1;

    for (int ty = rect->y / SIDE; ty <= bottom / SIDE; ty++) {
        for (int tx = rect->x / SIDE; tx <= right / SIDE; tx++) {
            int left = rect->x - tx * SIDE, top = rect->y - ty * SIDE;
            uint64_t mask = block(left < 0 ? 0 : left, least(right - tx * SIDE, SIDE - 1),
                                  top < 0 ? 0 : top, least(bottom - ty * SIDE, SIDE - 1));
            uint64_t *at = &cells->masks[ty * cells->tiles_x + tx];

            *at = set ? *at | mask : *at & ~mask;
        }
    }
}

void tdm_screen_cells_set(struct tdm_screen_cells *cells, const struct tdm_screen_rect *rect)
{
    change(cells, rect, true);
}

void tdm_screen_cells_clear(struct tdm_screen_cells *cells, const struct tdm_screen_rect *rect)
{
    change(cells, rect, false);
}

bool tdm_screen_cells_any(const struct tdm_screen_cells *cells)
{
    for (int i = 0; i < cells->tiles_x * cells->tiles_y; i++)
        if (cells->masks[i])
            return true;
    return false;
}

static bool find(const struct tdm_screen_cells *cells, int *tile)
{
    int end = cells->tiles_x * cells->tiles_y;

    while (*tile < end && !cells->masks[*tile])
        ++*tile;
    return *tile < end;
}

struct span {
    int left, right, top, bottom; /* Inclusive, within a tile. */
};

static int extra(uint64_t mask, const struct span *s)
{
    uint64_t inside = block(s->left, s->right, s->top, s->bottom);

    return __builtin_popcountll(inside & ~mask);
}

/* From the top row that has cells down, as long as few are too many. */
static struct span first_span(uint64_t mask, int area_max)
{
    int top = __builtin_ctzll(mask) / SIDE;
    unsigned row = (unsigned)(mask >> (top * SIDE)) & ROW_OF_ALL;
    struct span span = {__builtin_ctz(row), 31 - __builtin_clz(row), top, top};

    for (int y = top + 1; y < SIDE; y++) {
        row = (unsigned)(mask >> (y * SIDE)) & ROW_OF_ALL;
        if (!row)
            continue;
        int left = __builtin_ctz(row), right = 31 - __builtin_clz(row);
        struct span wider = {left < span.left ? left : span.left,
                             right > span.right ? right : span.right, top, y};
        int area = (wider.right - wider.left + 1) * (wider.bottom - wider.top + 1);

        if (extra(mask, &wider) - extra(mask, &span) > EXTRA_MAX || area > area_max)
            break;
        span = wider;
    }
    return span;
}

bool tdm_screen_cells_take(struct tdm_screen_cells *cells, int *tile, int area_max,
                           struct tdm_screen_rect *rect)
{
    if (!find(cells, tile))
        return false;
    struct span span = first_span(cells->masks[*tile], area_max);
    int column = *tile % cells->tiles_x, height = span.bottom - span.top + 1;
    int x = column * SIDE, right = span.right;

    if ((right - span.left + 1) * height > area_max)
        right = span.left + area_max / height - 1;
    if (right < span.left)
        right = span.left;
    cells->masks[*tile] &= ~block(span.left, right, span.top, span.bottom);
    *rect = (struct tdm_screen_rect){x + span.left, *tile / cells->tiles_x * SIDE + span.top,
                                     right - span.left + 1, height};
    for (int t = *tile + 1; right == SIDE - 1 && ++column < cells->tiles_x; t++) {
        uint64_t band = cells->masks[t] & block(0, SIDE - 1, span.top, span.bottom);
        struct span next = {0, SIDE - 1, span.top, span.bottom};

        while (next.right >= 0 && !(band & block(next.right, next.right, span.top, span.bottom)))
            next.right--;
        if (next.right < 0 || extra(band, &next) > EXTRA_MAX ||
            (rect->width + next.right + 1) * height > area_max)
            break;
        cells->masks[t] &= ~block(0, next.right, span.top, span.bottom);
        rect->width += next.right + 1;
        right = next.right;
    }
    return true;
}

static bool has(const struct tdm_screen_cells *cells, int x, int y)
{
    return cells->masks[y / SIDE * cells->tiles_x + x / SIDE] >> (y % SIDE * SIDE + x % SIDE) & 1;
}

static bool has_all(const struct tdm_screen_cells *cells, int x, int y, int width, int height)
{
    if (x < 0 || y < 0 || x + width > cells->columns || y + height > cells->rows)
        return false;
    for (int v = y; v < y + height; v++)
        for (int u = x; u < x + width; u++)
            if (!has(cells, u, v))
                return false;
    return true;
}

static void widen(const struct tdm_screen_cells *cells, struct tdm_screen_rect *r)
{
    for (; has_all(cells, r->x + r->width, r->y, 1, r->height); r->width++)
        ;
    for (; has_all(cells, r->x - 1, r->y, 1, r->height); r->x--)
        r->width++;
}

static void heighten(const struct tdm_screen_cells *cells, struct tdm_screen_rect *r)
{
    for (; has_all(cells, r->x, r->y + r->height, r->width, 1); r->height++)
        ;
    for (; has_all(cells, r->x, r->y - 1, r->width, 1); r->y--)
        r->height++;
}

bool tdm_screen_cells_find_within(const struct tdm_screen_cells *cells,
                                  const struct tdm_screen_cells *within, int *tile,
                                  struct tdm_screen_rect *rect)
{
    int end = cells->tiles_x * cells->tiles_y;

    while (*tile < end && !(cells->masks[*tile] & within->masks[*tile]))
        ++*tile;
    if (*tile == end)
        return false;
    int bit = __builtin_ctzll(cells->masks[*tile] & within->masks[*tile]);
    struct tdm_screen_rect wide = {*tile % cells->tiles_x * SIDE + bit % SIDE,
                                   *tile / cells->tiles_x * SIDE + bit / SIDE, 1, 1};
    struct tdm_screen_rect high = wide;

    widen(within, &wide);
    heighten(within, &wide);
    heighten(within, &high);
    widen(within, &high);
    *rect =
        tdm_screen_cells_count(cells, &wide) >= tdm_screen_cells_count(cells, &high) ? wide : high;
    return true;
}

int tdm_screen_cells_count(const struct tdm_screen_cells *cells, const struct tdm_screen_rect *rect)
{
    int count = 0;

    for (int y = rect->y; y < rect->y + rect->height; y++)
        for (int x = rect->x; x < rect->x + rect->width; x++)
            count += has(cells, x, y);
    return count;
}
