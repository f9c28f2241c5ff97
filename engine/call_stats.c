/* SPDX-License-Identifier: MIT */
#include "engine/call.h"

#include "engine/call_budget.h"

#include "engine/io/clock.h"

#include <math.h>
#include <stdio.h>

static double to_ms(tdm_time t)
{
    return t == TDM_NEVER ? 0 : (double)t / 1e6;
}

static enum tandem_call_state public_state(const struct tandem_call *call)
{
    const struct tdm_call_machine *m = &call->machine;

    switch (m->state) {
    case TDM_CALL_IDLE:
    case TDM_CALL_DIALING:
        return TANDEM_STATE_DIALING;
    case TDM_CALL_RINGING_OUT:
        return TANDEM_STATE_RINGING;
    case TDM_CALL_INCOMING:
        return TANDEM_STATE_INCOMING;
    case TDM_CALL_CONNECTING:
    case TDM_CALL_UP:
        return m->held_local || (m->held_remote && call->two_way) ? TANDEM_STATE_HELD
                                                                  : TANDEM_STATE_UP;
    case TDM_CALL_ENDING:
    case TDM_CALL_ENDED:
        break;
    }
    return TANDEM_STATE_ENDED;
}

static void stream_stats(const struct tandem_call *call, enum tdm_media_kind kind,
                         struct tandem_stream_stats *to)
{
    const struct tdm_stream_stats *from =
        &call->status.streams[kind == TDM_AUDIO ? TDM_STREAM_AUDIO : TDM_STREAM_VIDEO];
    const struct tdm_negotiated_media *agreed = &call->machine.negotiated.media[kind];
    const struct tandem_stream_stats *rates =
        kind == TDM_AUDIO ? &call->rates.audio : &call->rates.video;
    const char *name = tdm_codec_short_name(tdm_media_plan_codec(agreed));
    double media = (double)from->packets_received - (double)from->parity_received;
    double expected = media + (double)from->packets_lost;

    *to = (struct tandem_stream_stats){
        .active = agreed->active,
        .packets_sent = from->packets_sent,
        .packets_received = from->packets_received,
        .packets_resent = from->packets_resent,
        .packets_refused = from->packets_refused,
        .packets_lost = from->packets_lost,
        .bytes_sent = from->bytes_sent,
        .bytes_received = from->bytes_received,
        .send_bps = rates->send_bps,
        .receive_bps = rates->receive_bps,
        .loss = expected > 0 && from->packets_lost > 0 ? (double)from->packets_lost / expected : 0,
        .remote_loss = from->remote_loss,
        .jitter_ms = from->jitter_ms,
        .nacks_sent = from->nacks_sent,
        .nacks_received = from->nacks_received,
        .plis_sent = from->plis_sent,
        .plis_received = from->plis_received,
        .repaired = from->repaired,
        .parity_sent = from->parity_sent,
        .parity_bytes = from->parity_bytes,
        .parity_received = from->parity_received,
        .mended = from->mended,
        .mended_late = from->mended_late,
    };
    if (!agreed->active)
        return;
    if (call->configs[kind].send || from->packets_sent)
        (void)snprintf(to->send_codec, sizeof to->send_codec, "%s", name);
    if (call->configs[kind].receive || from->packets_received)
        (void)snprintf(to->receive_codec, sizeof to->receive_codec, "%s",
                       from->packets_received ? tdm_codec_short_name(from->receive_codec) : name);
}

static void rate_stats(const struct tandem_call *call, struct tandem_rate_stats *to)
{
    static const enum tandem_rate_mode modes[] = {
        [TDM_SESSION_RATE_REPORTS] = TANDEM_RATE_REPORTS,
        [TDM_SESSION_RATE_START] = TANDEM_RATE_START,
        [TDM_SESSION_RATE_NORMAL] = TANDEM_RATE_NORMAL,
        [TDM_SESSION_RATE_CROWD] = TANDEM_RATE_CROWD,
        [TDM_SESSION_RATE_COEXIST] = TANDEM_RATE_COEXIST,
    };
    const struct tdm_session_rate *from = &call->status.rate;

    *to = (struct tandem_rate_stats){
        .mode = modes[from->mode],
        .target_bps = (double)from->target_bps,
        .limit_bps = (double)from->limit_bps,
    };
    if (from->mode == TDM_SESSION_RATE_REPORTS)
        return;
    to->capacity_bps = (double)from->capacity_bps;
    to->acked_bps = (double)from->acked_bps;
    to->queue_ms = (double)from->queue / 1e6;
    to->way_ms = to_ms(from->rtt_min);
    to->inflight_bytes = from->inflight_bytes;
    to->window_bytes = from->window_bytes == UINT32_MAX ? 0 : from->window_bytes;
    to->ecn = from->ecn;
    to->marked = from->marked;
}

static void add_sent(struct tdm_video_in_stats *to, const struct tdm_video_in_stats *more)
{
    uint64_t encoded = to->encoded + more->encoded;

    if (encoded)
        to->encode_ms =
            (to->encode_ms * (double)to->encoded + more->encode_ms * (double)more->encoded) /
            (double)encoded;
    to->captured += more->captured;
    to->skipped += more->skipped;
    to->cut += more->cut;
    to->fill += more->fill;
    to->fill_squared += more->fill_squared;
    to->encoded = encoded;
}

