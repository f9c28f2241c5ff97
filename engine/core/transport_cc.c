/* SPDX-License-Identifier: MIT */
#include "engine/core/transport_cc.h"

#include "engine/wire/rtp.h"

#define TELL_EVERY     (50 * TDM_MS)
#define RESULT_EVERY   (500 * TDM_MS)
#define RESULT_PACKETS 20 /* Fewer tell little of loss; then it is waited for, but not forever. */
#define RESULT_LATEST  (2 * TDM_S)
#define DELAY_MIN_AGE  (30 * TDM_S) /* A shortest way from longer ago may be another way. */
#define WRAPS_MAX      64           /* Two years; a clock that is further off is a mad one. */

void tdm_transport_cc_in_init(struct tdm_transport_cc_in *in)
{
    in->started = false;
    in->feedback_count = 0;
    in->due = TDM_NEVER;
}

static tdm_time *arrival_at(struct tdm_transport_cc_in *in, int64_t seq)
{
    return &in->arrivals[(uint64_t)seq & (TDM_TRANSPORT_CC_PACKETS - 1)];
}

static void start_in(struct tdm_transport_cc_in *in, int64_t seq)
{
    in->started = true;
    in->next = seq;
    in->highest = seq - 1;
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

void tdm_transport_cc_out_init(struct tdm_transport_cc_out *out, uint16_t first_seq)
{
    out->next = 65536 + (int64_t)first_seq;
    out->heard = false;
    out->since = TDM_NEVER;
    for (int i = 0; i < TDM_TRANSPORT_CC_PACKETS; i++)
        out->sent[i].state = TDM_CC_UNKNOWN;
}

static struct tdm_transport_cc_sent *sent_at(struct tdm_transport_cc_out *out, int64_t seq)
{
    return &out->sent[(uint64_t)seq & (TDM_TRANSPORT_CC_PACKETS - 1)];
}

uint16_t tdm_transport_cc_out_packet(struct tdm_transport_cc_out *out, tdm_time now, size_t size)
{
    *sent_at(out, out->next) = (struct tdm_transport_cc_sent){
        .state = TDM_CC_SENT, .size = (uint16_t)size, .seq = out->next, .at = now};
    return (uint16_t)out->next++;
}

static void begin_result(struct tdm_transport_cc_out *out, tdm_time now)
{
    out->since = now;
    out->arrived = out->lost = 0;
    out->bytes = 0;
    out->delay = out->first_arrival = TDM_NEVER;
}

/* The shortest way lately: of this half minute or the one before. */
static void learn_delay(struct tdm_transport_cc_out *out, tdm_time now, tdm_time delay)
{
    if (now - out->delay_min_since > DELAY_MIN_AGE) {
        out->delay_min = out->delay_min_next;
        out->delay_min_next = TDM_NEVER;
        out->delay_min_since = now;
    }
    out->delay_min_next = tdm_time_min(out->delay_min_next, delay);
    out->delay_min = tdm_time_min(out->delay_min, out->delay_min_next);
    out->delay = tdm_time_min(out->delay, delay);
}

static void take_arrival(struct tdm_transport_cc_out *out, tdm_time now,
                         struct tdm_transport_cc_sent *p, tdm_time arrival)
{
    if (p->state == TDM_CC_ARRIVED)
        return;
    out->lost -= p->state == TDM_CC_LOST;
    out->arrived++;
    out->bytes += p->size;
    p->state = TDM_CC_ARRIVED;
    if (out->first_arrival == TDM_NEVER)
        out->first_arrival = arrival;
    out->last_arrival = arrival;
    learn_delay(out, now, arrival - p->at);
}

static void forget_delays(struct tdm_transport_cc_out *out, tdm_time now)
{
    out->time_base = 0;
    out->delay_min = out->delay_min_next = TDM_NEVER;
    out->delay_min_since = now;
    begin_result(out, now);
}

/* The other side's clock in full, by the 24 bits of it that a message has. */
static tdm_time time_base_of(struct tdm_transport_cc_out *out, tdm_time now, tdm_time time)
{
    if (out->heard && time - out->last_time > TDM_TWCC_WRAP / 2)
        out->time_base -= TDM_TWCC_WRAP;
    else if (out->heard && out->last_time - time > TDM_TWCC_WRAP / 2)
        out->time_base += TDM_TWCC_WRAP;
    if (!out->heard || out->time_base > WRAPS_MAX * TDM_TWCC_WRAP ||
        out->time_base < -WRAPS_MAX * TDM_TWCC_WRAP)
        forget_delays(out, now);
    out->heard = true;
    out->heard_at = now;
    out->last_time = time;
    return out->time_base;
}

static bool give_result(struct tdm_transport_cc_out *out, tdm_time now,
                        struct tdm_transport_cc_result *result)
{
    int32_t lost = out->lost > 0 ? out->lost : 0;
    tdm_time passed = now - out->since;

    if (passed < RESULT_EVERY || !out->arrived ||
        (out->arrived + lost < RESULT_PACKETS && passed < RESULT_LATEST))
        return false;
    tdm_time span = tdm_time_max(out->last_arrival - out->first_arrival, TDM_MS);

    *result = (struct tdm_transport_cc_result){
        .fraction_lost = (uint8_t)(lost * 255 / (out->arrived + lost)),
        .queue = out->delay - out->delay_min,
        .delivered_bps = (uint64_t)((double)out->bytes * 8e9 / (double)span),
    };
    begin_result(out, now);
    return true;
}

bool tdm_transport_cc_out_feedback(struct tdm_transport_cc_out *out, tdm_time now,
                                   struct tdm_twcc_reader reader,
                                   struct tdm_transport_cc_result *result)
{
    struct tdm_twcc_status status;

    tdm_time base = time_base_of(out, now, reader.time);

    while (tdm_twcc_next(&reader, &status) == TDM_OK) {
        int64_t seq = tdm_seq_extend(out->next - 1, status.seq);
        struct tdm_transport_cc_sent *p = sent_at(out, seq);

        if (p->state == TDM_CC_UNKNOWN || p->seq != seq)
            continue;
        if (status.received) {
            take_arrival(out, now, p, base + status.arrival);
        } else if (p->state == TDM_CC_SENT) {
            p->state = TDM_CC_LOST;
            out->lost++;
        }
    }
    return give_result(out, now, result);
}
