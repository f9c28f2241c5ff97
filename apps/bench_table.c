/* SPDX-License-Identifier: MIT */
#include "apps/bench.h"

#include <math.h>
#include <string.h>

#define CHANGES_SHOWN 40
#define PLAIN_MAX     1e7 /* Greater numbers are written as powers of ten. */

/* The number at "outer.inner", or NAN. */
static double at(const json_t *o, const char *outer, const char *inner)
{
    const json_t *value = json_object_get(o, outer);

    if (inner)
        value = json_object_get(value, inner);
    return json_is_number(value) ? json_number_value(value) : (double)NAN;
}

static const char *text(const json_t *o, const char *name)
{
    const char *value = json_string_value(json_object_get(o, name));

    return value ? value : "";
}

/* A number in `width` columns, or a dash; a foreign report may hold absurd ones. */
static void cell(FILE *to, double value, int width, int decimals)
{
    if (isnan(value))
        fprintf(to, " %*s", width, "-");
    else if (fabs(value) >= PLAIN_MAX)
        fprintf(to, " %*.2g", width, value);
    else
        fprintf(to, " %*.*f", width, decimals, value);
}

static const char *rate_text(double bps, char *buffer, size_t capacity)
{
    if (bps >= 1e6)
        (void)snprintf(buffer, capacity, "%.3g Mb/s", bps / 1e6);
    else
        (void)snprintf(buffer, capacity, "%.3g kb/s", bps / 1e3);
    return buffer;
}

static const char *setting(const json_t *c, char *buffer, size_t capacity)
{
    double threads = at(c, "threads", NULL);
    int size = snprintf(buffer, capacity, "%.20s %.20s", text(c, "encoder"), text(c, "preset"));

    if (threads > 1)
        (void)snprintf(buffer + size, capacity - (size_t)size, " x%.6g", threads);
    return buffer;
}

static bool same_group(const json_t *a, const json_t *b)
{
    return json_equal(json_object_get(a, "content"), json_object_get(b, "content")) &&
           json_equal(json_object_get(a, "width"), json_object_get(b, "width")) &&
           json_equal(json_object_get(a, "height"), json_object_get(b, "height"));
}

/* Of the pictures that counted in the first round: the dropped ones left no bytes. */
static void dropped(FILE *to, const json_t *c)
{
    double lost = at(c, "dropped", NULL), counted = lost + at(c, "frame_bytes", "n");
    char text[32] = "-";

    if (!isnan(lost) && !isnan(counted))
        (void)snprintf(text, sizeof text, "%.6g/%.6g", lost, counted);
    else if (!isnan(lost))
        (void)snprintf(text, sizeof text, "%.6g", lost);
    fprintf(to, " %8s", text);
}

static void print_video_row(FILE *to, const json_t *c)
{
    char name[64], rate[24];

    fprintf(to, "  %-20s %9s", setting(c, name, sizeof name),
            rate_text(at(c, "bps", NULL), rate, sizeof rate));
    cell(to, at(c, "latency_ms", "held"), 6, 1);
    cell(to, at(c, "latency_ms", "encode"), 7, 2);
    cell(to, at(c, "latency_ms", "serialise"), 7, 2);
    cell(to, at(c, "latency_ms", "decode"), 7, 2);
    cell(to, at(c, "latency_ms", "total"), 7, 1);
    cell(to, at(c, "psnr_db", "all"), 7, 2);
    cell(to, at(c, "ssim", "all"), 7, 4);
    cell(to, at(c, "share", "max"), 6, 2);
    dropped(to, c);
    fprintf(to, "  %s\n", json_is_true(json_object_get(c, "fits")) ? "yes" : "NO");
}

static void print_video(FILE *to, const json_t *list)
{
    size_t first, i;
    const json_t *head, *c;

    json_array_foreach(list, first, head)
    {
        bool seen = false;

        for (i = 0; i < first && !seen; i++)
            seen = same_group(json_array_get(list, i), head);
        if (seen)
            continue;
        fprintf(to,
                "\n%s, %.6gx%.6g, %.6g frames a second; ms, link as fast as the rate\n"
                "  %-20s %9s %6s %7s %7s %7s %7s %7s %7s %6s %8s  fits\n",
                text(head, "content"), at(head, "width", NULL), at(head, "height", NULL),
                at(head, "fps", NULL), "codec, preset", "rate", "held", "encode", "link", "decode",
                "sum", "PSNR", "SSIM", "worst", "dropped");
        json_array_foreach(list, i, c) if (same_group(c, head)) print_video_row(to, c);
    }
}

