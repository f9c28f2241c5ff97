/* SPDX-License-Identifier: MIT */
#include "measure/video_cell.h"

#include "engine/io/clock.h"
#include "measure/hash.h"
#include "measure/machine.h"
#include "measure/unit_log.h"
#include "measure/video_probe.h"

#include <stdio.h>
#include <string.h>

uint32_t tdm_video_budget_bytes(const struct tdm_video_spec *spec)
{
    uint32_t bytes = spec->bps / 8 / spec->fps;

    return bytes > 0 ? bytes : 1;
}

struct tdm_coder_config tdm_video_coder_config(const struct tdm_video_spec *spec)
{
    struct tdm_coder_config config = {
        .ops = spec->ops,
        .encoder =
            {
                .width = spec->width,
                .height = spec->height,
                .fps = spec->fps,
                .bitrate_bps = spec->bps,
                .threads = spec->threads,
                .content = spec->screen ? TDM_CONTENT_SCREEN : TDM_CONTENT_CAMERA,
            },
    };

    (void)snprintf(config.encoder.preset, sizeof config.encoder.preset, "%s", spec->preset);
    return config;
}

void tdm_video_cell_free(struct tdm_video_cell *cell)
{
    tdm_series_free(&cell->times.encode);
    tdm_series_free(&cell->times.first_slice);
    tdm_series_free(&cell->times.packetise);
    tdm_series_free(&cell->times.decode);
    tdm_series_free(&cell->frame_bytes);
    tdm_series_free(&cell->share);
}

static bool add_ms(struct tdm_series *series, tdm_time took)
{
    return took < 0 || tdm_series_add(series, (double)took / (double)TDM_MS);
}

/* One round under way. */
struct round {
    struct tdm_video_cell *cell;
    struct tdm_coder coder;
    struct tdm_hash hash;
    struct tdm_unit_log units; /* For the decoder's own pass. */
    struct tdm_picture shown;  /* What the other side sees; of the first round. */
    bool first, has_shown;
};

static bool keep_sizes(struct round *round)
{
    struct tdm_video_cell *cell = round->cell;
    double bytes = (double)round->coder.payload_bytes;

    cell->bytes += round->coder.payload_bytes;
    return tdm_series_add(&cell->frame_bytes, bytes) &&
           tdm_series_add(&cell->share, bytes / tdm_video_budget_bytes(&cell->spec));
}

/* Encodes and cuts one picture, and decodes it where it is to be looked at; adds to the series when
 * it `counts`. */
static enum tdm_err code(struct round *round, const struct tdm_picture *pic, bool counts)
{
    struct tdm_video_cell *cell = round->cell;
    struct tdm_coder *coder = &round->coder;
    tdm_time encode, cpu = tdm_clock_process_cpu();
    enum tdm_err err =
        tdm_coder_encode(coder, pic, tdm_video_budget_bytes(&cell->spec), false, &encode);

    cpu = tdm_clock_process_cpu() - cpu;
    if (err)
        return err;
    tdm_hash_add(&round->hash, coder->unit, coder->unit_size);
    tdm_time packetise = tdm_coder_packetise(coder);

    if (!tdm_unit_log_add(&round->units, coder->unit, coder->unit_size, counts))
        return TDM_E_SPACE;
    if (round->first) {
        err = tdm_coder_decode(coder, &round->shown, NULL);
        if (err)
            return err == TDM_E_AGAIN ? TDM_E_MALFORMED : err;
        round->has_shown = true;
    }
    if (!counts)
        return TDM_OK;
    cell->cpu_ms_sum += (double)cpu / (double)TDM_MS;
    bool kept = add_ms(&cell->times.encode, encode) &&
                add_ms(&cell->times.first_slice, coder->first_slice) &&
                add_ms(&cell->times.packetise, packetise);

    return kept && (!round->first || keep_sizes(round)) ? TDM_OK : TDM_E_SPACE;
}

