/* SPDX-License-Identifier: MIT */
#include "engine/core/playout_parts.h"

#include <math.h>

#define EXPAND_MS       120 /* Waiting for a late packet under concealment; then silence. */
#define START_MARGIN_MS 3.0 /* Above that for the first packet, which knows of no jitter. */
#define SEAM_MS         2.5 /* Concealment that is the least between two packets. */
#define DTX_BYTES       2   /* An Opus packet this short says that the sender fell silent. */

static void add_silence(struct tdm_playout *p, uint32_t count, bool passes)
{
    if (p->line.silent.to != p->line.end)
        p->line.join = true;
    tdm_playout_line_append(&p->line, TDM_PLAYOUT_SILENT, NULL, count, passes);
    p->stats.silent_samples += count;
}

static void ask_concealment(struct tdm_playout *p, struct tdm_playout_out *out, uint32_t samples,
                            enum tdm_playout_pending kind, const struct tdm_playout_slot *behind)
{
    samples = samples < TDM_PLAYOUT_FRAME_MAX ? samples : TDM_PLAYOUT_FRAME_MAX;
    p->request = (struct tdm_playout_request){.kind = kind, .samples = samples};
    out->action = TDM_PLAYOUT_CONCEAL;
    out->samples = samples;
    out->payload = behind ? tdm_playout_payload(p, behind) : NULL;
    out->payload_size = behind ? behind->size : 0;
    if (!p->concealing)
        p->stats.conceal_events++;
    p->concealing = true;
}

/* Concealment comes in steps of 2.5 ms, which every codec can make. */
static uint32_t whole_steps(const struct tdm_playout *p, uint32_t samples)
{
    uint32_t step = p->config.sample_hz / 400;

    return (samples + step - 1) / step * step;
}

/* Nothing waits: conceal for a while in the hope of a late packet, then fall silent. */
static bool starve(struct tdm_playout *p, struct tdm_playout_out *out, uint32_t missing)
{
    uint32_t limit = tdm_playout_samples(p, EXPAND_MS);

    if (!p->idle && !p->dtx && p->expanded < limit) {
        ask_concealment(p, out, whole_steps(p, missing), TDM_PLAYOUT_EXTRA_PCM, NULL);
        return true;
    }
    p->idle = true;
    p->lead = 0;
    add_silence(p, missing, false);
    return false;
}

void tdm_playout_give_up(struct tdm_playout *p, const struct tdm_playout_slot *slot)
{
    p->stats.dropped_packets++;
    tdm_playout_store_advance(&p->store, slot->seq + 1);
}

/* A packet after silence: play it at once, or when the target delay is reached. */
static void resume(struct tdm_playout *p)
{
    struct tdm_playout_slot *slot = tdm_playout_store_first(&p->store);
    double line_end = p->timing.clock + tdm_playout_line_unread(&p->line);
    double target = tdm_playout_timing_target(&p->timing) + tdm_playout_margin(p) +
                    (p->fresh ? tdm_playout_samples(p, START_MARGIN_MS) : 0);

    while (p->fresh && p->store.count > 1 &&
           line_end - (double)slot->pos > target + tdm_playout_length(p, slot)) {
        tdm_playout_give_up(p, slot); /* They came before the device began to pull. */
        slot = tdm_playout_store_first(&p->store);
    }
    double wait = target - (line_end - (double)slot->pos);
    p->lead = wait > 0 ? (uint32_t)fmin(wait, p->timing.max_delay) : 0;
    tdm_playout_line_jump(&p->line, slot->pos - p->lead);
    p->idle = p->fresh = p->dtx = false;
    p->expanded = 0;
}

/* Where there is more delay than wanted, a part of what is lost need not be heard. The decoder
 * makes it up all the same: what Opus codes of a tone leans on what was one period before, and
 * after a jump it is quiet for 30 ms. */
static uint32_t shorten(struct tdm_playout *p, uint32_t gap)
{
    uint32_t kept = p->concealing ? 0 : tdm_playout_samples(p, SEAM_MS);
    uint32_t most = gap > kept ? gap - kept : 0;
    uint32_t by = p->excess > 0 ? (uint32_t)fmin(p->excess, most) : 0;

    if (!by || by == gap)
        return gap;
    p->excess -= by;
    tdm_playout_line_jump(&p->line, p->line.media_end + by);
    p->stats.cut_samples += by;
    p->unheard += by;
    return gap - by;
}

