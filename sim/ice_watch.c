/* SPDX-License-Identifier: MIT */
#include "sim/ice_watch.h"

#include "engine/wire/stun.h"

#include <stdio.h>
#include <string.h>

#define INSTANT_STEPS_MAX 2000

void tdm_sim_ice_watch_init(struct tdm_sim_ice_watch *w)
{
    memset(w, 0, sizeof *w);
    for (unsigned i = 0; i < TDM_SIM_ICE_CHECKS_MAX; i++)
        w->last_checks[i] = -TDM_S;
    w->instant = -1;
}

static void fail(struct tdm_sim_ice_watch *w, tdm_time now, const char *words)
{
    w->violations++;
    (void)snprintf(w->words, sizeof w->words, "%.3f s: %s", (double)now / 1e9, words);
}

static void watch_check(struct tdm_sim_ice_watch *w, tdm_time now)
{
    tdm_time *oldest = &w->last_checks[w->checks++ % TDM_SIM_ICE_CHECKS_MAX];

    if (now - *oldest < TDM_S)
        fail(w, now, "more checks in a second than the pace allows");
    *oldest = now;
}

static void watch_send(struct tdm_sim_ice_watch *w, tdm_time now, const struct tdm_ice_in *in,
                       const struct tdm_ice_send *send)
{
    struct tdm_stun m;
    bool asked = in && in->kind == TDM_ICE_DATAGRAM && in->link == send->link &&
                 tdm_address_equal(&in->from, &send->to);

    if (send->size == 0 || send->size > TDM_ICE_BYTES_MAX)
        fail(w, now, "a datagram without size, or too large");
    if (send->link || tdm_stun_parse(&m, send->data, send->size) != TDM_OK ||
        m.method != TDM_STUN_BINDING)
        return;
    if (w->lost && m.username.data)
        fail(w, now, "a check after consent was lost");
    if (m.kind == TDM_STUN_REQUEST && m.username.data)
        watch_check(w, now);
    if (m.kind == TDM_STUN_REQUEST)
        return;
    if (w->lost)
        fail(w, now, "an answer after consent was lost");
    if (!asked)
        fail(w, now, "an answer that nobody asked for");
    else if (send->size > in->size)
        fail(w, now, "an answer larger than what asked for it");
}

void tdm_sim_ice_watch_step(struct tdm_sim_ice_watch *w, tdm_time now, const struct tdm_ice_in *in,
                            const struct tdm_ice_out *out, bool path)
{
    if (in && (in->kind == TDM_ICE_RESTART || in->kind == TDM_ICE_REMOTE))
        w->lost = w->had_path = false;
    if (out->wake_at < now)
        fail(w, now, "it wakes in the past");
    if (now != w->instant)
        w->instant_steps = 0;
    w->instant = now;
    if (++w->instant_steps > INSTANT_STEPS_MAX)
        fail(w, now, "time stands still");
    if (out->send_count > TDM_ICE_SENDS_MAX || out->told_count > TDM_ICE_TOLD_MAX)
        fail(w, now, "more output than there is room for");
    for (unsigned i = 0; i < out->send_count && i < TDM_ICE_SENDS_MAX; i++)
        watch_send(w, now, in, &out->sends[i]);
    if (w->lost && out->app)
        fail(w, now, "bytes handed over after consent was lost");
    for (unsigned i = 0; i < out->told_count && i < TDM_ICE_TOLD_MAX; i++)
        if (out->told[i].kind == TDM_ICE_TOLD_LOST)
            w->lost = w->had_path;
    w->had_path |= path;
}
