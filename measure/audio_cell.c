/* SPDX-License-Identifier: MIT */
#include "measure/audio_cell.h"

#include "engine/base/rng.h"
#include "engine/io/clock.h"
#include "measure/machine.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAYLOAD_MAX     16384
#define WARMUP          10   /* Frames that are not timed. */
#define LOSS            0.05 /* Share of frames lost. */
#define LOSS_SEED       5
#define PROBE_MS        400 /* Of silence with a click in it. */
#define CLICK_MS        100 /* Where. */
#define CLICK_LENGTH_US 1000
#define SEGMENT_US      20000 /* Of segmental SNR. */
#define SEGMENT_DB_MIN  (-10.0)
#define SEGMENT_DB_MAX  35.0
#define SILENT          3.0e4 /* Mean square below which a segment counts as silence: -45 dBFS. */
#define CLEAN_US        2500  /* Pieces in which sound after a loss is compared. */
#define CLEAN_DB        25.0  /* What the difference lies below the sound where it is clean. */
#define PI              3.14159265358979323846

void tdm_audio_cell_free(struct tdm_audio_cell *cell)
{
    tdm_series_free(&cell->encode_ms);
    tdm_series_free(&cell->decode_ms);
    tdm_series_free(&cell->payload_bytes);
}

/* One encoder and its decoder, and what comes out. */
struct line {
    const struct tdm_audio_encoder_ops *encoder_ops;
    const struct tdm_audio_decoder_ops *decoder_ops;
    struct tdm_audio_encoder *encoder;
    struct tdm_audio_decoder *decoder;
    uint32_t frame_samples;
    uint8_t channels;
    uint8_t payload[PAYLOAD_MAX];
    size_t payload_size;
};

static enum tdm_err line_create(struct line *line, const struct tdm_audio_spec *spec,
                                struct tdm_cause *cause)
{
    const struct tdm_audio_encoder_config *config = &spec->config;

    line->encoder_ops = spec->ops;
    line->decoder_ops = tdm_audio_decoder_find(spec->ops->id);
    line->channels = config->channels;
    line->frame_samples = (uint32_t)((uint64_t)config->sample_hz * config->frame_us / 1000000);
    if (!line->decoder_ops)
        return tdm_fail(cause, TDM_E_UNSUPPORTED, "this build cannot decode %s",
                        spec->ops->rtp_name);
    enum tdm_err err = spec->ops->create(config, &line->encoder, cause);

    if (err)
        return err;
    err = line->decoder_ops->create(config->sample_hz, config->channels, &line->decoder, cause);
    if (err)
        spec->ops->destroy(line->encoder);
    return err;
}

static void line_destroy(struct line *line)
{
    line->encoder_ops->destroy(line->encoder);
    line->decoder_ops->destroy(line->decoder);
}

static enum tdm_err line_encode(struct line *line, const int16_t *pcm)
{
    return line->encoder_ops->encode(line->encoder, pcm, line->frame_samples, line->payload,
                                     sizeof line->payload, &line->payload_size);
}

/* Decodes into exactly one frame; nothing to send counts as silence. */
static enum tdm_err line_decode(struct line *line, struct tdm_audio_decoder *decoder, int16_t *pcm)
{
    int16_t decoded[TDM_AUDIO_FRAME_SAMPLES_MAX * 2];
    uint32_t samples = 0;
    enum tdm_err err = TDM_OK;

    if (line->payload_size > 0)
        err = line->decoder_ops->decode(decoder, line->payload, line->payload_size, decoded,
                                        TDM_AUDIO_FRAME_SAMPLES_MAX, &samples);
    if (samples > line->frame_samples)
        samples = line->frame_samples;
    memset(pcm, 0, (size_t)line->frame_samples * line->channels * sizeof *pcm);
    memcpy(pcm, decoded, (size_t)samples * line->channels * sizeof *pcm);
    return err;
}

static double click_at(uint32_t sample, uint32_t length, uint32_t hz)
{
    double window = 0.5 - 0.5 * cos(2 * PI * (sample + 0.5) / length);

    return 16000 * window * sin(2 * PI * 2000 * sample / hz);
}

/* Where in `pcm` the click fits best. */
static uint32_t find_click(const int16_t *pcm, uint32_t samples, uint8_t channels, uint32_t length,
                           uint32_t hz)
{
    double best = 0;
    uint32_t found = 0;

    for (uint32_t at = 0; at + length <= samples; at++) {
        double sum = 0;

        for (uint32_t i = 0; i < length; i++)
            sum += pcm[(size_t)(at + i) * channels] * click_at(i, length, hz);
        if (fabs(sum) > best) {
            best = fabs(sum);
            found = at;
        }
    }
    return found;
}

/* The delay in samples, by a click in silence. */
static enum tdm_err measure_delay(const struct tdm_audio_spec *spec, uint32_t *delay,
                                  struct tdm_cause *cause)
{
    uint32_t hz = spec->config.sample_hz, length = hz / 1000 * CLICK_LENGTH_US / 1000;
    uint32_t samples = hz / 1000 * PROBE_MS, start = hz / 1000 * CLICK_MS;
    uint8_t channels = spec->config.channels;
    int16_t *pcm = calloc((size_t)samples * channels * 2, sizeof *pcm);
    struct line *line = calloc(1, sizeof *line);
    enum tdm_err err = TDM_E_SYSTEM;

