/* SPDX-License-Identifier: MIT */
/* Presence as a document: writing it, and what several devices mean together. */
#include "signalling/pidf.h"

#include "signalling/rfc3339.h"
#include "signalling/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char *const activity_names[TDM_ACTIVITY_COUNT] = {
    [TDM_ACTIVITY_NONE] = "available",    [TDM_ACTIVITY_AWAY] = "away",
    [TDM_ACTIVITY_BUSY] = "busy",         [TDM_ACTIVITY_ON_THE_PHONE] = "on-the-phone",
    [TDM_ACTIVITY_MEETING] = "meeting",   [TDM_ACTIVITY_MEAL] = "meal",
    [TDM_ACTIVITY_VACATION] = "vacation", [TDM_ACTIVITY_TRAVEL] = "travel",
    [TDM_ACTIVITY_SLEEPING] = "sleeping", [TDM_ACTIVITY_WORKING] = "working",
    [TDM_ACTIVITY_OTHER] = "other",
};

const char *tdm_activity_name(enum tdm_activity activity)
{
    return activity_names[activity];
}

bool tdm_activity_of_name(const char *name, size_t size, enum tdm_activity *activity)
{
    for (int i = 0; i < TDM_ACTIVITY_COUNT; i++)
        if (tdm_text_equals(tdm_text_of(name, size), activity_names[i])) {
            *activity = (enum tdm_activity)i;
            return true;
        }
    return false;
}

/* --- Writing ---------------------------------------------------------------------------------- */

struct out {
    char *text;
    size_t capacity, size;
    bool ok;
};

static void put_bytes(struct out *o, const char *bytes, size_t size)
{
    if (!o->ok || size >= o->capacity - o->size) {
        o->ok = false;
        return;
    }
    memcpy(o->text + o->size, bytes, size);
    o->size += size;
}

static void put(struct out *o, const char *text)
{
    put_bytes(o, text, strlen(text));
}

static void TDM_PRINTF(2, 3) put_format(struct out *o, const char *format, ...)
{
    char text[128];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    put(o, text);
}

/* Characters that XML takes for its own, and controls that it does not take at all. */
static void put_escaped(struct out *o, const char *text)
{
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;

        if (c == '&')
            put(o, "&amp;");
        else if (c == '<')
            put(o, "&lt;");
        else if (c == '>')
            put(o, "&gt;");
        else if (c == '"')
            put(o, "&quot;");
        else
            put_bytes(o, c < ' ' && c != '\t' && c != '\n' ? " " : text, 1);
    }
}

static void put_element(struct out *o, const char *name, const char *text)
{
    if (!*text)
        return;
    put_format(o, "<%s>", name);
    put_escaped(o, text);
    put_format(o, "</%s>", name);
}

static void put_time(struct out *o, const char *name, int64_t unix_s)
{
    char text[TDM_RFC3339_SIZE];

    if (!unix_s)
        return;
    tdm_rfc3339_write(unix_s, text);
    put_format(o, " %s=\"%s\"", name, text);
}

static void put_timed(struct out *o, const struct tdm_timed_status *timed)
{
    put(o, "<ts:timed-status");
    put_time(o, "from", timed->from_s);
    put_time(o, "until", timed->until_s);
    put_format(o, "><ts:basic>%s</ts:basic></ts:timed-status>", timed->open ? "open" : "closed");
}

static void put_tuple(struct out *o, const struct tdm_presence_tuple *t)
{
    char when[TDM_RFC3339_SIZE];

    put(o, "<tuple id=\"");
    put_escaped(o, t->id);
    put_format(o, "\"><status><basic>%s</basic></status>", t->open ? "open" : "closed");
    for (uint32_t i = 0; i < t->timed_count && i < TDM_PIDF_TIMED_MAX; i++)
        put_timed(o, &t->timed[i]);
    if (t->contact[0]) {
        put(o, "<contact");
        if (t->priority)
            put_format(o, " priority=\"%u.%03u\"", t->priority / 1000u % 10u, t->priority % 1000u);
        put(o, ">");
        put_escaped(o, t->contact);
        put(o, "</contact>");
    }
    put_element(o, "note", t->note);
    if (t->timestamp_s) {
        tdm_rfc3339_write(t->timestamp_s, when);
        put_element(o, "timestamp", when);
    }
    put(o, "</tuple>\n");
}

/* What the device says of its person. */
static void put_person(struct out *o, const struct tdm_presence_tuple *t)
{
    if (t->activity == TDM_ACTIVITY_NONE && !t->idle && !t->since_s && !t->until_s)
        return;
    put(o, "<dm:person id=\"p-");
    put_escaped(o, t->id);
    put(o, "\"><rpid:activities");
    put_time(o, "from", t->since_s);
    put_time(o, "until", t->until_s);
    if (t->activity == TDM_ACTIVITY_NONE)
        put(o, "/>");
    else
        put_format(o, "><rpid:%s/></rpid:activities>", activity_names[t->activity]);
    if (t->idle) {
        put(o, "<rpid:user-input");
        put_time(o, "last-input", t->idle_since_s);
        put(o, ">idle</rpid:user-input>");
    }
    put(o, "</dm:person>\n");
}

enum tdm_err tdm_pidf_write(const struct tdm_pidf *pidf, char *xml, size_t capacity, size_t *size)
{
    struct out o = {.text = xml, .capacity = capacity, .ok = capacity > 0};

