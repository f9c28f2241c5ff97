/* SPDX-License-Identifier: MIT */
#ifndef TDM_CORE_LOSS_PATTERN_H
#define TDM_CORE_LOSS_PATTERN_H

/*
 * What a path loses, from the fate of each packet in the order of sending: how many of them, and
 * how many in a row. Either end can keep one: the sender from feedback on each packet, the receiver
 * from the numbers that came. Forgets with a time constant, so that a path that became good costs
 * nothing soon, and one that became bad is believed after a few losses.
 */

#include "engine/base/time.h"

#include <stdbool.h>
#include <stdint.h>

struct tdm_loss_pattern {
    double packets, lost, rows; /* Faded counts; rows: of lost packets, one behind the other. */
    double row_time;            /* Faded sum of what rows lasted. */
    bool in_row;
    tdm_time row_began, row_last; /* Its first and its last packet that was lost. */
};

void tdm_loss_pattern_init(struct tdm_loss_pattern *p);
/** The next packet in the order of sending, and what became of it. `sent`: by any one clock. */
void tdm_loss_pattern_packet(struct tdm_loss_pattern *p, tdm_time sent, bool lost);

/** Part of the packets that was lost; and packets of a row, mean, 1 at least. */
double tdm_loss_pattern_loss(const struct tdm_loss_pattern *p);
double tdm_loss_pattern_burst(const struct tdm_loss_pattern *p);
/** What a row lasts: from its first packet to half way between its last and the next one, where
 *  that is near; mean. */
tdm_time tdm_loss_pattern_burst_time(const struct tdm_loss_pattern *p);

#endif
