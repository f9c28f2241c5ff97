/* SPDX-License-Identifier: MIT */
#include "engine/core/transport_cc.h"

#include "engine/wire/rtp.h"

#define TELL_EVERY (50 * TDM_MS)

static tdm_time *arrival_at(struct tdm_transport_cc_in *in, int64_t seq)
{
    return &in->arrivals[(uint64_t)seq & (TDM_TRANSPORT_CC_PACKETS - 1)];
}

/* What comes late may be from before `seq`: nothing in the slots is of these numbers. */
static void start_in(struct tdm_transport_cc_in *in, int64_t seq)
{
    in->started = true;
    in->next = seq;
    in->highest = seq - 1;
    for (int i = 0; i < TDM_TRANSPORT_CC_PACKETS; i++)
        in->arrivals[i] = TDM_NEVER;
}

void tdm_transport_cc_in_init(struct tdm_transport_cc_in *in)
{
    start_in(in, 0);
    in->started = false;
    in->feedback_count = 0;
    in->media_ssrc = 0;
    in->due = TDM_NEVER;
}

void tdm_transport_cc_in_packet(struct tdm_transport_cc_in *in, tdm_time now, uint16_t seq,
                                uint32_t ssrc, tdm_time arrival)
{
    int64_t extended = in->started ? tdm_seq_extend(in->highest, seq) : 65536 + (int64_t)seq;

    if (!in->started || extended - in->highest > TDM_TRANSPORT_CC_PACKETS)
        start_in(in, extended);
    if (extended <= in->highest - TDM_TRANSPORT_CC_PACKETS)
        return; /* Too late to be of use. */
    while (in->highest < extended)
        *arrival_at(in, ++in->highest) = TDM_NEVER;
    int64_t oldest = in->highest - TDM_TRANSPORT_CC_PACKETS + 1;

    if (in->next < oldest)
        in->next = oldest;
    if (*arrival_at(in, extended) != TDM_NEVER)
        return; /* Came before. */
    *arrival_at(in, extended) = arrival;
    if (extended < in->next)
        in->next = extended; /* Told as lost; told anew. */
    in->media_ssrc = ssrc;
    if (in->due == TDM_NEVER)
        in->due = now + TELL_EVERY;
}

void tdm_transport_cc_in_write(struct tdm_transport_cc_in *in, uint32_t sender_ssrc,
                               struct tdm_writer *w)
{
    tdm_time arrivals[TDM_TWCC_WRITE_MAX];
    uint16_t count = 0;

    for (int64_t seq = in->next; seq <= in->highest && count < TDM_TWCC_WRITE_MAX; seq++)
        arrivals[count++] = *arrival_at(in, seq);
    uint16_t told = tdm_twcc_write(w, &(struct tdm_twcc_feedback){
                                          .sender_ssrc = sender_ssrc,
                                          .media_ssrc = in->media_ssrc,
                                          .feedback_count = in->feedback_count,
                                          .base_seq = (uint16_t)in->next,
                                          .count = count,
                                          .arrivals = arrivals,
                                      });

    in->feedback_count = (uint8_t)(in->feedback_count + (told > 0));
    in->next += told ? told : count; /* A row in which nothing came needs no telling. */
    if (in->next > in->highest)
        in->due = TDM_NEVER;
}