    put(&o, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
            "<presence xmlns=\"urn:ietf:params:xml:ns:pidf\""
            " xmlns:dm=\"urn:ietf:params:xml:ns:pidf:data-model\""
            " xmlns:rpid=\"urn:ietf:params:xml:ns:pidf:rpid\""
            " xmlns:ts=\"urn:ietf:params:xml:ns:pidf:timed-status\" entity=\"");
    put_escaped(&o, pidf->entity);
    put(&o, "\">\n");
    for (uint32_t i = 0; i < pidf->tuple_count && i < TDM_PIDF_TUPLES_MAX; i++)
        put_tuple(&o, &pidf->tuples[i]);
    put_element(&o, "note", pidf->note);
    for (uint32_t i = 0; i < pidf->tuple_count && i < TDM_PIDF_TUPLES_MAX; i++)
        put_person(&o, &pidf->tuples[i]);
    put(&o, "</presence>\n");
    if (!o.ok)
        return TDM_E_SPACE;
    xml[o.size] = '\0';
    *size = o.size;
    return TDM_OK;
}

/* --- Composing -------------------------------------------------------------------------------- */

void tdm_pidf_merge(struct tdm_pidf *into, const struct tdm_pidf *from)
{
    for (uint32_t i = 0; i < from->tuple_count; i++) {
        const struct tdm_presence_tuple *t = &from->tuples[i];
        uint32_t at = 0;

        while (at < into->tuple_count && strcmp(into->tuples[at].id, t->id) != 0)
            at++;
        if (at == TDM_PIDF_TUPLES_MAX)
            continue;
        if (at < into->tuple_count && into->tuples[at].timestamp_s > t->timestamp_s)
            continue;
        into->tuples[at] = *t;
        if (at == into->tuple_count)
            into->tuple_count++;
    }
    if (from->note[0])
        memcpy(into->note, from->note, sizeof into->note);
    if (!into->entity[0])
        memcpy(into->entity, from->entity, sizeof into->entity);
}

bool tdm_presence_tuple_open(const struct tdm_presence_tuple *tuple, int64_t unix_s)
{
    for (uint32_t i = 0; i < tuple->timed_count; i++) {
        const struct tdm_timed_status *timed = &tuple->timed[i];

        if (unix_s >= timed->from_s && (!timed->until_s || unix_s < timed->until_s))
            return timed->open;
    }
    return tuple->open;
}

static bool has_passed(const struct tdm_presence_tuple *t, int64_t unix_s)
{
    return t->until_s && unix_s >= t->until_s;
}

static enum tdm_activity activity_at(const struct tdm_presence_tuple *t, int64_t unix_s)
{
    if (t->activity != TDM_ACTIVITY_NONE && !has_passed(t, unix_s))
        return t->activity;
    return t->idle ? TDM_ACTIVITY_AWAY : TDM_ACTIVITY_NONE;
}

/* How much a device's word counts: open before closed, then with people, there, elsewhere. */
static int weight(const struct tdm_presence_tuple *t, int64_t unix_s)
{
    int open = tdm_presence_tuple_open(t, unix_s) ? 10 : 0;

    switch (activity_at(t, unix_s)) {
    case TDM_ACTIVITY_ON_THE_PHONE:
        return open + 6;
    case TDM_ACTIVITY_MEETING:
    case TDM_ACTIVITY_BUSY:
        return open + 5;
    case TDM_ACTIVITY_WORKING:
    case TDM_ACTIVITY_OTHER:
        return open + 4;
    case TDM_ACTIVITY_NONE:
        return open + 3;
    case TDM_ACTIVITY_MEAL:
    case TDM_ACTIVITY_TRAVEL:
    case TDM_ACTIVITY_VACATION:
    case TDM_ACTIVITY_SLEEPING:
        return open + 2;
    default:
        return open + 1;
    }
}

void tdm_presence_compose(const struct tdm_pidf *pidf, int64_t unix_s,
                          struct tdm_presence_view *view)
{
    const struct tdm_presence_tuple *best = NULL;

    *view = (struct tdm_presence_view){.known = true};
    for (uint32_t i = 0; i < pidf->tuple_count; i++) {
        const struct tdm_presence_tuple *t = &pidf->tuples[i];

        view->devices++;
        view->open_devices += tdm_presence_tuple_open(t, unix_s);
        if (!best || weight(t, unix_s) > weight(best, unix_s) ||
            (weight(t, unix_s) == weight(best, unix_s) && t->timestamp_s > best->timestamp_s))
            best = t;
    }
    view->open = view->open_devices > 0;
    if (best) {
        view->activity = activity_at(best, unix_s);
        if (!has_passed(best, unix_s)) {
            view->since_s = best->since_s;
            view->until_s = best->until_s;
            memcpy(view->note, best->note, sizeof view->note);
        }
        if (!view->since_s && best->idle && view->activity == TDM_ACTIVITY_AWAY)
            view->since_s = best->idle_since_s;
    }
    if (!view->note[0])
        memcpy(view->note, pidf->note, sizeof view->note);
}

static int64_t earlier(int64_t best, int64_t at, int64_t unix_s)
{
    return at > unix_s && at < best ? at : best;
}

int64_t tdm_presence_view_until(const struct tdm_pidf *pidf, int64_t unix_s)
{
    int64_t until = INT64_MAX;

    for (uint32_t i = 0; i < pidf->tuple_count; i++) {
        const struct tdm_presence_tuple *t = &pidf->tuples[i];

        until = earlier(until, t->until_s, unix_s);
        for (uint32_t j = 0; j < t->timed_count; j++) {
            until = earlier(until, t->timed[j].from_s, unix_s);
            until = earlier(until, t->timed[j].until_s, unix_s);
        }
    }
    return until;
}
