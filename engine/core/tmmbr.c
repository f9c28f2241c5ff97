/* SPDX-License-Identifier: MIT */
#include "engine/core/tmmbr.h"

#define OWNER_GONE   (25 * TDM_S)   /* RFC 3550 section 6.3.5: five intervals of five seconds. */
#define SAVED        (100 * TDM_MS) /* Of the rate: a pause is not caught up on. */
#define REFILL_MAX   TDM_S
#define PACKET_BYTES 1100

void tdm_tmmbr_init(struct tdm_tmmbr *t, tdm_time now)
{
    *t = (struct tdm_tmmbr){.at = now};
}

static struct tdm_tmmbr_owner *find(struct tdm_tmmbr *t, uint32_t ssrc)
{
    for (uint8_t i = 0; i < t->count; i++)
        if (t->owners[i].asked.ssrc == ssrc)
            return &t->owners[i];
    return NULL;
}

static void forget(struct tdm_tmmbr *t, struct tdm_tmmbr_owner *owner)
{
    if (owner)
        *owner = t->owners[--t->count];
}

/* One that asks for less than the most generous takes its place when there is none left. */
static struct tdm_tmmbr_owner *place_for(struct tdm_tmmbr *t, uint64_t bps)
{
    struct tdm_tmmbr_owner *most = &t->owners[0];

    if (t->count < TDM_TMMBR_OWNERS)
        return &t->owners[t->count++];
    for (uint8_t i = 1; i < t->count; i++)
        most = t->owners[i].asked.bps > most->asked.bps ? &t->owners[i] : most;
    return bps < most->asked.bps ? most : NULL;
}

static void take_asked(struct tdm_tmmbr *t, tdm_time now, const struct tdm_tmmbr_in *in)
{
    struct tdm_tmmbr_owner *owner = find(t, in->ssrc);

    if (in->bps == UINT64_MAX) {
        forget(t, owner);
        return;
    }
    owner = owner ? owner : place_for(t, in->bps);
    if (owner)
        *owner = (struct tdm_tmmbr_owner){
            .asked = {.ssrc = in->ssrc, .bps = in->bps, .overhead = in->overhead}, .heard = now};
}

static double refilled(const struct tdm_tmmbr *t, tdm_time now)
{
    tdm_time passed = tdm_time_max(tdm_time_min(now - t->at, REFILL_MAX), 0);
    double a_s = (double)tdm_tmmbr_limit(t, PACKET_BYTES) / 8;
    double tokens = t->tokens_bytes + a_s * (double)passed * 1e-9;
    double most = a_s * (double)SAVED * 1e-9;

    return tokens < most ? tokens : most;
}

void tdm_tmmbr_step(struct tdm_tmmbr *t, tdm_time now, const struct tdm_tmmbr_in *in)
{
    t->tokens_bytes = t->count ? refilled(t, now) : 0;
    t->at = now;
    for (uint8_t i = t->count; !in && i > 0; i--)
        if (now - t->owners[i - 1].heard > OWNER_GONE)
            forget(t, &t->owners[i - 1]);
    if (!in)
        return;
    switch (in->kind) {
    case TDM_TMMBR_ASKED:
        take_asked(t, now, in);
        break;
    case TDM_TMMBR_HEARD:
        if (find(t, in->ssrc))
            find(t, in->ssrc)->heard = now;
        break;
    case TDM_TMMBR_GOODBYE:
        forget(t, find(t, in->ssrc));
        break;
    case TDM_TMMBR_SENT:
        t->tokens_bytes -= t->count ? in->bytes : 0;
        break;
    }
}

uint64_t tdm_tmmbr_limit(const struct tdm_tmmbr *t, uint32_t packet_bytes)
{
    uint64_t limit = UINT64_MAX;

    for (uint8_t i = 0; i < t->count; i++) {
        const struct tdm_rtcp_tmmbr *asked = &t->owners[i].asked;
        uint64_t bps = (uint64_t)((double)asked->bps * packet_bytes /
                                  ((double)packet_bytes + asked->overhead));

        limit = bps < limit ? bps : limit;
    }
    return limit;
}

bool tdm_tmmbr_may(const struct tdm_tmmbr *t, tdm_time now)
{
    return !t->count || refilled(t, now) > 0;
}

uint8_t tdm_tmmbr_bounding(const struct tdm_tmmbr *t, struct tdm_rtcp_tmmbr *entries)
{
    for (uint8_t i = 0; i < t->count; i++)
        entries[i] = t->owners[i].asked;
    return t->count;
}
