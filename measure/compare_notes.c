/* SPDX-License-Identifier: MIT */
/* What differs between two reports beside their figures, in sentences: it may explain the changes,
 * or make them meaningless. */
#include "measure/report_read.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define BUSY_RATIO 1.5

static void note(json_t *notes, char *sentence)
{
    tdm_report_trim(sentence);
    (void)json_array_append_new(notes, json_string(sentence));
}

static void note_machine(json_t *notes, const json_t *now, const json_t *before)
{
    const char *cpu = tdm_report_text(now, "machine.cpu"),
               *was = tdm_report_text(before, "machine.cpu");
    char text[400];

    if (strcmp(cpu, was) == 0)
        return;
    (void)snprintf(text, sizeof text,
                   "Two machines: %s before, %s now. Times say which is faster, not what "
                   "changed in the code.",
                   was, cpu);
    note(notes, text);
}

static void note_method(json_t *notes, const json_t *now, const json_t *before)
{
    static const char *const fields[] = {"frames", "warmup", "rounds", "fps", "quick", "pinned"};

    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        double is = tdm_report_number(tdm_report_at(now, "method"), fields[i]);
        double was = tdm_report_number(tdm_report_at(before, "method"), fields[i]);
        char text[128];

        if (is == was || isnan(is) || isnan(was))
            continue;
        (void)snprintf(text, sizeof text, "Measured in another way: %s was %g and is %g.",
                       fields[i], was, is);
        note(notes, text);
    }
}

/* The object of `list` whose `keys` equal those of `like`. */
static const json_t *find(const json_t *list, const json_t *like, const char *const *keys)
{
    size_t i;
    const json_t *one;

    json_array_foreach(list, i, one)
    {
        bool same = json_is_object(one);

        for (const char *const *key = keys; same && *key; key++)
            same = json_equal(json_object_get(one, *key), json_object_get(like, *key));
        if (same)
            return one;
    }
    return NULL;
}

static void note_libraries(json_t *notes, const json_t *now, const json_t *before)
{
    static const char *const keys[] = {"name", NULL};
    size_t i;
    const json_t *one;

    json_array_foreach(json_object_get(now, "libraries"), i, one)
    {
        const json_t *was = find(json_object_get(before, "libraries"), one, keys);
        char text[400];

        if (!was || json_equal(json_object_get(was, "version"), json_object_get(one, "version")))
            continue;
        (void)snprintf(text, sizeof text, "%s was %s and is %s.", tdm_report_text(one, "name"),
                       tdm_report_text(was, "version"), tdm_report_text(one, "version"));
        note(notes, text);
    }
}

static void note_inputs(json_t *notes, const json_t *now, const json_t *before)
{
    static const char *const keys[] = {"content", "width", "height", NULL};
    size_t i;
    const json_t *one;

    json_array_foreach(json_object_get(now, "inputs"), i, one)
    {
        const json_t *was = find(json_object_get(before, "inputs"), one, keys);
        char text[400];

        if (!was || json_equal(json_object_get(was, "sha256"), json_object_get(one, "sha256")))
            continue;
        (void)snprintf(text, sizeof text,
                       "%s of %.6gx%.6g is another input than before: its figures cannot be "
                       "compared.",
                       tdm_report_text(one, "content"), tdm_report_number(one, "width"),
                       tdm_report_number(one, "height"));
        note(notes, text);
    }
}

static void note_count(json_t *notes, const json_t *changes, const char *list, const char *words)
{
    size_t count = json_array_size(json_object_get(changes, list));
    char text[160];

    if (!count)
        return;
    (void)snprintf(text, sizeof text, "%zu %s %s.", count, count == 1 ? "cell" : "cells", words);
    note(notes, text);
}

/* On one thread, encoding takes its CPU time unless something else has the core. */
static void note_busy(json_t *notes, const json_t *report, const char *which)
{
    size_t i, busy = 0, count = json_array_size(json_object_get(report, "video"));
    const json_t *cell;
    char text[200];

    json_array_foreach(json_object_get(report, "video"), i, cell)
    {
        double wall = tdm_report_number(cell, "encode_ms.p50");
        double cpu = tdm_report_number(cell, "cpu_ms");

        busy += tdm_report_number(cell, "threads") == 1 && cpu > 0 && wall > BUSY_RATIO * cpu;
    }
    if (!busy)
        return;
    (void)snprintf(text, sizeof text,
                   "The machine was busy with something else in %zu of %zu video cells of %s "
                   "report: their times say little.",
                   busy, count, which);
    note(notes, text);
}

json_t *tdm_report_differences(const json_t *now, const json_t *before, const json_t *changes)
{
    json_t *notes = json_array();

    note_machine(notes, now, before);
    note_method(notes, now, before);
    note_busy(notes, before, "the older");
    note_busy(notes, now, "this");
    note_inputs(notes, now, before);
    note_libraries(notes, now, before);
    note_count(notes, changes, "bits", "gave other bits than before");
    note_count(notes, changes, "missing", "of the older report were not measured now");
    note_count(notes, changes, "new", "were not in the older report");
    return notes;
}