static void print_audio(FILE *to, const json_t *list)
{
    size_t i;
    const json_t *c;

    if (!json_array_size(list))
        return;
    fprintf(to, "\nsound; ms\n  %-24s %9s %6s %6s %7s %7s %7s %7s %7s %7s\n", "codec, mode", "rate",
            "frame", "ahead", "encode", "link", "decode", "sum", "bytes", "SNR dB");
    json_array_foreach(list, i, c)
    {
        char name[64], rate[24];

        (void)snprintf(name, sizeof name, "%.12s %.24s", text(c, "encoder"), text(c, "mode"));
        fprintf(to, "  %-24s %9s", name, rate_text(at(c, "bps", NULL), rate, sizeof rate));
        cell(to, at(c, "latency_ms", "frame"), 6, 1);
        cell(to, at(c, "latency_ms", "lookahead"), 6, 2);
        cell(to, at(c, "latency_ms", "encode"), 7, 3);
        cell(to, at(c, "latency_ms", "serialise"), 7, 2);
        cell(to, at(c, "latency_ms", "decode"), 7, 3);
        cell(to, at(c, "latency_ms", "total"), 7, 2);
        cell(to, at(c, "payload_bytes", "p50"), 7, 0);
        cell(to, at(c, "snr_db", NULL), 7, 1);
        fputc('\n', to);
    }
}

void bench_table_print(FILE *to, const json_t *report)
{
    const json_t *failed = json_object_get(report, "failed"), *partial, *one;
    size_t i;

    fprintf(to, "codecs on %s, tandem %s\n", text(json_object_get(report, "machine"), "cpu"),
            text(report, "version"));
    print_video(to, json_object_get(report, "video"));
    print_audio(to, json_object_get(report, "audio"));
    if (json_array_size(failed))
        fprintf(to, "\nleft out\n");
    json_array_foreach(failed, i, one)
    {
        char name[64];

        fprintf(to, "  %s: %s\n", setting(one, name, sizeof name), text(one, "why"));
    }
    partial = json_object_get(report, "partial");
    if (partial)
        fprintf(to, "\nStopped early: %.6g of %.6g steps were measured.\n",
                at(partial, "done", NULL), at(partial, "total", NULL));
}

void bench_recommendations_print(FILE *to, const json_t *report)
{
    const json_t *list = json_object_get(report, "recommendations"), *one;
    size_t i;

    if (json_array_size(list))
        fprintf(to, "\nwhat to use\n");
    json_array_foreach(list, i, one)
    {
        char name[64], rate[24];

        fprintf(to, "  For %s of %.6gx%.6g at %s take %s. %s\n", text(one, "content"),
                at(one, "width", NULL), at(one, "height", NULL),
                rate_text(at(one, "bps", NULL), rate, sizeof rate), setting(one, name, sizeof name),
                text(one, "why"));
    }
}

static void print_change(FILE *to, const json_t *change)
{
    double percent = at(change, "percent", NULL);
    const char *verdict = json_is_true(json_object_get(change, "worse"))    ? "WORSE"
                          : json_is_true(json_object_get(change, "better")) ? "better"
                                                                            : "now";

    fprintf(to, "  %-6s %-52s %-20s %10.5g -> %-10.5g", verdict, text(change, "cell"),
            text(change, "figure"), at(change, "before", NULL), at(change, "after", NULL));
    if (isnan(percent))
        fputc('\n', to);
    else
        fprintf(to, fabs(percent) < PLAIN_MAX ? " %+.1f %%\n" : " %+.2g %%\n", percent);
}

void bench_changes_print(FILE *to, const json_t *changes)
{
    const json_t *list = json_object_get(changes, "changes"), *notes, *one;
    size_t i, worse = 0, better = 0, count = json_array_size(list);

    json_array_foreach(list, i, one)
    {
        worse += json_is_true(json_object_get(one, "worse"));
        better += json_is_true(json_object_get(one, "better"));
    }
    fprintf(to, "\nbeside the older report: %.6g cells in both, %zu figures worse, %zu better\n",
            at(changes, "cells", NULL), worse, better);
    for (i = 0; i < count && i < CHANGES_SHOWN; i++)
        print_change(to, json_array_get(list, i));
    if (i < count)
        fprintf(to, "  and %zu more, which the page of --html lists\n", count - i);
    notes = json_object_get(changes, "notes");
    json_array_foreach(notes, i, one)
        fprintf(to, "  %s\n", json_string_value(one) ? json_string_value(one) : "");
}
