/* SPDX-License-Identifier: MIT */
/*
 * What changed between two reports. Frames of a round share the machine's state, so the interval of
 * a median is narrower than the truth, and wall time follows the machine's load: a time counts as
 * changed when the intervals do not touch, beyond a wide threshold, and where the CPU time was
 * counted it has to say the same. A figure that the same bits always give counts beyond a threshold
 * of its own. Everything else is noise and is not told.
 */
#include "measure/report_read.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TIME_SHARE    0.25 /* Of a time that nothing else vouches for. */
#define BACKED_SHARE  0.10 /* Of one that the CPU time has to back, */
#define WITNESS_SHARE 0.05 /* by so much itself. */

enum kind {
    VALUE,  /* A number. */
    MEDIAN, /* Of a distribution, with its confidence interval. */
    SUM,    /* latency_ms.total: its interval is that of encoding and decoding together. */
    BACKED, /* As MEDIAN, and cpu_ms has to move the same way. */
    FITS,   /* Neither worse nor better alone: it flips where a time stands near the interval. */
};

struct figure {
    const char *path; /* In a cell; of the distribution for MEDIAN and BACKED. */
    enum kind kind;
    bool more_is_better;
    double absolute, relative; /* The greater of both is the threshold. */
};

enum verdict { TOLD, BETTER, WORSE };

static const struct figure video_figures[] = {
    {"latency_ms.total", SUM, false, 0.02, TIME_SHARE},
    {"encode_ms", BACKED, false, 0.005, BACKED_SHARE},
    {"decode_ms", MEDIAN, false, 0.005, TIME_SHARE},
    {"cpu_ms", VALUE, false, 0.05, 0.15}, /* Without an interval: generous. */
    {"frames_held", VALUE, false, 0.5, 0},
    {"fits", FITS, true, 0.5, 0},
    {"psnr_db.all", VALUE, true, 0.05, 0},
    {"ssim.all", VALUE, true, 0.001, 0},
    {"share.max", VALUE, false, 0.05, 0.05},
    {"frame_bytes.p50", VALUE, false, 0, 0.02},
    {"dropped", VALUE, false, 0.5, 0},
    {"step.worst_share", VALUE, false, 0.1, 0.05},
    {"step.settled_after", VALUE, false, 0.5, 0},
    {"loss.frames", VALUE, false, 0.5, 0},
    {"loss.bytes", VALUE, false, 0, 0.05},
    {"memory_bytes", VALUE, false, 4 << 20, 0.10},
};

static const struct figure audio_figures[] = {
    {"latency_ms.total", SUM, false, 0.02, TIME_SHARE},
    {"encode_ms", MEDIAN, false, 0.002, TIME_SHARE},
    {"decode_ms", MEDIAN, false, 0.002, TIME_SHARE},
    {"delay_ms", VALUE, false, 0.05, 0},
    {"payload_bytes.p50", VALUE, false, 0.5, 0.01},
    {"payload_bytes.max", VALUE, false, 0.5, 0.05},
    {"snr_db", VALUE, true, 0.1, 0},
    {"loss.snr_db", VALUE, true, 0.2, 0},
    {"loss.ms", VALUE, false, 1, 0.05},
    {"memory_bytes", VALUE, false, 4096, 0.05},
};

/* What cells are compared by; the names of the lists in a report. */
struct kind_of_cell {
    const char *list;
    const struct figure *figures;
    size_t figure_count;
    void (*name)(const json_t *cell, char *text, size_t capacity);
};

struct reading {
    double value, low, high;
};

static void rate_text(double bps, char *text, size_t capacity)
{
    if (bps >= 1e6)
        (void)snprintf(text, capacity, "%.4g Mb/s", bps / 1e6);
    else
        (void)snprintf(text, capacity, "%.4g kb/s", bps / 1e3);
}

static void name_video(const json_t *cell, char *text, size_t capacity)
{
    double threads = tdm_report_number(cell, "threads"), fps = tdm_report_number(cell, "fps");
    char rate[32], more[48] = "";

    rate_text(tdm_report_number(cell, "bps"), rate, sizeof rate);
    if (threads > 1)
        (void)snprintf(more, sizeof more, " on %.4g threads", threads);
    (void)snprintf(text, capacity, "%s %s %.6gx%.6g %.4g/s %s %s%s",
                   tdm_report_text(cell, "encoder"), tdm_report_text(cell, "preset"),
                   tdm_report_number(cell, "width"), tdm_report_number(cell, "height"), fps,
                   tdm_report_text(cell, "content"), rate, more);
}

