/* SPDX-License-Identifier: MIT */
/*
 * Dynamic programming over packets and delay levels of 2 ms. From one packet to the next the delay
 * moves by a fifth of a packet at most; to wait for a late packet under concealment it jumps up to
 * that packet's lateness, at the price of what is made up; and a packet may be given up, at the
 * price of its length.
 */
#include "sim/player.h"

#include <stdlib.h>

#define LEVEL_MS 2.0
#define LEVELS   1000
#define SPEED    0.2
#define NONE     1e18

struct cell {
    double cost, concealed_ms, delay_ms;
};

static struct cell better(struct cell a, struct cell b)
{
    return b.cost < a.cost ? b : a;
}

static int level_of(double ms)
{
    int level = (int)((ms + LEVEL_MS - 1e-9) / LEVEL_MS);

    return level < 0 ? 0 : level >= LEVELS ? LEVELS - 1 : level;
}

static struct cell conceal(struct cell c, double ms, double price)
{
    c.cost += ms * price;
    c.concealed_ms += ms;
    return c;
}

static void advance(const struct cell *from, struct cell *to, double late_ms, bool lost,
                    double frame_ms, double price)
{
    int reach = (int)(SPEED * frame_ms / LEVEL_MS), due = lost ? LEVELS : level_of(late_ms);
    struct cell waited = {.cost = NONE};

    for (int d = 0; d < LEVELS; d++) {
        struct cell best = {.cost = NONE};

        for (int by = -reach; by <= reach; by++)
            if (d + by >= 0 && d + by < LEVELS)
                best = better(best, from[d + by]);
        if (d < due) { /* Too late, or lost. */
            if (!lost)
                waited = better(waited, conceal(best, (due - d) * LEVEL_MS, price));
            best = conceal(best, frame_ms, price);
        }
        to[d] = best;
    }
    if (!lost)
        to[due] = better(to[due], waited);
    for (int d = 0; d < LEVELS; d++) {
        to[d].cost += d * LEVEL_MS;
        to[d].delay_ms += d * LEVEL_MS;
    }
}

static struct cell *create_cells(void)
{
    return calloc(LEVELS, sizeof(struct cell));
}

static void destroy_cells(struct cell *cells)
{
    free(cells);
}

void tdm_player_bound(const struct tdm_jitter_packet *packets, uint32_t count, tdm_time frame,
                      double price_ms, struct tdm_player_score *score)
{
    struct cell *a = create_cells(), *b = create_cells(), best;
    tdm_time least = tdm_jitter_least(packets, count);
    double frame_ms = (double)frame * 1e-6;

    *score = (struct tdm_player_score){0};
    for (uint32_t i = 0; a && b && i < count; i++) {
        double late = (double)(packets[i].arrival - packets[i].sent - least) * 1e-6;
        struct cell *swap = a;

        advance(a, b, late, packets[i].lost, frame_ms, price_ms / frame_ms);
        a = b;
        b = swap;
    }
    best = a && b ? a[0] : (struct cell){0};
    for (int d = 1; a && b && d < LEVELS; d++)
        best = better(best, a[d]);
    score->delay_ms = best.delay_ms / count;
    score->concealed = best.concealed_ms * 100 / (frame_ms * count);
    destroy_cells(a);
    destroy_cells(b);
}
