/* SPDX-License-Identifier: MIT */
#ifndef TANDEM_BENCH_H
#define TANDEM_BENCH_H

/*
 * What a codec really costs: the codecs of this build, measured on this machine. A bench is a list
 * of cells (encoder, preset, threads, size, content, rate); each step measures one round of one
 * cell, so that a program can show progress, stop early and stay in charge of its thread.
 *
 * Threads: one at a time for each bench; `step` pins the calling thread to one core for its
 * duration. Errors and causes as in tandem/tandem.h.
 *
 *     struct tandem_bench *b;
 *     tandem_bench_create(NULL, &b, &cause);
 *     while (tandem_bench_step(b, &progress, &cause) == TANDEM_OK)
 *         ...
 *     char *json = tandem_bench_json(b, &cause);
 */

#include "tandem/tandem.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Lists are separated by commas; NULL means what stands in brackets. Borrowed for create. */
struct tandem_bench_config {
    /** Names of encoders or codecs, each with an optional preset: "x264", "h264", "vp8:12",
     *  "opus", "all". [every encoder with the preset that calls use, one faster and one slower] */
    const char *codecs;
    /** ["640x480,1280x720,1920x1080"] */
    const char *sizes;
    /** camera, text, scroll, slides, game, or NAME=FILE for a clip of one's own. [all five] */
    const char *content;
    /** Video bit rates, "500k,1.5M", for every size. [three that suit each size] */
    const char *rates;
    uint16_t fps;     /* [30] */
    uint16_t rounds;  /* Each cell is measured so many times, taken in turns with the others. [3] */
    uint16_t frames;  /* Of one round, after its warm-up. [60] */
    uint16_t threads; /* For the encoders. [1] */
    bool quick;       /* A small choice of cells that ends within a minute. */
    bool no_audio;    /* Leave the audio codecs out. */
};

struct tandem_bench;

/** Reads the inputs and plans the cells. What cannot be measured is said here, before anything ran:
 *  TANDEM_UNSUPPORTED for a codec or preset that this build has not (the cause lists those it has),
 *  TANDEM_INVALID for an odd or too large size, a rate of zero, an unknown content,
 *  TANDEM_FAILED for a clip that cannot be read. */
TANDEM_API enum tandem_status tandem_bench_create(const struct tandem_bench_config *config,
                                                  struct tandem_bench **bench,
                                                  struct tandem_cause *cause);
TANDEM_API void tandem_bench_destroy(struct tandem_bench *bench);

struct tandem_bench_progress {
    uint32_t done, total; /* Steps. */
    double seconds_left;  /* Estimated from the steps done. */
    char cell[128];       /* What was measured last: "x264 superfast 1280x720 camera 1.5 Mb/s". */
    double encode_ms, decode_ms, psnr_db; /* Of it; 0 where it has none. */
};

/** Measures one round of one cell. TANDEM_AGAIN when all is done; TANDEM_FAILED when a codec failed
 *  (it is left out from then on, and the report says why; go on). */
TANDEM_API enum tandem_status tandem_bench_step(struct tandem_bench *bench,
                                                struct tandem_bench_progress *progress,
                                                struct tandem_cause *cause);

/** What each encoder costs on this machine, which "auto" in tandem_media.video_codecs chooses by:
 * as an earlier start kept it in $XDG_CACHE_HOME/tandem/codec-costs.json (or under ~/.cache), else,
 * or `again`, measured now in a few seconds and kept. JSON: "costs", a list of {encoder, preset,
 *  encode_ns, decode_ns (a pixel), parallel, first}. Free with tandem_free. NULL with a cause when
 * no encoder works. */
TANDEM_API char *tandem_codec_costs(bool again, struct tandem_cause *cause);

/** Whether they are kept already, so that nothing need be measured. */
TANDEM_API bool tandem_codec_costs_kept(void);

/** What was measured so far as JSON (docs/bench-codec.md names every field). Free with tandem_free.
 *  NULL when there is no memory. */
TANDEM_API char *tandem_bench_json(struct tandem_bench *bench);

/** A report as one HTML page that needs nothing else. `json` and `older` are texts as
 *  tandem_bench_json gives; `older` may be NULL, else the page shows what changed. NULL with a
 * cause when a text is no report. Free with tandem_free. */
TANDEM_API char *tandem_bench_html(const char *json, const char *older, struct tandem_cause *cause);

/** What changed from `older` to `json` beyond what one machine's noise gives (docs/bench-codec.md),
 *  as JSON: a list "changes" of {cell, figure, before, after, percent, worse, better}; one that is
 *  neither says nothing alone. NULL with a cause as above. */
TANDEM_API char *tandem_bench_compare(const char *json, const char *older,
                                      struct tandem_cause *cause);

#ifdef __cplusplus
}
#endif

#endif
