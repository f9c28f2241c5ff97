/* SPDX-License-Identifier: MIT */
#include "engine/report.h"

#include <jansson.h>
#include <math.h>

static double rounded(double value)
{
    return round(value * 1000) / 1000;
}

static json_t *distribution(const struct tandem_distribution *d)
{
    return json_pack("{s:I, s:f, s:f, s:f, s:f, s:f}", "count", (json_int_t)d->count, "mean",
                     rounded(d->mean), "p50", rounded(d->p50), "p95", rounded(d->p95), "p99",
                     rounded(d->p99), "max", rounded(d->max));
}

static json_t *stages(const struct tandem_stage *list, uint8_t count)
{
    json_t *array = json_array();

    for (uint8_t i = 0; i < count; i++)
        (void)json_array_append_new(array, json_pack("{s:s, s:o, s:f, s:f}", "name", list[i].name,
                                                     "ms", distribution(&list[i].ms), "share_ms",
                                                     rounded(list[i].share_ms), "over_seconds",
                                                     rounded(list[i].over_seconds)));
    return array;
}

static void put(json_t *object, const char *key, json_t *value)
{
    (void)json_object_set_new(object, key, value);
}

static void put_count(json_t *object, const char *key, uint64_t value)
{
    put(object, key, json_integer((json_int_t)value));
}

static void put_real(json_t *object, const char *key, double value)
{
    put(object, key, json_real(rounded(value)));
}

static json_t *stream(const struct tandem_stream_stats *s)
{
    json_t *o = json_object();

    put(o, "active", json_boolean(s->active));
    put(o, "send_codec", json_string(s->send_codec));
    put(o, "receive_codec", json_string(s->receive_codec));
    put_count(o, "packets_sent", s->packets_sent);
    put_count(o, "packets_received", s->packets_received);
    put_count(o, "packets_resent", s->packets_resent);
    put_count(o, "packets_refused", s->packets_refused);
    put(o, "packets_lost", json_integer(s->packets_lost));
    put_count(o, "bytes_sent", s->bytes_sent);
    put_count(o, "bytes_received", s->bytes_received);
    put_real(o, "send_bps", s->send_bps);
    put_real(o, "receive_bps", s->receive_bps);
    put_real(o, "loss", s->loss);
    put_real(o, "remote_loss", s->remote_loss);
    put_real(o, "jitter_ms", s->jitter_ms);
    put_count(o, "nacks_sent", s->nacks_sent);
    put_count(o, "nacks_received", s->nacks_received);
    put_count(o, "plis_sent", s->plis_sent);
    put_count(o, "plis_received", s->plis_received);
    put_count(o, "repaired", s->repaired);
    put_count(o, "parity_sent", s->parity_sent);
    put_count(o, "parity_bytes", s->parity_bytes);
    put_count(o, "parity_received", s->parity_received);
    put_count(o, "mended", s->mended);
    put_count(o, "mended_late", s->mended_late);
    return o;
}

/* By enum tandem_sent_why. */
static const char *const sent_whys[] = {"whole", "rate", "time"};

static void put_frames(json_t *o, const struct tandem_stats *s)
{
    put_count(o, "frames_captured", s->frames_captured);
    put_count(o, "frames_encoded", s->frames_encoded);
    put_count(o, "frames_skipped", s->frames_skipped);
    put_count(o, "frames_sent", s->frames_sent);
    put_count(o, "frames_cut", s->frames_cut);
    put_count(o, "frames_received", s->frames_received);
    put_count(o, "frames_decoded", s->frames_decoded);
    put_count(o, "frames_shown", s->frames_shown);
    put_count(o, "frames_replaced", s->frames_replaced);
    put_count(o, "decode_errors", s->decode_errors);
    put_count(o, "keyframes_received", s->keyframes_received);
    put_count(o, "freezes", s->freezes);
    put_real(o, "frozen_seconds", s->frozen_seconds);
    put_real(o, "shown_fps", s->shown_fps);
    put_count(o, "width", (uint64_t)s->width);
    put_count(o, "height", (uint64_t)s->height);
    put(o, "encoder", json_string(s->encoder));
    put_count(o, "encoder_threads", s->encoder_threads);
    put_count(o, "sent_width", (uint64_t)s->sent_width);
    put_count(o, "sent_height", (uint64_t)s->sent_height);
    put_count(o, "sent_fps", s->sent_fps);
    put_count(o, "wanted_width", (uint64_t)s->wanted_width);
    put_count(o, "wanted_height", (uint64_t)s->wanted_height);
    put_count(o, "wanted_fps", s->wanted_fps);
    put(o, "sent_why", json_string(sent_whys[s->sent_why]));
    put_real(o, "budget_percent", s->budget_percent);
    put_real(o, "budget_spread_percent", s->budget_spread_percent);
    put_real(o, "encode_ms", s->encode_ms);
    put_real(o, "decode_ms", s->decode_ms);
}

static void put_sound(json_t *o, const struct tandem_stats *s)
{
    put_count(o, "samples_played", s->samples_played);
    put_count(o, "samples_concealed", s->samples_concealed);
    put_count(o, "samples_stretched", s->samples_stretched);
    put_count(o, "samples_shrunk", s->samples_shrunk);
    put_real(o, "playout_delay_ms", s->playout_delay_ms);
    put_real(o, "playout_target_ms", s->playout_target_ms);
    put_real(o, "drift_ppm", s->drift_ppm);
}

