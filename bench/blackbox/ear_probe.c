/* SPDX-License-Identifier: MIT */

/*
 * Mouth and ear: plays a chirp a second into one PulseAudio sink, which stands for the room of the
 * speaker, records the monitors of that sink and of the listener's, and says in one JSON object how
 * much later each chirp was heard. Both monitors are read the same way, in pieces of 5 ms, so what
 * that costs cancels; the same sink twice gives 0.0 ms.
 */

#include "bench/blackbox/clock.h"
#include "bench/blackbox/options.h"
#include "bench/blackbox/series.h"
#include "engine/base/chirp.h"

#include <math.h>
#include <pthread.h>
#include <pulse/error.h>
#include <pulse/simple.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#define RATE_HZ       48000
#define PIECE_SAMPLES 240 /* 5 ms */
#define LEVEL         12000.0F
#define LATEST_S      0.9 /* Chirps are one second apart. */
#define SETTLE_S      1.5 /* Attaching the probe itself moves the server's buffers. */

static const pa_sample_spec format = {.format = PA_SAMPLE_S16LE, .rate = RATE_HZ, .channels = 1};

/* One recorded monitor. Owned by its thread until that is joined. */
struct ear {
    char source[128];
    size_t pieces;     /* To record. */
    int16_t *samples;  /* pieces * PIECE_SAMPLES of them. */
    tdm_time *arrived; /* When each piece was read. */
    bool failed;
    struct tdm_series heard_s; /* When each chirp began, on the monotonic clock. */
};

struct mouth {
    const char *sink;
    atomic_bool stop;
    bool failed;
};

static void report(const char *what, const char *which, int error)
{
    fprintf(stderr, "ear_probe: cannot %s %s: %s.\n", what, which, pa_strerror(error));
}

static void *speak(void *argument)
{
    struct mouth *mouth = argument;
    int16_t piece[PIECE_SAMPLES];
    int error = 0;
    const pa_buffer_attr buffer = {.maxlength = UINT32_MAX,
                                   .tlength = 4 * sizeof piece,
                                   .prebuf = UINT32_MAX,
                                   .minreq = sizeof piece,
                                   .fragsize = UINT32_MAX};
    pa_simple *out = pa_simple_new(NULL, "ear_probe", PA_STREAM_PLAYBACK, mouth->sink, "chirps",
                                   &format, NULL, &buffer, &error);
    if (!out) {
        report("play into", mouth->sink, error);
        mouth->failed = true;
        return NULL;
    }
    for (uint32_t at = 0; !atomic_load(&mouth->stop); at = (at + PIECE_SAMPLES) % RATE_HZ) {
        for (uint32_t i = 0; i < PIECE_SAMPLES; i++)
            piece[i] = (int16_t)(LEVEL * tdm_chirp_sample(at + i, RATE_HZ));
        if (pa_simple_write(out, piece, sizeof piece, &error) < 0) {
            report("play into", mouth->sink, error);
            mouth->failed = true;
            break;
        }
    }
    pa_simple_free(out);
    return NULL;
}

static void *listen_to(void *argument)
{
    struct ear *ear = argument;
    int error = 0;
    size_t piece_bytes = PIECE_SAMPLES * sizeof(int16_t);
    const pa_buffer_attr buffer = {.maxlength = UINT32_MAX,
                                   .tlength = UINT32_MAX,
                                   .prebuf = UINT32_MAX,
                                   .minreq = UINT32_MAX,
                                   .fragsize = (uint32_t)piece_bytes};
    pa_simple *in = pa_simple_new(NULL, "ear_probe", PA_STREAM_RECORD, ear->source, "ear", &format,
                                  NULL, &buffer, &error);
    if (!in) {
        report("record", ear->source, error);
        ear->failed = true;
        return NULL;
    }
    for (size_t n = 0; n < ear->pieces; n++) {
        if (pa_simple_read(in, ear->samples + n * PIECE_SAMPLES, piece_bytes, &error) < 0) {
            report("record", ear->source, error);
            ear->failed = true;
            break;
        }
        ear->arrived[n] = clock_now();
    }
    pa_simple_free(in);
    return NULL;
}

static bool ear_init(struct ear *ear, const char *sink, double seconds)
{
    *ear = (struct ear){.pieces = (size_t)(seconds * RATE_HZ / PIECE_SAMPLES)};
    (void)snprintf(ear->source, sizeof ear->source, "%s.monitor", sink);
    ear->samples = calloc(ear->pieces, PIECE_SAMPLES * sizeof(int16_t));
    ear->arrived = calloc(ear->pieces, sizeof(tdm_time));
    return ear->samples && ear->arrived && tdm_series_init(&ear->heard_s, (size_t)seconds + 2);
}

static void ear_fini(struct ear *ear)
{
    free(ear->samples);
    free(ear->arrived);
    tdm_series_fini(&ear->heard_s);
}

/*
 * When a sample was at the monitor: the piece that came through fastest within a second around it
 * says where the stream stands on the clock; the others were only read late.
 */