    if (pcm && line)
        err = line_create(line, spec, cause);
    else
        (void)tdm_fail(cause, err, "no memory for sound");
    if (pcm && line && !err) {
        int16_t *heard = pcm + (size_t)samples * channels;
        uint32_t step = line->frame_samples;

        for (uint32_t i = 0; i < length * channels; i++)
            pcm[(size_t)start * channels + i] = (int16_t)click_at(i / channels, length, hz);
        for (uint32_t at = 0; !err && at + step <= samples; at += step) {
            err = line_encode(line, pcm + (size_t)at * channels);
            if (!err)
                err = line_decode(line, line->decoder, heard + (size_t)at * channels);
        }
        uint32_t found = find_click(heard, samples, channels, length, hz);

        *delay = found > start ? found - start : 0;
        line_destroy(line);
    }
    free(line);
    free(pcm);
    return err;
}

/* Two stretches of sound, one beside the other. */
struct pair {
    const int16_t *a, *b;
    uint32_t samples; /* Of all channels together. */
};

/* How far the difference lies below `a`, in decibels; false when `a` is silent. */
static bool snr_of(const struct pair *pair, double *db)
{
    double signal = 0, noise = 0;

    for (uint32_t i = 0; i < pair->samples; i++) {
        double difference = (double)pair->a[i] - pair->b[i];

        signal += (double)pair->a[i] * pair->a[i];
        noise += difference * difference;
    }
    *db = noise > 0 ? 10 * log10(signal / noise) : SEGMENT_DB_MAX;
    return signal > SILENT * pair->samples;
}

/* Mean over the segments that are not silent, each within its limits (Noll, 1977), after
 * alignment. */
static double segmental_snr(const struct tdm_sound *sound, const int16_t *heard, uint32_t delay)
{
    uint32_t step = (uint32_t)((uint64_t)sound->sample_hz * SEGMENT_US / 1000000), count = 0;
    double sum = 0, db;

    for (uint32_t at = 0; at + step + delay <= sound->samples; at += step) {
        const struct pair pair = {
            .a = sound->pcm + (size_t)at * sound->channels,
            .b = heard + (size_t)(at + delay) * sound->channels,
            .samples = step * sound->channels,
        };

        if (!snr_of(&pair, &db))
            continue;
        sum += fmax(SEGMENT_DB_MIN, fmin(SEGMENT_DB_MAX, db));
        count++;
    }
    return count ? sum / count : 0;
}

static bool add_ms(struct tdm_series *series, tdm_time took)
{
    return tdm_series_add(series, (double)took / (double)TDM_MS);
}

/* Codes the whole sound once, timed. */
static enum tdm_err run_series(struct tdm_audio_cell *cell, struct line *line,
                               const struct tdm_sound *sound, int16_t *heard)
{
    uint32_t step = line->frame_samples, index = 0;

    for (uint32_t at = 0; at + step <= sound->samples; at += step, index++) {
        size_t offset = (size_t)at * sound->channels;
        tdm_time start = tdm_clock_now();
        enum tdm_err err = line_encode(line, sound->pcm + offset);
        tdm_time middle = tdm_clock_now();

        if (!err)
            err = line_decode(line, line->decoder, heard + offset);
        tdm_time end = tdm_clock_now();

        if (err)
            return err;
        if (index < WARMUP)
            continue;
        bool kept =
            add_ms(&cell->encode_ms, middle - start) && add_ms(&cell->decode_ms, end - middle) &&
            (cell->rounds > 0 || tdm_series_add(&cell->payload_bytes, (double)line->payload_size));

        if (!kept)
            return TDM_E_SPACE;
    }
    return TDM_OK;
}

/* A run in which frames are lost: one decoder hears all, the other one what arrives. */
struct loss_run {
    struct line *line;
    struct tdm_audio_decoder *lossy;
    const struct tdm_sound *sound;
    int16_t *clean, *heard;
    bool *lost; /* Of each frame. */
    uint32_t frames;
};

static void draw_losses(struct loss_run *run)
{
    struct tdm_rng rng = tdm_rng_of(LOSS_SEED);

    for (uint32_t i = WARMUP; i < run->frames; i++)
        run->lost[i] = tdm_rng_chance(&rng, LOSS);
}

/* A lost frame is concealed when the one after it is there, as a call's playout does, so that
 * redundancy inside that one can help. */
static enum tdm_err run_losses(struct loss_run *run)
{
    struct line *line = run->line;
    size_t frame = (size_t)line->frame_samples * line->channels;

