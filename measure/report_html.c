/* SPDX-License-Identifier: MIT */
/*
 * The report as one page: the template measure/report.html, which the build embeds, with the
 * report and what changed in it as JSON. The page's own script turns them into charts.
 */
#include "measure/report_read.h"
#include "measure/report_template.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct page {
    char *text;
    size_t size, capacity;
    bool ok;
};

static void put(struct page *p, const char *text, size_t size)
{
    if (p->ok && p->capacity - p->size < size) {
        size_t capacity = (p->capacity + size) * 2;
        char *more = realloc(p->text, capacity);

        p->ok = more != NULL;
        p->text = more ? more : p->text;
        p->capacity = more ? capacity : p->capacity;
    }
    if (!p->ok || !p->text)
        return;
    memcpy(p->text + p->size, text, size);
    p->size += size;
}

/* JSON inside a script element: the parser of HTML looks there for "</script" and "<!--" only, and
 * in JSON a "<" stands nowhere but in strings, where an escape means the same. */
static void put_json(struct page *p, const json_t *value)
{
    char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(9));

    p->ok = p->ok && text;
    for (const char *at = text; p->ok && *at;) {
        size_t plain = strcspn(at, "<>&");

        put(p, at, plain);
        at += plain;
        if (*at) {
            char escape[8];

            put(p, escape, (size_t)snprintf(escape, sizeof escape, "\\u%04x", (unsigned)*at++));
        }
    }
    free(text);
}

/* Everything up to `mark`, and steps behind it. */
static void put_until(struct page *p, const char **at, const char *end, const char *mark)
{
    size_t mark_size = strlen(mark);
    const char *found = memmem(*at, (size_t)(end - *at), mark, mark_size);

    assert(found); /* The template is ours, and a test holds it. */
    put(p, *at, (size_t)(found - *at));
    *at = found + mark_size;
}

static char *page_of(const json_t *report, const json_t *changes)
{
    const char *at = tdm_report_template, *end = at + tdm_report_template_size;
    struct page p = {.ok = true};

    put_until(&p, &at, end, "@REPORT@");
    put_json(&p, report);
    put_until(&p, &at, end, "@CHANGES@");
    put_json(&p, changes);
    put(&p, at, (size_t)(end - at));
    put(&p, "", 1);
    if (!p.ok)
        free(p.text);
    return p.ok ? p.text : NULL;
}

char *tandem_bench_html(const char *json, const char *older, struct tandem_cause *cause)
{
    json_t *report = tdm_report_read(json, cause);
    json_t *before = report && older ? tdm_report_read(older, cause) : NULL;
    json_t *changes = before ? tdm_report_changes(report, before) : json_null();
    char *page = report && (before || !older) && changes ? page_of(report, changes) : NULL;

    if (!page && cause && report && (before || !older))
        (void)snprintf(cause->text, sizeof cause->text, "no memory for the page");
    json_decref(changes);
    json_decref(before);
    json_decref(report);
    return page;
}