/* The waiting packet lies `gap` samples behind the end of the line. */
static bool bridge(struct tdm_playout *p, struct tdm_playout_out *out,
                   const struct tdm_playout_slot *slot, uint32_t gap, uint32_t missing)
{
    uint32_t length = tdm_playout_length(p, slot);

    if (p->expanded) { /* Already concealed while waiting for what is lost. */
        uint32_t used = gap < p->expanded ? gap : p->expanded;

        p->expanded -= used;
        tdm_playout_line_jump(&p->line, p->line.media_end + used);
        return false;
    }
    if (slot->seq == p->store.next) { /* The sender paused; a trifle is its clock's rounding. */
        if (gap <= tdm_playout_samples(p, 2.5))
            tdm_playout_line_jump(&p->line, slot->pos);
        else
            add_silence(p, gap < missing ? gap : missing, true);
        return false;
    }
    uint32_t part = whole_steps(p, missing);

    if (!slot->heals)
        gap = shorten(p, gap);
    if (length && gap > length) {
        part = part < gap - length ? part : gap - length;
        ask_concealment(p, out, part, TDM_PLAYOUT_GAP_PCM, NULL);
    } else if (slot->heals) {
        ask_concealment(p, out, gap, TDM_PLAYOUT_GAP_PCM, slot);
    } else if (part < gap) {
        ask_concealment(p, out, part, TDM_PLAYOUT_GAP_PCM, NULL);
    } else {
        ask_concealment(p, out, gap, TDM_PLAYOUT_GAP_PCM, NULL);
        out->samples =
            gap + p->unheard < TDM_PLAYOUT_FRAME_MAX ? gap + p->unheard : TDM_PLAYOUT_FRAME_MAX;
        p->unheard = 0;
    }
    return true;
}

static void ask_decode(struct tdm_playout *p, struct tdm_playout_out *out,
                       const struct tdm_playout_slot *slot)
{
    p->request = (struct tdm_playout_request){
        .kind = TDM_PLAYOUT_DECODED_PCM, .pos = slot->pos, .length = tdm_playout_length(p, slot)};
    p->unheard = 0;
    out->action = TDM_PLAYOUT_DECODE;
    out->payload = tdm_playout_payload(p, slot);
    out->payload_size = slot->size;
    out->samples = slot->samples;
    if (slot->captured != TDM_NEVER) {
        p->captured = slot->captured;
        p->captured_pos = slot->pos;
    }
    p->dtx = slot->size > 0 && slot->size <= DTX_BYTES;
    tdm_playout_store_advance(&p->store, slot->seq + 1);
}

/* One step towards `missing` more samples; true when the driver must answer first. */
bool tdm_playout_fill_step(struct tdm_playout *p, struct tdm_playout_out *out, uint32_t missing)
{
    struct tdm_playout_slot *slot = tdm_playout_store_first(&p->store);

    if (!slot)
        return starve(p, out, missing);
    if (p->idle) {
        resume(p);
        return false;
    }
    if (p->lead) {
        uint32_t count = p->lead < missing ? p->lead : missing;

        p->lead -= count;
        add_silence(p, count, true);
        return false;
    }
    int64_t gap = slot->pos - p->line.media_end;
    if (gap > 0) {
        int64_t most = TDM_PLAYOUT_PULL_MAX + 2 * TDM_PLAYOUT_FRAME_MAX;

        return bridge(p, out, slot, (uint32_t)(gap < most ? gap : most), missing);
    }
    if (tdm_playout_length(p, slot) && -gap >= tdm_playout_length(p, slot)) {
        p->stats.late_packets++;
        tdm_playout_store_advance(&p->store, slot->seq + 1);
        return false;
    }
    ask_decode(p, out, slot);
    return true;
}

/* The driver's answer goes onto the line. Returns true when it must answer again. */
bool tdm_playout_take_pcm(struct tdm_playout *p, const struct tdm_playout_in *in,
                          struct tdm_playout_out *out)
{
    struct tdm_playout_request asked = p->request;
    uint32_t count =
        in->pcm.samples < TDM_PLAYOUT_FRAME_MAX ? in->pcm.samples : TDM_PLAYOUT_FRAME_MAX;
    const int16_t *data = p->config.dry ? NULL : in->pcm.data;

    p->request.kind = TDM_PLAYOUT_NO_PCM;
    if (asked.kind == TDM_PLAYOUT_DECODED_PCM && (in->pcm.failed || !count)) {
        uint32_t length = asked.length ? asked.length : tdm_playout_samples(p, 10);

        if (asked.pos + length > p->line.media_end) {
            uint32_t left = (uint32_t)(asked.pos + length - p->line.media_end);

            ask_concealment(p, out, left, TDM_PLAYOUT_GAP_PCM, NULL);
            return true;
        }
        return false;
    }
    if (asked.kind == TDM_PLAYOUT_DECODED_PCM) {
        int64_t over = p->line.media_end - asked.pos;
        uint32_t trim = over > 0 ? (uint32_t)(over < count ? over : count) : 0;

        p->line.join = p->line.join || trim || p->concealing || p->line.silent.to == p->line.end;
        p->length = count;
        p->expanded = 0;
        p->concealing = false;
        tdm_playout_line_append(&p->line, TDM_PLAYOUT_DECODED,
                                data ? data + (size_t)trim * p->config.channels : NULL,
                                count - trim, true);
        p->stats.played_samples += count - trim;
        return false;
    }
    /* Concealment: exactly what is wanted of it, padded with silence if need be. */
    uint32_t made = count < asked.samples ? count : asked.samples;
    bool passes = asked.kind == TDM_PLAYOUT_GAP_PCM;

    tdm_playout_line_append(&p->line, TDM_PLAYOUT_CONCEALED, data, made, passes);
    tdm_playout_line_append(&p->line, TDM_PLAYOUT_CONCEALED, NULL, asked.samples - made, passes);
    p->stats.concealed_samples += asked.samples;
    if (!passes)
        p->expanded += asked.samples;
    return false;
}