static void put_latencies(json_t *o, const struct tandem_stats *s)
{
    put(o, "glass_to_glass", distribution(&s->glass_to_glass));
    put(o, "beyond_codec", distribution(&s->beyond_codec));
    put(o, "mouth_to_ear", distribution(&s->mouth_to_ear));
    put(o, "pixel_latency", distribution(&s->pixel_latency));
    put(o, "trace_minus_pixels", distribution(&s->trace_minus_pixels));
    put(o, "chirp_latency", distribution(&s->chirp_latency));
    put(o, "skew", distribution(&s->skew));
    put(o, "video_stages", stages(s->video_stages, s->video_stage_count));
    put(o, "audio_stages", stages(s->audio_stages, s->audio_stage_count));
}

static json_t *budget_line(const struct tandem_budget_line *s)
{
    json_t *o = json_object();

    put(o, "over", json_boolean(s->over));
    put(o, "stage", json_string(s->stage));
    put_real(o, "now_ms", s->now_ms);
    put_real(o, "over_seconds", s->over_seconds);
    put_count(o, "times", s->times);
    return o;
}

static json_t *budget(const struct tandem_stats *s)
{
    json_t *o = json_object();

    put_real(o, "ms", s->budget_ms);
    put(o, "picture", budget_line(&s->budget_picture));
    put(o, "sound", budget_line(&s->budget_sound));
    return o;
}

static json_t *channel(const struct tandem_channel_stats *s)
{
    static const char *const states[] = {"none", "connecting", "up", "interrupted", "failed"};
    json_t *o = json_object();

    put(o, "state", json_string(states[s->state]));
    put(o, "text", json_string(s->text));
    put_count(o, "port", s->port);
    put(o, "remote", json_string(s->remote));
    put(o, "dialed", json_boolean(s->dialed));
    put(o, "over_media", json_boolean(s->over_media));
    put(o, "peer_checked", json_boolean(s->peer_checked));
    put_count(o, "refused", s->refused);
    put_count(o, "reconnects", s->reconnects);
    put_count(o, "bytes_sent", s->bytes_sent);
    put_count(o, "bytes_received", s->bytes_received);
    put_real(o, "rtt_ms", s->rtt_ms);
    put_real(o, "rate_bps", s->rate_bps);
    return o;
}

static json_t *rate(const struct tandem_rate_stats *s)
{
    static const char *const modes[] = {"reports", "start", "normal", "crowd", "coexist"};
    json_t *o = json_object();

    put(o, "mode", json_string(modes[s->mode]));
    put_real(o, "target_bps", s->target_bps);
    put_real(o, "limit_bps", s->limit_bps);
    put_real(o, "capacity_bps", s->capacity_bps);
    put_real(o, "acked_bps", s->acked_bps);
    put_real(o, "queue_ms", s->queue_ms);
    put_real(o, "way_ms", s->way_ms);
    put_count(o, "inflight_bytes", s->inflight_bytes);
    put_count(o, "window_bytes", s->window_bytes);
    put(o, "ecn", json_boolean(s->ecn));
    put_count(o, "marked", s->marked);
    return o;
}

static json_t *security(const struct tandem_security *s)
{
    static const char *const paths[] = {"none", "direct", "reflexive", "mapped", "relayed"};
    static const char *const protections[] = {"none", "sdes", "dtls"};
    static const char *const contacts[] = {"unknown", "new", "known", "changed"};
    json_t *o = json_object();

    put(o, "path", json_string(paths[s->path]));
    put(o, "ice", json_boolean(s->ice));
    put(o, "local", json_string(s->local));
    put(o, "remote", json_string(s->remote));
    put(o, "protection", json_string(protections[s->protection]));
    put(o, "profile", json_string(s->profile));
    put(o, "words", json_string(s->words));
    put(o, "contact", json_string(contacts[s->contact]));
    put_count(o, "refused", s->refused);
    put_count(o, "denied", s->denied);
    put_real(o, "path_ms", s->path_ms);
    put_real(o, "ready_ms", s->ready_ms);
    put_real(o, "media_ms", s->media_ms);
    return o;
}

char *tdm_report_json(const struct tandem_stats *s)
{
    static const char *const states[] = {"dialing", "ringing", "incoming", "up", "held", "ended"};
    json_t *o = json_object();

    put(o, "state", json_string(states[s->state]));
    put_real(o, "seconds", s->seconds);
    put_real(o, "rtt_ms", s->rtt_ms);
    put(o, "clock_known", json_boolean(s->clock_known));
    put_real(o, "clock_offset_ms", s->clock_offset_ms);
    put_real(o, "cpu_percent", s->cpu_percent);
    put_real(o, "net_cpu_percent", s->net_cpu_percent);
    put_real(o, "net_user_percent", s->net_user_percent);
    put(o, "real_time", json_boolean(s->real_time));
    put(o, "security", security(&s->security));
    put(o, "channel", channel(&s->channel));
    put(o, "audio", stream(&s->audio));
    put(o, "video", stream(&s->video));
    put(o, "rate", rate(&s->rate));
    put_frames(o, s);
    put_sound(o, s);
    put_latencies(o, s);
    put(o, "budget", budget(s));
    char *text = json_dumps(o, JSON_INDENT(2) | JSON_REAL_PRECISION(9));

    json_decref(o);
    return text;
}
