/* SPDX-License-Identifier: MIT */
#include "engine/core/loss_pattern.h"

#include <string.h>

#define MEMORY_PACKETS 4096 /* Losses of that long ago count 1/e. */
#define ROW_MAX        (2 * TDM_S)
#define BEYOND_MAX     (2 * TDM_MS) /* A row does not last until the next picture. */

void tdm_loss_pattern_init(struct tdm_loss_pattern *p)
{
    memset(p, 0, sizeof *p);
}

void tdm_loss_pattern_packet(struct tdm_loss_pattern *p, tdm_time sent, bool lost)
{
    const double keep = 1 - 1.0 / MEMORY_PACKETS;

    p->packets = p->packets * keep + 1;
    p->lost = p->lost * keep + lost;
    p->rows = p->rows * keep + (lost && !p->in_row);
    p->row_time *= keep;
    if (lost && !p->in_row)
        p->row_began = sent;
    if (lost)
        p->row_last = sent;
    if (!lost && p->in_row && sent > p->row_began) {
        tdm_time beyond = tdm_time_min((sent - p->row_last) / 2, BEYOND_MAX);
        tdm_time row = tdm_time_max(p->row_last - p->row_began, 0) + tdm_time_max(beyond, 0);

        p->row_time += (double)tdm_time_min(row, ROW_MAX);
    }
    p->in_row = lost;
}

double tdm_loss_pattern_loss(const struct tdm_loss_pattern *p)
{
    return p->packets > 0 ? p->lost / p->packets : 0;
}

double tdm_loss_pattern_burst(const struct tdm_loss_pattern *p)
{
    return p->rows > 0 && p->lost > p->rows ? p->lost / p->rows : 1;
}

tdm_time tdm_loss_pattern_burst_time(const struct tdm_loss_pattern *p)
{
    return p->rows > 0 ? (tdm_time)(p->row_time / p->rows) : 0;
}
