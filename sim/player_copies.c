/* SPDX-License-Identifier: MIT */
/*
 * The sender of a voice with copies (engine/core/red_plan.h): it learns each packet's fate a round
 * trip later, as feedback on each packet tells it.
 */
#include "sim/player.h"

#include "engine/core/red_plan.h"

#include <stdlib.h>
#include <string.h>

#define ROUND_TRIP (100 * TDM_MS)
#define SPARE_BPS  60000
#define TYPE       111

struct tdm_player_copies *tdm_player_copies_create(const struct tdm_jitter_packet *packets,
                                                   uint32_t count, tdm_time frame,
                                                   uint32_t frame_bytes)
{
    struct tdm_player_copies *c = calloc(1, sizeof *c);
    struct tdm_red_plan *plan = calloc(1, sizeof *plan);
    uint32_t behind = (uint32_t)(ROUND_TRIP / frame);
    uint32_t frame_rtp = (uint32_t)tdm_units_of_time(frame + TDM_US, TDM_PLAYER_HZ);
    uint8_t data[TDM_RED_PLAN_FRAME_MAX] = {0};

    if (c)
        c->payloads = calloc(count, sizeof *c->payloads);
    if (!c || !c->payloads || !plan || frame_bytes < sizeof(int64_t) || frame_bytes > sizeof data) {
        tdm_player_copies_free(c);
        free(plan);
        return NULL;
    }
    tdm_red_plan_init(plan);
    for (uint32_t i = 0; i < count; i++) {
        struct tdm_player_payload *p = &c->payloads[i];
        int64_t seq = i;

        if (i >= behind)
            tdm_red_plan_fate(plan, packets[i - behind].lost);
        tdm_red_plan_decide(plan, frame,
                            (uint32_t)((uint64_t)frame_bytes * 8 * TDM_S / (uint64_t)frame),
                            SPARE_BPS);
        memcpy(data, &seq, sizeof seq);
        p->size = (uint16_t)tdm_red_plan_payload(plan, seq * frame_rtp, frame_rtp, TYPE, data,
                                                 frame_bytes, p->bytes, sizeof p->bytes);
        c->extra_bps +=
            plan->copies ? (p->size - frame_bytes) * 8.0 * 1e9 / (double)frame / count : 0;
    }
    free(plan);
    return c;
}

void tdm_player_copies_free(struct tdm_player_copies *copies)
{
    if (copies)
        free(copies->payloads);
    free(copies);
}