static void name_audio(const json_t *cell, char *text, size_t capacity)
{
    char rate[32];

    rate_text(tdm_report_number(cell, "bps"), rate, sizeof rate);
    (void)snprintf(text, capacity, "%s%s%s %s %.4g ms%s", tdm_report_text(cell, "encoder"),
                   *tdm_report_text(cell, "mode") ? " " : "", tdm_report_text(cell, "mode"), rate,
                   tdm_report_number(cell, "frame_ms"),
                   tdm_report_number(cell, "channels") > 1 ? " stereo" : "");
}

static const struct kind_of_cell cell_kinds[] = {
    {"video", video_figures, sizeof video_figures / sizeof *video_figures, name_video},
    {"audio", audio_figures, sizeof audio_figures / sizeof *audio_figures, name_audio},
};

static struct reading median_of(const json_t *distribution)
{
    struct reading r = {.value = tdm_report_number(distribution, "p50"),
                        .low = tdm_report_number(distribution, "ci_low"),
                        .high = tdm_report_number(distribution, "ci_high")};

    /* An interval that is missing or does not hold the median says nothing. */
    if (!(r.low <= r.value && r.value <= r.high)) {
        r.low = r.value * 0.9;
        r.high = r.value * 1.1;
    }
    return r;
}

static struct reading sum_of(const json_t *cell, const char *path)
{
    struct reading encode = median_of(tdm_report_at(cell, "encode_ms")),
                   decode = median_of(tdm_report_at(cell, "decode_ms")), r;

    r.value = tdm_report_number(cell, path);
    r.low = r.value - (encode.value - encode.low) - (decode.value - decode.low);
    r.high = r.value + (encode.high - encode.value) + (decode.high - decode.value);
    return r;
}

static bool is_median(const struct figure *figure)
{
    return figure->kind == MEDIAN || figure->kind == BACKED;
}

static struct reading read_figure(const json_t *cell, const struct figure *figure)
{
    double value;

    if (is_median(figure))
        return median_of(tdm_report_at(cell, figure->path));
    if (figure->kind == SUM)
        return sum_of(cell, figure->path);
    value = tdm_report_number(cell, figure->path);
    return (struct reading){value, value, value};
}

static bool has_changed(const struct figure *f, struct reading before, struct reading after,
                        double relative)
{
    double threshold = fmax(f->absolute, relative * fabs(before.value));

    /* Not a number anywhere: every comparison is false. */
    return (after.low > before.high || after.high < before.low) &&
           fabs(after.value - before.value) > threshold;
}

/* Wall time that moved and CPU time that did not is the machine's load. A report without CPU time
 * has to show more. */
static bool encode_has_changed(const struct figure *f, const json_t *now, const json_t *before)
{
    struct reading old = read_figure(before, f), new = read_figure(now, f);
    double cpu_old = tdm_report_number(before, "cpu_ms"),
           cpu_new = tdm_report_number(now, "cpu_ms");
    bool counted = cpu_old > 0 && cpu_new > 0;

    if (!has_changed(f, old, new, counted ? f->relative : TIME_SHARE))
        return false;
    return !counted || ((new.value > old.value) == (cpu_new > cpu_old) &&
                        fabs(cpu_new - cpu_old) > WITNESS_SHARE * cpu_old);
}

static json_t *percent_of(double before, double after)
{
    double percent = 100 * (after - before) / fabs(before);

    return isfinite(percent) ? json_real(round(percent * 100) / 100) : json_null();
}

static void add_change(json_t *changes, const char *name, const struct figure *f,
                       const double values[2], enum verdict verdict)
{
    char path[48];

    (void)snprintf(path, sizeof path, "%s%s", f->path, is_median(f) ? ".p50" : "");
    (void)json_array_append_new(changes,
                                json_pack("{s:s, s:s, s:f, s:f, s:o, s:b, s:b}", "cell", name,
                                          "figure", path, "before", values[0], "after", values[1],
                                          "percent", percent_of(values[0], values[1]), "worse",
                                          verdict == WORSE, "better", verdict == BETTER));
}

static void compare_cells(const struct kind_of_cell *kind, const char *name, const json_t *now,
                          const json_t *before, json_t *changes)
{
    bool times[WORSE + 1] = {false}; /* Which way encoding or decoding went; before `fits`. */

    for (size_t i = 0; i < kind->figure_count; i++) {
        const struct figure *f = &kind->figures[i];
        struct reading old = read_figure(before, f), new = read_figure(now, f);
        enum verdict verdict = (new.value > old.value) == f->more_is_better ? BETTER : WORSE;

        if (f->kind == BACKED ? !encode_has_changed(f, now, before)
                              : !has_changed(f, old, new, f->relative))
            continue;
        if (is_median(f))
            times[verdict] = true;
        if (f->kind == FITS && !times[verdict])
            verdict = TOLD;
        add_change(changes, name, f, (const double[]){old.value, new.value}, verdict);
    }
}