    for (uint32_t i = 0; i < run->frames; i++) {
        enum tdm_err err = line_encode(line, run->sound->pcm + i * frame);

        if (!err)
            err = line_decode(line, line->decoder, run->clean + i * frame);
        if (err)
            return err;
        if (i > 0 && run->lost[i - 1])
            line->decoder_ops->conceal(run->lossy, run->lost[i] ? NULL : line->payload,
                                       run->lost[i] ? 0 : line->payload_size,
                                       run->heard + (i - 1) * frame, line->frame_samples);
        if (!run->lost[i])
            err = line_decode(line, run->lossy, run->heard + i * frame);
        if (err)
            return err;
    }
    return TDM_OK;
}

/* From the start of each loss until the last piece that differs before the next one; the mean. */
static double recovery_ms(const struct loss_run *run)
{
    uint32_t hz = run->sound->sample_hz, piece = (uint32_t)((uint64_t)hz * CLEAN_US / 1000000);
    uint32_t events = 0;
    double sum = 0, db;

    for (uint32_t i = 0; i < run->frames; i++) {
        if (!run->lost[i] || (i > 0 && run->lost[i - 1]))
            continue;
        uint32_t start = i * run->line->frame_samples, end = start, next = i + 1;

        while (next < run->frames && (!run->lost[next] || run->lost[next - 1]))
            next++;
        uint32_t limit = next * run->line->frame_samples;

        for (uint32_t at = start; at + piece <= limit; at += piece) {
            const struct pair pair = {
                .a = run->clean + (size_t)at * run->line->channels,
                .b = run->heard + (size_t)at * run->line->channels,
                .samples = piece * run->line->channels,
            };

            if (snr_of(&pair, &db) && db < CLEAN_DB)
                end = at + piece;
        }
        sum += (end - start) * 1000.0 / hz;
        events++;
    }
    return events ? sum / events : 0;
}

static enum tdm_err measure_loss(struct tdm_audio_cell *cell, const struct tdm_sound *sound,
                                 uint32_t delay, int16_t *buffers)
{
    struct line *line = calloc(1, sizeof *line);
    size_t samples = (size_t)sound->samples * sound->channels;
    struct loss_run run = {
        .line = line, .sound = sound, .clean = buffers, .heard = buffers + samples};
    enum tdm_err err;

    if (!line)
        return TDM_E_SYSTEM;
    err = line_create(line, &cell->spec, NULL);
    if (err) {
        free(line);
        return err;
    }
    run.frames = sound->samples / line->frame_samples;
    run.lost = calloc(run.frames + 1, sizeof *run.lost);
    err = line->decoder_ops->create(sound->sample_hz, sound->channels, &run.lossy, NULL);
    if (!err && run.lost) {
        memset(buffers, 0, 2 * samples * sizeof *buffers);
        draw_losses(&run);
        if (line->encoder_ops->set_loss)
            line->encoder_ops->set_loss(line->encoder, LOSS);
        err = run_losses(&run);
        cell->loss_snr_db = segmental_snr(sound, run.heard, delay);
        cell->loss_ms = recovery_ms(&run);
        line->decoder_ops->destroy(run.lossy);
    }
    free(run.lost);
    line_destroy(line);
    free(line);
    return err;
}

static enum tdm_err measure_round(struct tdm_audio_cell *cell, const struct tdm_sound *sound,
                                  struct tdm_cause *cause)
{
    size_t samples = (size_t)sound->samples * sound->channels;
    int16_t *buffers = calloc(samples * 2, sizeof *buffers);
    struct line *line = calloc(1, sizeof *line);
    uint64_t heap = tdm_heap_bytes();
    enum tdm_err err;
    uint32_t delay = 0;

    if (!buffers || !line) {
        free(buffers);
        free(line);
        return tdm_fail(cause, TDM_E_SYSTEM, "no memory for sound");
    }
    err = line_create(line, &cell->spec, cause);
    if (!err) {
        cell->memory_bytes = tdm_heap_bytes() - heap;
        err = run_series(cell, line, sound, buffers);
        if (err)
            (void)tdm_fail(cause, err, "%s failed on a frame (%s)", cell->spec.ops->rtp_name,
                           tdm_err_name(err));
        line_destroy(line);
    }
    if (!err && cell->rounds == 0) {
        err = measure_delay(&cell->spec, &delay, cause);
        cell->delay_ms = delay * 1000.0 / sound->sample_hz;
        cell->snr_db = segmental_snr(sound, buffers, delay);
        if (!err && measure_loss(cell, sound, delay, buffers))
            err = tdm_fail(cause, TDM_E_SYSTEM, "%s failed when frames were lost",
                           cell->spec.ops->rtp_name);
    }
    free(line);
    free(buffers);
    return err;
}

enum tdm_err tdm_audio_cell_measure(struct tdm_audio_cell *cell, const struct tdm_sound *sound,
                                    struct tdm_cause *cause)
{
    struct tdm_cause why = {{0}};
    enum tdm_err err = measure_round(cell, sound, &why);

    if (err) {
        cell->failed = true;
        (void)snprintf(cell->why, sizeof cell->why, "%.159s", why.text);
        if (cause)
            *cause = why;
        return err;
    }
    cell->rounds++;
    return TDM_OK;
}
