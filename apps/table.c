/* SPDX-License-Identifier: MIT */
#include "apps/table.h"

#include <string.h>

static const char *state_name(enum tandem_call_state state)
{
    static const char *const names[] = {"dialing", "ringing", "incoming", "up", "held", "ended"};

    return names[state];
}

/* Only what is not held, and by whom. */
static void add_budget(const struct tandem_stats *s, char *text, size_t capacity)
{
    const struct tandem_budget_line *lines[] = {&s->budget_sound, &s->budget_picture};
    static const char *const names[] = {"sound", "picture"};

    for (int i = 0; i < 2; i++) {
        size_t size = strlen(text);

        if (s->budget_ms > 0 && lines[i]->over)
            (void)snprintf(text + size, capacity - size, "  OVER %.0f ms: %s %.0f by %s",
                           s->budget_ms, names[i], lines[i]->now_ms, lines[i]->stage);
    }
}

/* What is sent where it is less than was asked for, and why: "" otherwise. */
static void write_sent(const struct tandem_stats *s, char *text, size_t capacity)
{
    text[0] = '\0';
    if (s->sent_why == TANDEM_SENT_BY_RATE)
        (void)snprintf(text, capacity, "%dx%d at %u/s because the way gives %.0f kbit/s",
                       s->sent_width, s->sent_height, s->sent_fps, s->rate.target_bps / 1e3);
    else if (s->sent_why == TANDEM_SENT_BY_TIME)
        (void)snprintf(text, capacity, "%dx%d at %u/s because coding takes %.0f ms a picture",
                       s->sent_width, s->sent_height, s->sent_fps, s->encode_ms);
}

void table_line(const struct tandem_stats *s, char *text, size_t capacity)
{
    unsigned seconds = (unsigned)s->seconds;
    char sent[100];

    write_sent(s, sent, sizeof sent);
    (void)snprintf(text, capacity,
                   "%02u:%02u %s  out %4.2f Mb/s  in %4.2f Mb/s %4.1f fps  loss %.1f %%  "
                   "glass %.1f ms  ear %.1f ms  rtt %.1f ms  queue %.0f ms%s%s",
                   seconds / 60, seconds % 60, state_name(s->state),
                   (s->audio.send_bps + s->video.send_bps) / 1e6,
                   (s->audio.receive_bps + s->video.receive_bps) / 1e6, s->fps_now,
                   100 * (s->video.active ? s->video.loss : s->audio.loss), s->glass_now_ms,
                   s->ear_now_ms, s->rtt_ms, s->rate.queue_ms, sent[0] ? "  " : "", sent);
    add_budget(s, text, capacity);
}

/* By what the rate goes, and how full the way is: "" without pictures. */
static void write_rate(const struct tandem_rate_stats *s, char *text, size_t capacity)
{
    static const char *const modes[] = {"by reports", "starting", "normal", "in a crowd",
                                        "beside others that do not give way"};

    if (s->mode == TANDEM_RATE_REPORTS || s->mode == TANDEM_RATE_START)
        (void)snprintf(text, capacity, "target %.2f Mb/s, %s", s->target_bps / 1e6, modes[s->mode]);
    else
        (void)snprintf(text, capacity, "target %.2f of %.2f Mb/s, %s, queue %.0f ms%s",
                       s->target_bps / 1e6, s->capacity_bps / 1e6, modes[s->mode], s->queue_ms,
                       s->ecn ? ", ECN" : "");
}