static void copy_shape(struct tdm_video_in_stats *to, const struct tdm_video_in_stats *from)
{
    to->width = from->width;
    to->height = from->height;
    to->fps = from->fps;
    to->why = from->why;
}

void tdm_call_keep_sent(struct tandem_call *call)
{
    struct tdm_video_in_stats stats;

    tdm_video_in_stats_of(call->video_in, &stats);
    add_sent(&call->sent_before, &stats);
    copy_shape(&call->sent_before, &stats);
}

static void shape_stats(const struct tandem_call *call, const struct tdm_video_in_stats *in,
                        struct tandem_stats *stats)
{
    static const enum tandem_sent_why whys[] = {
        [TDM_PICTURE_WHOLE] = TANDEM_SENT_WHOLE,
        [TDM_PICTURE_BY_RATE] = TANDEM_SENT_BY_RATE,
        [TDM_PICTURE_BY_TIME] = TANDEM_SENT_BY_TIME,
    };

    stats->sent_width = in->width;
    stats->sent_height = in->height;
    stats->sent_fps = in->fps ? in->fps : call->plan.fps;
    stats->wanted_width = call->video_in_width;
    stats->wanted_height = call->video_in_height;
    stats->wanted_fps = call->plan.fps;
    stats->sent_why = whys[in->why];
}

static void fill_stats(const struct tdm_video_in_stats *in, struct tandem_stats *stats)
{
    if (!in->encoded)
        return;
    double mean = in->fill / (double)in->encoded;
    double variance = in->fill_squared / (double)in->encoded - mean * mean;

    stats->budget_percent = 100 * mean;
    stats->budget_spread_percent = 100 * sqrt(fmax(variance, 0));
}

static void device_stats(const struct tandem_call *call, struct tandem_stats *stats)
{
    const struct tdm_stream_stats *video = &call->status.streams[TDM_STREAM_VIDEO];
    const struct tdm_playout_stats *playout = &call->playout;
    struct tdm_video_in_stats in = {0};
    struct tdm_video_out_stats out = {0};

    if (call->video_in)
        tdm_video_in_stats_of(call->video_in, &in);
    else
        copy_shape(&in, &call->sent_before);
    add_sent(&in, &call->sent_before);
    if (call->video_out)
        tdm_video_out_stats_of(call->video_out, &out);
    stats->frames_captured = in.captured;
    stats->frames_encoded = in.encoded;
    stats->frames_skipped = in.skipped;
    stats->frames_cut = in.cut + video->frames_cut;
    stats->encode_ms = in.encode_ms;
    fill_stats(&in, stats);
    if (call->video_in_encoder) {
        (void)snprintf(stats->encoder, sizeof stats->encoder, "%s%s%s",
                       call->video_in_encoder->name, call->video_in_preset[0] ? " " : "",
                       call->video_in_preset);
        shape_stats(call, &in, stats);
        stats->encoder_threads = (uint16_t)call->video_in_threads;
    }
    stats->frames_sent = video->frames_sent;
    stats->frames_received = video->frames_received;
    stats->keyframes_received = video->keyframes_received;
    stats->frames_decoded = out.decoded;
    stats->decode_errors = out.errors;
    stats->decode_ms = out.decode_ms;
    stats->samples_played = playout->played_samples;
    stats->samples_concealed = playout->concealed_samples;
    stats->samples_stretched = playout->stretched_samples;
    stats->samples_shrunk = playout->shrunk_samples;
    stats->playout_delay_ms = (double)playout->delay / 1e6;
    stats->playout_target_ms = (double)playout->target_delay / 1e6;
    stats->drift_ppm = playout->drift_ppm;
}

void tdm_call_stats_of(struct tandem_call *call, struct tandem_stats *stats)
{
    if (call->ended) {
        *stats = call->final;
        return;
    }
    tdm_time now = tdm_clock_now();
    tdm_time up = call->announced_up ? now - call->up_at : 0;

    *stats = (struct tandem_stats){
        .state = public_state(call),
        .seconds = (double)up / 1e9,
        .rtt_ms = (double)call->status.rtt / 1e6,
        .clock_offset_ms = (double)call->status.clock_offset / 1e6,
        .clock_known = call->status.clock_known,
        .real_time = call->real_time,
    };
    if (up > 0) {
        stats->cpu_percent = (double)(tdm_clock_process_cpu() - call->up_cpu) * 100 / (double)up;
        stats->net_cpu_percent = (double)call->status.cpu * 100 / (double)up;
        stats->net_user_percent = (double)call->status.cpu_user * 100 / (double)up;
    }
    tdm_call_path_stats(call, &stats->security);
    tdm_call_channel_stats(call, &stats->channel);
    stream_stats(call, TDM_AUDIO, &stats->audio);
    stream_stats(call, TDM_VIDEO, &stats->video);
    rate_stats(call, &stats->rate);
    device_stats(call, stats);
    tdm_latency_stats(&call->latency, stats);
    tdm_call_budget_stats(&call->budget, stats);
    stats->fps_now = call->rates.fps_now;
    stats->glass_now_ms = to_ms(call->latency.glass_now);
    stats->ear_now_ms = to_ms(call->latency.mouth_now);
    stats->frames_replaced = stats->frames_decoded > stats->frames_shown
                                 ? stats->frames_decoded - stats->frames_shown
                                 : 0;
}