static json_t *by_name(const struct kind_of_cell *kind, const json_t *report)
{
    json_t *names = json_object();
    size_t i;
    json_t *cell;

    json_array_foreach(json_object_get(report, kind->list), i, cell)
    {
        char name[256];

        kind->name(cell, name, sizeof name);
        tdm_report_trim(name);
        if (json_is_object(cell))
            (void)json_object_set_nocheck(names, name, cell);
    }
    return names;
}

/* Cells of one kind: the same ones are compared, the others are listed. */
static json_int_t compare_kind(const struct kind_of_cell *kind, const json_t *now,
                               const json_t *before, json_t *out)
{
    json_t *new = by_name(kind, now), *old = by_name(kind, before), *cell;
    json_int_t count = 0;
    const char *name;

    json_object_foreach(new, name, cell)
    {
        const json_t *was = json_object_get(old, name);
        const char *bits = tdm_report_text(cell, "bits_sha256");

        if (!was) {
            (void)json_array_append_new(json_object_get(out, "new"), json_string_nocheck(name));
            continue;
        }
        count++;
        compare_cells(kind, name, cell, was, json_object_get(out, "changes"));
        if (*bits && *tdm_report_text(was, "bits_sha256") &&
            strcmp(bits, tdm_report_text(was, "bits_sha256")) != 0)
            (void)json_array_append_new(json_object_get(out, "bits"), json_string_nocheck(name));
    }
    json_object_foreach(old, name, cell) if (!json_object_get(new, name))(void)
        json_array_append_new(json_object_get(out, "missing"), json_string_nocheck(name));
    json_decref(new);
    json_decref(old);
    return count;
}

static int rank(const json_t *change)
{
    return json_is_true(json_object_get(change, "worse"))    ? 2
           : json_is_true(json_object_get(change, "better")) ? 1
                                                             : 0;
}

/* Worse first, then better, each by its change; one from nothing is greater than any. */
static int by_weight(const void *a, const void *b)
{
    const json_t *x = *(json_t *const *)a, *y = *(json_t *const *)b;
    double px = fabs(tdm_report_number(x, "percent")), py = fabs(tdm_report_number(y, "percent"));

    px = isnan(px) ? (double)INFINITY : px;
    py = isnan(py) ? (double)INFINITY : py;
    return rank(x) != rank(y) ? rank(y) - rank(x) : (px < py) - (px > py);
}

static void sort_changes(json_t *out)
{
    json_t *list = json_object_get(out, "changes"), *sorted = json_array();
    size_t count = json_array_size(list);
    json_t **items = calloc(count ? count : 1, sizeof(json_t *));

    for (size_t i = 0; items && i < count; i++)
        items[i] = json_array_get(list, i);
    if (items)
        qsort(items, count, sizeof *items, by_weight);
    for (size_t i = 0; items && i < count; i++)
        (void)json_array_append(sorted, items[i]);
    if (items)
        (void)json_object_set(out, "changes", sorted);
    json_decref(sorted);
    free(items);
}

json_t *tdm_report_changes(const json_t *now, const json_t *before)
{
    json_t *out = json_pack("{s:[], s:[], s:[], s:[]}", "changes", "bits", "new", "missing");
    json_int_t cells = 0;

    if (!out)
        return NULL;
    for (size_t i = 0; i < sizeof cell_kinds / sizeof *cell_kinds; i++)
        cells += compare_kind(&cell_kinds[i], now, before, out);
    sort_changes(out);
    (void)json_object_set_new(out, "cells", json_integer(cells));
    (void)json_object_set_new(out, "notes", tdm_report_differences(now, before, out));
    return out;
}

char *tandem_bench_compare(const char *json, const char *older, struct tandem_cause *cause)
{
    json_t *now = tdm_report_read(json, cause);
    json_t *before = now ? tdm_report_read(older, cause) : NULL;
    json_t *changes = before ? tdm_report_changes(now, before) : NULL;
    char *text = changes ? json_dumps(changes, JSON_INDENT(1) | JSON_REAL_PRECISION(9)) : NULL;

    if (before && !text && cause)
        (void)snprintf(cause->text, sizeof cause->text, "no memory to compare two reports");
    json_decref(changes);
    json_decref(before);
    json_decref(now);
    return text;
}