void table_overlay(const struct tandem_stats *s, char *text, size_t capacity)
{
    char rate[120];

    write_rate(&s->rate, rate, sizeof rate);
    (void)snprintf(
        text, capacity,
        "%s %.0f s   %s / %s   %dx%d %.1f fps\n"
        "in %.2f Mb/s  out %.2f Mb/s  loss %.2f %%  rtt %.1f ms\n"
        "%s\n"
        "glass to glass %.1f ms (p95 %.1f)   mouth to ear %.1f ms (p95 %.1f)\n"
        "encode %.1f ms  decode %.1f ms  playout %.1f ms  concealed %.2f s\n"
        "freezes %llu (%.1f s)  nack %llu  pli %llu  cpu %.0f %%",
        state_name(s->state), s->seconds, s->video.receive_codec, s->audio.receive_codec, s->width,
        s->height, s->fps_now, (s->audio.receive_bps + s->video.receive_bps) / 1e6,
        (s->audio.send_bps + s->video.send_bps) / 1e6, 100 * s->video.loss, s->rtt_ms, rate,
        s->glass_to_glass.p50, s->glass_to_glass.p95, s->mouth_to_ear.p50, s->mouth_to_ear.p95,
        s->encode_ms, s->decode_ms, s->playout_delay_ms, (double)s->samples_concealed / 48000,
        (unsigned long long)s->freezes, s->frozen_seconds, (unsigned long long)s->video.nacks_sent,
        (unsigned long long)s->video.plis_sent, s->cpu_percent);
}

void table_security(const struct tandem_security *s, char *text, size_t capacity)
{
    static const char *const paths[] = {"no path yet", "direct", "through a NAT",
                                        "through a mapped port", "relayed"};
    static const char *const contacts[] = {"", ", first time", ", known",
                                           ", NOT THE CERTIFICATE OF BEFORE"};

    if (s->protection == TANDEM_PROTECTION_NONE)
        (void)snprintf(text, capacity, "%s, NOT ENCRYPTED", paths[s->path]);
    else
        (void)snprintf(text, capacity, "%s, %s %s%s%s%s", paths[s->path],
                       s->protection == TANDEM_PROTECTION_DTLS ? "DTLS-SRTP" : "SDES-SRTP",
                       s->profile, s->words[0] ? ", words: " : "", s->words, contacts[s->contact]);
}

static void print_distribution(FILE *to, const char *name, const struct tandem_distribution *d)
{
    if (d->count)
        fprintf(to, "  %-26s %8.2f %8.2f %8.2f %8.2f   %llu\n", name, d->p50, d->p95, d->p99,
                d->max, (unsigned long long)d->count);
    else
        fprintf(to, "  %-26s %8s\n", name, "-");
}

static void print_stages(FILE *to, const struct tandem_stage *stages, uint8_t count)
{
    for (uint8_t i = 0; i < count; i++) {
        char name[40];

        (void)snprintf(name, sizeof name, "  %s", stages[i].name);
        print_distribution(to, name, &stages[i].ms);
    }
}

static void print_stream(FILE *to, const char *name, const struct tandem_stream_stats *s)
{
    if (!s->active && !s->packets_sent && !s->packets_received)
        return;
    fprintf(to,
            "  %-6s out %-5s %8llu packets %9.2f MB (%llu again)   in %-5s %8llu packets %9.2f MB\n"
            "         lost %lld (%.2f %%), jitter %.2f ms, repaired %llu, nack %llu out %llu in, "
            "pli %llu out %llu in\n",
            name, s->send_codec[0] ? s->send_codec : "-", (unsigned long long)s->packets_sent,
            (double)s->bytes_sent / 1e6, (unsigned long long)s->packets_resent,
            s->receive_codec[0] ? s->receive_codec : "-", (unsigned long long)s->packets_received,
            (double)s->bytes_received / 1e6, (long long)s->packets_lost, 100 * s->loss,
            s->jitter_ms, (unsigned long long)s->repaired, (unsigned long long)s->nacks_sent,
            (unsigned long long)s->nacks_received, (unsigned long long)s->plis_sent,
            (unsigned long long)s->plis_received);
}

static void print_budget(FILE *to, const char *name, const struct tandem_budget_line *line,
                         const struct tandem_stage *stages, uint8_t count)
{
    if (!line->times) {
        fprintf(to, "  %-7s budget held\n", name);
        return;
    }
    fprintf(to, "  %-7s budget not held for %.1f s, %u time%s:", name, line->over_seconds,
            line->times, line->times == 1 ? "" : "s");
    for (uint8_t i = 0; i < count; i++)
        if (stages[i].over_seconds > 0)
            fprintf(to, " %s %.1f s (p50 %.0f ms, share %.0f)", stages[i].name,
                    stages[i].over_seconds, stages[i].ms.p50, stages[i].share_ms);
    fprintf(to, "%s\n", line->over ? ", to the end" : "");
}