/* The series of a round. A picture that the encoder drops leaves the one before on the screen, and
 * that is what its quality is counted by. */
static enum tdm_err run_series(struct round *round, const struct tdm_clip *clip)
{
    struct tdm_video_cell *cell = round->cell;
    uint32_t count = cell->spec.warmup + cell->spec.frames;

    for (uint32_t i = 0; i < count; i++) {
        struct tdm_picture pic;
        bool counts = i >= cell->spec.warmup;

        tdm_clip_picture(clip, i, &pic);
        enum tdm_err err = code(round, &pic, counts);

        if (err && err != TDM_E_AGAIN)
            return err;
        if (err && counts && round->first)
            cell->dropped++;
        if (counts && round->first && round->has_shown)
            tdm_quality_add(&cell->quality, &pic, &round->shown);
    }
    return TDM_OK;
}

static void keep_hash(struct round *round)
{
    struct tdm_video_cell *cell = round->cell;
    char text[65];

    tdm_hash_finish(&round->hash, text);
    if (round->first)
        memcpy(cell->sha256, text, sizeof text);
    else if (strcmp(cell->sha256, text) != 0)
        cell->bits_differ = true;
}

static enum tdm_err probe(struct round *round, const struct tdm_clip *clip, struct tdm_cause *cause)
{
    struct tdm_video_cell *cell = round->cell;
    struct tdm_probe probe = {
        .coder = &round->coder,
        .clip = clip,
        .spec = &cell->spec,
        .next = cell->spec.warmup + cell->spec.frames,
    };
    enum tdm_err err = tdm_probe_step(&probe, cell->spec.frames / 2, &cell->step);

    if (err)
        return tdm_fail(cause, err, "%s failed when the rate fell (%s)", cell->spec.ops->name,
                        tdm_err_name(err));
    err = tdm_probe_loss(&probe, &cell->loss);
    if (err)
        return tdm_fail(cause, err, "%s did not recover from a loss (%s)", cell->spec.ops->name,
                        tdm_err_name(err));
    return tdm_probe_held(&cell->spec, &cell->held, cause);
}

static enum tdm_err run_round(struct round *round, const struct tdm_clip *clip,
                              struct tdm_cause *cause)
{
    struct tdm_video_cell *cell = round->cell;
    struct tdm_coder_config config = tdm_video_coder_config(&cell->spec);
    uint64_t heap = tdm_heap_bytes();
    enum tdm_err err = tdm_coder_create(&round->coder, &config, cause);

    if (err)
        return err;
    heap += round->coder.capacity; /* The unit's bytes are not the codec's. */
    err = run_series(round, clip);
    uint64_t now = tdm_heap_bytes();
    uint64_t logged = tdm_unit_log_bytes(&round->units); /* Nor are these. */

    if (!err)
        err = tdm_unit_log_time(&round->units, round->coder.decoder_ops, &cell->times.decode);
    if (err)
        (void)tdm_fail(cause, err, "%s failed on a picture (%s)", cell->spec.ops->name,
                       tdm_err_name(err));
    keep_hash(round);
    if (round->first)
        cell->memory_bytes = now > heap + logged ? now - heap - logged : 0;
    if (!err && round->first)
        err = probe(round, clip, cause);
    tdm_coder_destroy(&round->coder);
    return err;
}

enum tdm_err tdm_video_cell_measure(struct tdm_video_cell *cell, const struct tdm_clip *clip,
                                    struct tdm_cause *cause)
{
    struct round round = {.cell = cell, .first = cell->rounds == 0};
    struct tdm_cause why = {{0}};
    enum tdm_err err;

    assert(clip->width == cell->spec.width && clip->height == cell->spec.height);
    if (!tdm_hash_create(&round.hash))
        return tdm_fail(cause, TDM_E_SYSTEM, "no memory");
    err = run_round(&round, clip, &why);
    tdm_unit_log_free(&round.units);
    tdm_hash_destroy(&round.hash);
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