static double time_of(const struct ear *ear, double sample)
{
    size_t reach = RATE_HZ / PIECE_SAMPLES;
    size_t piece = sample <= 0 ? 0 : (size_t)(sample / PIECE_SAMPLES);
    size_t first = piece > reach ? piece - reach : 0;
    double best = HUGE_VAL;

    for (size_t n = first; n < ear->pieces && n <= piece + reach; n++) {
        double end_s = (double)(n + 1) * PIECE_SAMPLES / RATE_HZ;
        best = fmin(best, (double)ear->arrived[n] / (double)TDM_S - end_s);
    }
    return best + sample / RATE_HZ;
}

static void find_chirps(struct ear *ear)
{
    struct tdm_chirp_detector detector;
    double at = 0;

    tdm_chirp_detector_init(&detector);
    for (size_t i = 0; i < ear->pieces * PIECE_SAMPLES; i++) {
        if (tdm_chirp_detector_push(&detector, ear->samples[i], &at))
            tdm_series_push(&ear->heard_s, time_of(ear, at));
    }
}

/*
 * Every chirp of the mouth with the first one in the ear that is not before it. Chirps in the
 * first moments, and those that may be heard only after the recording, do not count as said.
 */
static bool match(const struct ear *mouth, const struct ear *ear, struct tdm_series *delays_ms,
                  size_t *said_count)
{
    double start = time_of(mouth, 0) + SETTLE_S;
    double end = time_of(mouth, (double)(mouth->pieces * PIECE_SAMPLES));

    *said_count = 0;
    if (!tdm_series_init(delays_ms, mouth->heard_s.count + 1))
        return false;
    for (size_t i = 0, j = 0; i < mouth->heard_s.count; i++) {
        double said = mouth->heard_s.values[i];
        if (said > end - LATEST_S)
            break;
        if (said < start)
            continue;
        ++*said_count;
        while (j < ear->heard_s.count && ear->heard_s.values[j] < said - 0.002)
            j++;
        if (j < ear->heard_s.count && ear->heard_s.values[j] < said + LATEST_S)
            tdm_series_push(delays_ms, 1e3 * (ear->heard_s.values[j] - said));
    }
    tdm_series_sort(delays_ms);
    return true;
}

static bool record(const char *sink, struct ear ears[2])
{
    struct mouth mouth = {.sink = sink};
    pthread_t speaker, listeners[2];

    if (pthread_create(&speaker, NULL, speak, &mouth) != 0)
        return false;
    bool started[2] = {false, false};
    for (int i = 0; i < 2; i++)
        started[i] = pthread_create(&listeners[i], NULL, listen_to, &ears[i]) == 0;
    for (int i = 0; i < 2; i++) {
        if (started[i])
            pthread_join(listeners[i], NULL);
    }
    atomic_store(&mouth.stop, true);
    pthread_join(speaker, NULL);
    return started[0] && started[1] && !mouth.failed && !ears[0].failed && !ears[1].failed;
}

/* The exit code. */
static int measure(const char *mouth_sink, struct ear ears[2])
{
    struct tdm_series delays_ms;
    size_t said = 0;

    if (!record(mouth_sink, ears))
        return 1;
    find_chirps(&ears[0]);
    find_chirps(&ears[1]);
    if (!match(&ears[0], &ears[1], &delays_ms, &said))
        return 1;
    printf("{\"said\": %zu, \"heard\": %zu, \"p50_ms\": %.2f, \"p95_ms\": %.2f, "
           "\"max_ms\": %.2f, \"min_ms\": %.2f}\n",
           said, delays_ms.count, tdm_series_at(&delays_ms, 0.5), tdm_series_at(&delays_ms, 0.95),
           tdm_series_at(&delays_ms, 1), tdm_series_at(&delays_ms, 0));
    int status = delays_ms.count > 0 ? 0 : 1;
    tdm_series_fini(&delays_ms);
    return status;
}

int main(int argc, char **argv)
{
    const char *mouth_sink = "mic_a", *ear_sink = "spk_b";
    double seconds = 15;
    const struct tdm_option options[] = {
        {"--mouth", "sink to speak into, mic_a", .text = &mouth_sink},
        {"--ear", "sink to listen to, spk_b", .text = &ear_sink},
        {"--seconds", "to measure, 15", .number = &seconds},
        {0},
    };
    tdm_options_read(argc, argv, options);

    struct ear ears[2] = {0};
    int status = 2;
    if (seconds >= 2 && seconds <= 600 &&
        ear_init(&ears[0], mouth_sink, seconds + SETTLE_S + LATEST_S) &&
        ear_init(&ears[1], ear_sink, seconds + SETTLE_S + LATEST_S))
        status = measure(mouth_sink, ears);
    else
        fprintf(stderr, "ear_probe: --seconds is between 2 and 600.\n");
    ear_fini(&ears[0]);
    ear_fini(&ears[1]);
    return status;
}