/* How our own pictures were sent. */
static void print_sent(FILE *to, const struct tandem_stats *s)
{
    char sent[100];

    write_sent(s, sent, sizeof sent);
    fprintf(
        to,
        "  sent as %dx%d at %u/s by %s, %u thread%s, %.2f ms a picture, %llu cut off behind the "
        "encoder\n",
        s->sent_width, s->sent_height, s->sent_fps, s->encoder, s->encoder_threads,
        s->encoder_threads == 1 ? "" : "s", s->encode_ms, (unsigned long long)s->frames_cut);
    if (sent[0])
        fprintf(to, "  asked for %dx%d at %u/s: %s\n", s->wanted_width, s->wanted_height,
                s->wanted_fps, sent);
}

void table_print(FILE *to, const struct tandem_stats *s)
{
    fprintf(to, "  latency, ms                     p50      p95      p99      max   samples\n");
    print_distribution(to, "glass to glass", &s->glass_to_glass);
    print_stages(to, s->video_stages, s->video_stage_count);
    print_distribution(to, "  beyond encode and decode", &s->beyond_codec);
    print_distribution(to, "mouth to ear", &s->mouth_to_ear);
    print_stages(to, s->audio_stages, s->audio_stage_count);
    if (s->budget_ms > 0) {
        fprintf(to, "  latency budget %.0f ms\n", s->budget_ms);
        print_budget(to, "picture", &s->budget_picture, s->video_stages, s->video_stage_count);
        print_budget(to, "sound", &s->budget_sound, s->audio_stages, s->audio_stage_count);
    }
    if (s->pixel_latency.count) {
        print_distribution(to, "time code in the pixels", &s->pixel_latency);
        print_distribution(to, "  differs from the trace", &s->trace_minus_pixels);
    }
    if (s->chirp_latency.count)
        print_distribution(to, "chirp in the sound", &s->chirp_latency);
    fprintf(to,
            "  frames captured %llu, encoded %llu, skipped %llu, sent %llu; received %llu, shown "
            "%llu (%.1f/s), replaced %llu, undecodable %llu\n"
            "  freezes %llu, %.2f s frozen; sound concealed %.3f s of %.1f s, playout %.1f ms, "
            "clock drift %.0f ppm\n",
            (unsigned long long)s->frames_captured, (unsigned long long)s->frames_encoded,
            (unsigned long long)s->frames_skipped, (unsigned long long)s->frames_sent,
            (unsigned long long)s->frames_received, (unsigned long long)s->frames_shown,
            s->shown_fps, (unsigned long long)s->frames_replaced,
            (unsigned long long)s->decode_errors, (unsigned long long)s->freezes, s->frozen_seconds,
            (double)s->samples_concealed / 48000, (double)s->samples_played / 48000,
            s->playout_delay_ms, s->drift_ppm);
    if (s->encoder[0])
        print_sent(to, s);
    char security[200];

    table_security(&s->security, security, sizeof security);
    fprintf(to, "  %s%s%s%s%s; ready %.1f ms and first media %.1f ms after agreement\n", security,
            s->security.local[0] ? ", from " : "", s->security.local,
            s->security.remote[0] ? " to " : "", s->security.remote, s->security.ready_ms,
            s->security.media_ms);
    print_stream(to, "video", &s->video);
    print_stream(to, "audio", &s->audio);
    if (s->video.packets_sent) {
        char rate[120];

        write_rate(&s->rate, rate, sizeof rate);
        fprintf(to, "  rate   %s, %llu bytes under way, %llu packets came marked\n", rate,
                (unsigned long long)s->rate.inflight_bytes, (unsigned long long)s->rate.marked);
    }
    fprintf(to,
            "  round trip %.2f ms, other clock %+.3f ms, CPU %.1f %% of a core "
            "(net thread %.2f %%, of which %.2f %% outside the kernel), "
            "real-time priority %s\n",
            s->rtt_ms, s->clock_offset_ms, s->cpu_percent, s->net_cpu_percent, s->net_user_percent,
            s->real_time ? "yes" : "no");
}
